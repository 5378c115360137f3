# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Both daemons under their own units in one machine: what the scenarios systemd-* do.

# The reader that Debian's pcscd gets in the guest.
systemd_reader()
{
	local drivers=$RESULTS/guest-root/usr/lib/pcsc/drivers/serial
	mkdir -p "$drivers" "$RESULTS/guest-root/etc/reader.conf.d"
	cp "$VM/vpcd/libifdvpcd.so" "$drivers/"
	cat >"$RESULTS/guest-root/etc/reader.conf.d/vpcd" <<'END'
FRIENDLYNAME "Virtual PCD 0"
DEVICENAME /dev/null:0x8C7B
LIBPATH /usr/lib/pcsc/drivers/serial/libifdvpcd.so
CHANNELID 0x8C7B
END
}

# What the administrator would write.
systemd_configure()
{
	local name etc=$RESULTS/guest-root/usr/local/etc/ccid-relay
	mkdir -p "$etc"
	cat >"$etc/bridge.conf" <<'END'
listen = { "ipc:///run/ccid-bridge/vm1.sock" }
guest "vm1" { auth = none readers = { "Virtual PCD 0 00 00" } }
guest "another" { key = "MeAwP9ZBjS+MDni5HyLoyu0Pvkhlbc9HZ+SDT3Abj2I=" readers = { "*" } }
END
	"$HOST_PROGRAMS/host-bridge/ccid-bridge" genkey "$etc/bridge.key" >/dev/null
	cat >"$etc/gadget.conf" <<'END'
bridge = "ipc:///run/ccid-gadget/bridge.sock"
auth = none
name = "vm1"
reader "*" {}
END

	# A daemon that hangs is to be noticed sooner than the units say.
	for name in ccid-gadget ccid-bridge; do
		mkdir -p "$RESULTS/guest-root/etc/systemd/system/$name.service.d"
		printf '[Service]\nWatchdogSec=12\n' \
			>"$RESULTS/guest-root/etc/systemd/system/$name.service.d/test.conf"
	done
}

# The card of that reader, which is no part of what is installed.
systemd_card()
{
	mkdir -p "$RESULTS/guest-root/etc/systemd/system"
	cat >"$RESULTS/guest-root/etc/systemd/system/card.service" <<'END'
[Unit]
After=guest-init.service
[Service]
ExecStartPre=/bin/sh -c 'until [ -x /build/tests/card/card ]; do sleep 0.1; done'
ExecStart=/build/tests/card/card --card 35963:t1 --log /results/card.log --control /run/card.sock
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
END
	systemctl --root="$RESULTS/guest-root" enable card 2>>"$RESULTS/install.log"
}

# A tunnel from this machine to itself.
systemd_tunnel()
{
	cat >"$RESULTS/guest-root/etc/systemd/system/tunnel.service" <<'END'
[Unit]
After=systemd-tmpfiles-setup.service
[Service]
ExecStart=/usr/bin/socat UNIX-LISTEN:/run/ccid-gadget/bridge.sock,fork,unlink-early UNIX-CONNECT:/run/ccid-bridge/vm1.sock
UMask=0177
[Install]
WantedBy=multi-user.target
END
	systemctl --root="$RESULTS/guest-root" enable tunnel 2>>"$RESULTS/install.log"
}

# property UNIT NAME
property()
{
	guest "systemctl show -P $2 $1"
}

is_active()
{
	[ "$(property "$1" ActiveState)" = active ]
}

# restarted UNIT TIMES: it runs again, after that many restarts
restarted()
{
	[ "$(property "$1" NRestarts)" = "$2" ] && is_active "$1"
}

# status_of PID FIELD: of /proc/PID/status, of all threads
status_of()
{
	guest "sed -n 's/^$2:[[:space:]]*//p' /proc/$1/task/*/status" | tr '\t' ' ' | sort -u
}

# assert_unprivileged WHAT PID USER
assert_unprivileged()
{
	local id
	id=$(guest "id -u $3")
	assert "user $3 is not root" [ "$id" -gt 0 ]
	assert_equal "$1: user" "$id $id $id $id" "$(status_of "$2" Uid)"
	assert_equal "$1: capabilities" 0000000000000000 "$(status_of "$2" CapEff)"
	assert_equal "$1: those that it may get" 0000000000000000 "$(status_of "$2" CapPrm)"
	assert_equal "$1: no new privileges" 1 "$(status_of "$2" NoNewPrivs)"
	assert_equal "$1: filtered system calls" 2 "$(status_of "$2" Seccomp)"
}

# An APDU that finds the reader's old session gone fails, and the next is good: hence wait_for.
reader_is_usable()
{
	guest_try "/build/tests/pcsc/exchange --wait 25 --reader '*VMware*' loop 3"
}

