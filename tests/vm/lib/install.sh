# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The packages, as an administrator installs them in a guest that boots with systemd: what the scenarios
# of the group install are made of.

# install_boot PACKAGE...: a guest that has their files at hand, and has never heard of them.
install_boot()
{
	local package
	mkdir -p "$RESULTS/debs" "$RESULTS/newer"
	for package in "$@"; do
		cp "$(packages_of "$GUEST_SUITE")/$package"_[0-9]*.deb "$RESULTS/debs/"
		package_again "$RESULTS/debs/$package"_*.deb 99 "$RESULTS/newer"
	done
	guest_boot
	guest_try 'touch /run/before'
}

# apt_get_install PACKAGE...: nothing of them is enabled or started by that.
apt_get_install()
{
	local package debs=
	for package in "$@"; do
		debs+=" /results/debs/${package}_*.deb"
	done
	guest_within 90 "apt-get install -q -y --no-install-recommends $debs 2>&1" >"$RESULTS/apt.log" ||
		fail "apt-get install: $(cat "$RESULTS/apt.log")"
	for package in "$@"; do
		assert_equal "$package is not enabled" disabled "$(guest "systemctl is-enabled $package || true")"
		assert_equal "$package is not started" inactive "$(guest "systemctl is-active $package || true")"
	done
}

# apt_get_upgrade PACKAGE CONFIGURATION: to a newer one, while its daemon runs. Nobody is there to be asked.
apt_get_upgrade()
{
	local daemon before
	daemon=$(property "$1" MainPID)
	before=$(guest "cat /etc/ccid-relay/$2")
	guest_within 90 "apt-get install -q -y --no-install-recommends /results/newer/$1_*.deb 2>&1" \
		>>"$RESULTS/apt.log" || fail "apt-get install: $(tail -n 20 "$RESULTS/apt.log")"
	assert_equal "its version" 99 "$(guest "dpkg-query -W -f '\${Version}' $1")"
	assert "it runs" is_active "$1"
	assert "another process does" [ "$(property "$1" MainPID)" != "$daemon" ]
	assert_equal "its restarts without a command" 0 "$(property "$1" NRestarts)"
	assert_equal "its configuration" "$before" "$(guest "cat /etc/ccid-relay/$2")"
}

# apt_get_purge PACKAGE
apt_get_purge()
{
	guest_within 90 "apt-get purge -q -y $1 2>&1" >>"$RESULTS/apt.log" ||
		fail "apt-get purge: $(tail -n 20 "$RESULTS/apt.log")"
	assert_fails "a process is left" guest_try "pgrep $1"
}

# Switched off, and booted with what was on its disk by then.
boot_again()
{
	guest_try 'cd / && find etc usr var/lib -xdev -cnewer /run/before \( -type f -o -type l \) \
		! -path "var/lib/systemd/*" ! -path "var/lib/apt/*" | tar -cf /results/disk.tar -T - && sync'
	guest_stop
	tar -C "$RESULTS/guest-root" -xf "$RESULTS/disk.tar"
	guest_boot
}

# The guest's end of the tunnel, as a service of the guest's own: no part of what is installed.
install_tunnel()
{
	mkdir -p "$RESULTS/guest-root/etc/systemd/system"
	cat >"$RESULTS/guest-root/etc/systemd/system/tunnel.service" <<'END'
[Unit]
After=network.target
Before=ccid-gadget.service
[Service]
ExecStartPre=/bin/mkdir -p -m 0700 /run/ccid-gadget
ExecStart=/usr/bin/socat UNIX-LISTEN:/run/ccid-gadget/bridge.sock,fork,unlink-early TCP:10.0.2.2:7816
ExecStartPost=/bin/sh -c 'until [ -S /run/ccid-gadget/bridge.sock ]; do sleep 0.1; done'
UMask=0177
[Install]
WantedBy=multi-user.target
END
	systemctl --root="$RESULTS/guest-root" enable tunnel 2>>"$RESULTS/install.log"
}

