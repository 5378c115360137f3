# SPDX-License-Identifier: BSD-3-Clause
#
# The package, as an administrator installs it in a guest that has never heard of it.
#
# Packages: of this checkout
# Host:    a card, the bridge, the tunnel's end.
# Guest:   Debian 12 with systemd, and a service of its own for the tunnel. apt install, four lines of
#          configuration, systemctl enable --now; then it is switched off, and boots again from what was
#          on its disk; apt purge.
# Asserts: an installation starts nothing, enables nothing and loads no module; the reader is there after
#          enable --now, and after the boot without a command; its card answers, counted at the card; the
#          journal tells it in a dozen lines; a purge while it runs leaves no process, no reader, nothing
#          in configfs.
#
# Limit: 300

tunnel_unit()
{
	mkdir -p "$RESULTS/guest-root/etc/systemd/system"
	cat >"$RESULTS/guest-root/etc/systemd/system/tunnel.service" <<'END'
[Service]
ExecStartPre=/bin/mkdir -p -m 0700 /run/ccid-gadget
ExecStart=/usr/bin/socat UNIX-LISTEN:/run/ccid-gadget/bridge.sock,fork,unlink-early TCP:10.0.2.2:7816
UMask=0177
[Install]
WantedBy=multi-user.target
END
	systemctl --root="$RESULTS/guest-root" enable tunnel 2>>"$RESULTS/install.log"
}

guest_usable()
{
	guest_try "/build/tests/pcsc/exchange --wait 25 loop 3"
}

host_start t1
guest_boots_systemd
tunnel_unit
mkdir "$RESULTS/debs"
cp "$PACKAGES"/ccid-gadget_*.deb "$RESULTS/debs/"
guest_boot
guest_try 'touch /run/before'

echo "apt install"
guest_within 60 'apt-get install -q -y --no-install-recommends /results/debs/ccid-gadget_*.deb 2>&1' \
	>"$RESULTS/apt.log" || fail "apt-get install: $(cat "$RESULTS/apt.log")"
assert_equal "not enabled" disabled "$(guest 'systemctl is-enabled ccid-gadget || true')"
assert_equal "not started" inactive "$(guest 'systemctl is-active ccid-gadget || true')"
assert_fails "a module is loaded" guest_try "grep -q dummy_hcd /proc/modules"

echo "four lines, and enable --now"
guest_try 'cat >/etc/ccid-relay/gadget.conf <<END
bridge = "ipc:///run/ccid-gadget/bridge.sock"
auth = none
name = "vm"
reader "*" {}
END
systemctl enable --now ccid-gadget'
wait_for 30 "a reader on the bus" guest_has_usb_reader
before=$(apdus_at_card)
assert "APDUs" guest_usable
assert "they reached the card" [ "$(apdus_at_card)" -ge $((before + 3)) ]

echo "booted again"
guest_try 'cd / && find etc usr var/lib -xdev -cnewer /run/before \( -type f -o -type l \) \
	! -path "var/lib/systemd/*" ! -path "var/lib/apt/*" | tar -cf /results/disk.tar -T - && sync'
guest_stop
tar -C "$RESULTS/guest-root" -xf "$RESULTS/disk.tar"
guest_boot
wait_for 60 "a reader on the bus, by itself" guest_has_usb_reader
before=$(apdus_at_card)
assert "APDUs" guest_usable
assert "they reached the card" [ "$(apdus_at_card)" -ge $((before + 3)) ]
story=$(guest 'journalctl -b -o cat -u ccid-gadget')
assert_contains "the journal" "plugged in as USB device 0e0f:0004" "$story"
assert "it is short" [ "$(wc -l <<<"$story")" -le 12 ]

echo "apt purge"
guest_within 60 'apt-get purge -q -y ccid-gadget 2>&1' >>"$RESULTS/apt.log" ||
	fail "apt-get purge: $(tail -n 20 "$RESULTS/apt.log")"
assert_fails "a process is left" guest_try 'pgrep ccid-gadget'
assert_fails "a reader on the bus" guest_has_usb_reader
assert_equal "nothing in configfs" "" "$(guest 'ls /sys/kernel/config/usb_gadget')"
assert_fails "the configuration is left" guest_try 'test -e /etc/ccid-relay'
assert_no_stuck_task
assert_kernel_quiet