systemd_after_boot()
{
	local before
	echo "after the boot"
	wait_for 60 "ccid-bridge" is_active ccid-bridge
	wait_for 30 "ccid-gadget" is_active ccid-gadget
	wait_for 30 "a reader on the bus" guest_has_usb_reader
	before=$(apdus_at_card)
	assert "APDUs through the relay" reader_is_usable
	assert "they reached the card" [ "$(apdus_at_card)" -ge $((before + 3)) ]
	assert_contains "ccid-gadget's word to systemd" "connected, 1 readers" "$(property ccid-gadget StatusText)"
	assert_contains "ccid-bridge's" "listening" "$(property ccid-bridge StatusText)"
	assert "the virtual ports that modprobe.d says" [ "$(guest 'ls /sys/class/udc | wc -l')" = 4 ]
}

systemd_rights()
{
	local daemon maker pid
	echo "users and rights"
	daemon=$(property ccid-gadget MainPID)
	maker=$(guest 'pgrep -x ccid-gadget-usb')
	assert_unprivileged ccid-gadget "$daemon" ccid-gadget
	assert_equal "its other half: SYS_ADMIN, CHOWN" 0000000000200001 "$(status_of "$maker" CapEff)"
	for pid in $(guest 'cat /sys/fs/cgroup/system.slice/ccid-bridge.service/cgroup.procs'); do
		assert_unprivileged "ccid-bridge, process $pid" "$pid" ccid-bridge
	done
	for pid in ccid-bridge ccid-gadget; do
		assert_equal "$pid: bytes that may be swapped out" 0 \
			"$(guest "cat /sys/fs/cgroup/system.slice/$pid.service/memory.swap.max")"
	done
	assert "the bridge's key is locked into memory" \
		[ "$(status_of "$(property ccid-bridge MainPID)" VmLck | tr -dc 0-9)" -gt 0 ]
	assert_equal "the bridge's key" "ccid-bridge 600" "$(guest 'stat -c "%U %a" /usr/local/etc/ccid-relay/bridge.key')"
	assert "root can still show its public half" guest_try 'ccid-bridge pubkey'
	assert_contains "its doctor" "key file: /usr/local/etc/ccid-relay/bridge.key can be used" \
		"$(guest 'ccid-bridge doctor || true')"
	assert_equal "the tunnel's socket" "ccid-gadget 600" "$(guest 'stat -c "%U %a" /run/ccid-gadget/bridge.sock')"
}

systemd_kills()
{
	echo "kill -9"
	guest_try 'systemctl kill --kill-whom=main -s KILL ccid-gadget'
	wait_for 30 "ccid-gadget, again" restarted ccid-gadget 1
	wait_for 30 "APDUs after it" reader_is_usable
	guest_try 'systemctl kill --kill-whom=main -s KILL ccid-bridge'
	wait_for 30 "ccid-bridge, again" restarted ccid-bridge 1
	wait_for 30 "APDUs after it" reader_is_usable
}

systemd_hangs()
{
	echo "a daemon that hangs"
	guest_try 'systemctl kill --kill-whom=main -s STOP ccid-gadget ccid-bridge'
	wait_for 45 "ccid-gadget, again" restarted ccid-gadget 2
	wait_for 45 "ccid-bridge, again" restarted ccid-bridge 2
	wait_for 30 "APDUs after it" reader_is_usable
}

systemd_end()
{
	local story line
	echo "the end"
	guest_try 'systemctl stop ccid-gadget ccid-bridge'
	assert_equal "ccid-gadget's result" success "$(property ccid-gadget Result)"
	assert_equal "ccid-bridge's result" success "$(property ccid-bridge Result)"
	assert_equal "nothing in configfs" "" "$(guest 'ls /sys/kernel/config/usb_gadget')"
	assert_fails "a reader on the bus" guest_has_usb_reader

	story=$(guest 'journalctl -b -o cat -u ccid-gadget; journalctl -b -o cat -u ccid-bridge')
	for line in "running as user ccid-gadget" "connected to ipc:///run/ccid-gadget/bridge.sock" \
		"plugged in as USB device 0e0f:0004" "Watchdog timeout" "stopping on signal 15" \
		"listening on ipc:///run/ccid-bridge/vm1.sock" "not shown to guests" "session open"; do
		assert_contains "the journal" "$line" "$story"
	done
	assert_fails "a line that was refused to the units" grep -E "Operation not permitted|Permission denied" <<<"$story"
	assert_no_stuck_task
	assert_kernel_quiet
}

systemd_story()
{
	guest_systemd ccid-gadget ccid-bridge
	systemd_reader
	systemd_card
	systemd_configure
	systemd_tunnel
	guest_boot
	systemd_after_boot
	systemd_rights
	systemd_kills
	systemd_hangs
	systemd_end
}