# Which of the two readers has the card, by its serial number: pcscd has them in the order in which udevd
# tells it of them, which may be another after each time that they are plugged in.
CARD_READER=
find_card_reader()
{
	CARD_READER=$(guest 'ccid-gadget readers' | awk '/^Virtual PCD 0 00 00 / { print $(NF - 1) }')
	[ -n "$CARD_READER" ] && [ "$CARD_READER" != - ]
}

# The reader is a card's, counted there.
installed_reader_works()
{
	local before
	before=$(apdus_at_card)
	wait_for 20 "the reader with the card" find_card_reader
	assert "APDUs" guest_try "/build/tests/pcsc/exchange --wait 25 --reader '*$CARD_READER*' loop 3"
	assert "they reached the card" [ "$(apdus_at_card)" -ge $((before + 3)) ]
}

gadget_card_in_use()
{
	grep -q -F "card in use" <<<"$(guest 'ccid-gadget readers')"
}

# is_short UNIT: what the journal of this boot has of it is a dozen lines, and none is a warning.
is_short()
{
	assert "a dozen lines" [ "$(guest "journalctl -b -q -o cat -u $1" | wc -l)" -le 12 ]
	assert_equal "warnings" "" "$(guest "journalctl -b -q -o cat -p warning -u $1")"
}

# entered UNIT: when systemd had it started, in us since the boot
entered()
{
	property "$1" ActiveEnterTimestampMonotonic
}

# The kernel has found each reader before systemd starts what prints the login prompt. Both say so by the
# clock of the boot, the kernel in its log.
reader_before_login()
{
	local device daemon prompt
	wait_for 60 "a login prompt" guest_try "grep -q -a 'login:' /dev/vcs1"
	device=$(guest dmesg | sed -n 's/^\[ *\([0-9]*\)\.\([0-9]*\)\] usb .*idVendor=0e0f, idProduct=0004.*/\1\2/p' | tail -n 1)
	daemon=$(entered ccid-gadget)
	prompt=$(entered getty@tty1)
	echo "us since the boot: last reader $device, ccid-gadget $daemon, login prompt $prompt"
	assert "the reader is there when ccid-gadget has started" [ "$device" -lt "$daemon" ]
	assert "and then comes the login prompt" [ "$daemon" -lt "$prompt" ]
}

# Nobody waits long for a bridge that isn't there.
starts_without_bridge()
{
	local began
	guest_try 'systemctl stop tunnel'
	began=$SECONDS
	guest_try 'systemctl restart ccid-gadget'
	echo "started without a bridge in $((SECONDS - began)) s"
	assert_contains "its word to systemd" "waiting for the bridge" "$(property ccid-gadget StatusText)"
	guest_try 'systemctl start tunnel'
	wait_for 30 "a reader on the bus, later" guest_has_usb_reader
}

# The story of ccid-gadget, whose other end is outside of the guest.
install_gadget_story()
{
	host_start t1
	guest_boots_systemd
	install_tunnel
	install_boot ccid-gadget

	echo "apt install"
	apt_get_install ccid-gadget
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
	installed_reader_works

	echo "an upgrade, while a card is used"
	guest_start user "/build/tests/pcsc/exchange --wait 25 --reader \"*$CARD_READER*\" loop 100000"
	wait_for 30 "the card, in use" gadget_card_in_use
	apt_get_upgrade ccid-gadget gadget.conf
	assert "its program is told" [ "$(guest_end user 20)" != 0 ]
	wait_for 30 "a reader on the bus" guest_has_usb_reader
	installed_reader_works

	echo "booted again"
	boot_again
	wait_for 60 "a reader on the bus, by itself" guest_has_usb_reader
	reader_before_login
	installed_reader_works
	assert_contains "the journal" "plugged in as USB device 0e0f:0004" \
		"$(guest 'journalctl -b -o cat -u ccid-gadget')"
	is_short ccid-gadget

	echo "without a bridge"
	starts_without_bridge

	echo "apt purge"
	apt_get_purge ccid-gadget
	assert_fails "a reader on the bus" guest_has_usb_reader
	assert_equal "nothing in configfs" "" "$(guest 'ls /sys/kernel/config/usb_gadget')"
	assert_fails "the configuration is left" guest_try 'test -e /etc/ccid-relay'
	assert_no_stuck_task
	assert_kernel_quiet
}

# ---- the host's side ----

# bridge_client WORDS: a guest without USB, as the guest of the sample configuration, says them.
bridge_client()
{
	guest "printf '$1\n' | /build/tests/relay-client/relay-client ipc:///run/ccid-bridge/vm1.sock vm1 2>&1"
}

# The card behind pcscd, the bridge and its socket; counted there.
installed_bridge_works()
{
	local before said
	before=$(apdus_at_card)
	said=$(bridge_client 'wait present\nreaders\nconnect\ntransmit 00A404000BF0636369642D72656C617900') ||
		fail "through the bridge: $said"
	assert_contains "the host's reader" "Virtual PCD 0 00 00" "$said"
	assert_contains "the card's answer" "9000" "$said"
	assert "it reached the card" [ "$(apdus_at_card)" -gt "$before" ]
	assert "pcscd runs by then" is_active pcscd
}

bridge_doctor_says()
{
	grep -q -F -- "$1" <<<"$(guest 'ccid-bridge doctor || true')"
}

# Without the rule, and with another one before it, pcscd would still take root's word, but not the bridge's.
polkit_refuses()
{
	local rule=/usr/share/polkit-1/rules.d/ccid-bridge.rules other=/etc/polkit-1/rules.d/00-other.rules
	guest_try "mv $rule /root/"
	wait_for 20 "doctor's word" bridge_doctor_says \
		"problem  service: pcscd refuses user ccid-bridge: polkit's rule for it, $rule, is missing"
	guest_try "mv /root/ccid-bridge.rules $rule"
	wait_for 20 "the rule" bridge_doctor_says "ok       service: pcscd lets user ccid-bridge in"
	guest_try "echo 'polkit.addRule(function() { return polkit.Result.NO; });' >$other"
	wait_for 20 "doctor's word" bridge_doctor_says "is there: polkit doesn't run, or another rule is before it"
	guest_try "rm $other"
	wait_for 20 "the rule" bridge_doctor_says "ok       service: pcscd lets user ccid-bridge in"
}

# The story of ccid-bridge, with the pcscd of a machine that nobody sits at.
install_bridge_story()
{
	local story
	guest_boots_systemd
	systemd_reader
	systemd_card
	install_boot ccid-bridge
	assert "pcscd's socket" is_active pcscd.socket
	assert_equal "pcscd, which nobody has asked for" inactive "$(property pcscd ActiveState)"

	echo "apt install"
	apt_get_install ccid-bridge
	assert_equal "pcscd, still" inactive "$(property pcscd ActiveState)"

	echo "enable --now, and nothing else"
	guest_try 'systemctl enable --now ccid-bridge'
	assert "it runs" is_active ccid-bridge
	assert_equal "pcscd, before a guest is there" inactive "$(property pcscd ActiveState)"
	installed_bridge_works

	echo "an upgrade"
	apt_get_upgrade ccid-bridge bridge.conf
	installed_bridge_works

	echo "booted again"
	boot_again
	wait_for 60 "ccid-bridge, by itself" is_active ccid-bridge
	installed_bridge_works
	assert_contains "pcscd was started by its socket" "pcscd.socket" "$(property pcscd TriggeredBy)"
	assert_fails "polkit has refused something" guest_try 'journalctl -b -u pcscd | grep "NOT authorized"'
	story=$(guest 'journalctl -b -o cat -u ccid-bridge')
	assert_contains "the journal" "listening on ipc:///run/ccid-bridge/vm1.sock" "$story"
	assert_contains "the journal" "session open" "$story"
	is_short ccid-bridge

	echo "doctor, and what polkit says"
	assert "no problem" guest_try 'ccid-bridge doctor'
	[ "$GUEST_SUITE" = bookworm ] || polkit_refuses

	echo "apt purge"
	apt_get_purge ccid-bridge
	assert_fails "a socket is left" guest_try 'test -e /run/ccid-bridge'
	assert_fails "the configuration is left" guest_try 'test -e /etc/ccid-relay'
}
