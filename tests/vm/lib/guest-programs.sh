# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The programs that a scenario runs in the guest, each under a name that is also the name of its
# log, guest-NAME.log in the results folder, and what can be asked about them and the guest's kernel.

# guest_start NAME COMMAND: a simple command, in the background. A shell stays with it to keep its
# exit status.
guest_start()
{
	guest "
		! kill -0 \$(cat /run/$1.pid 2>/dev/null) 2>/dev/null || { echo '$1 runs already'; exit 1; }
		rm -f /run/$1.pid /run/$1.status
		setsid bash -c '$2 & echo \$! >/run/$1.pid; wait \$!; echo \$? >/run/$1.status' \\
			</dev/null >>/results/guest$GUEST-$1.log 2>&1 &
		until [ -s /run/$1.pid ]; do sleep 0.02; done" || fail "cannot start $1 in the guest"
}

guest_runs()
{
	guest_try "kill -0 \$(cat /run/$1.pid)"
}

# guest_end NAME [SECONDS]: waits until it has ended; prints its exit status.
guest_end()
{
	guest "
		for i in \$(seq $((${2:-10} * 20))); do
			[ ! -s /run/$1.status ] || break
			sleep 0.05
		done
		cat /run/$1.status" || fail "not within ${2:-10} s: the end of $1 in the guest"
}

# guest_signal NAME SIGNAL
guest_signal()
{
	guest_try "kill -$2 \$(cat /run/$1.pid)" || fail "$1 does not run in the guest"
}

# guest_stop_program NAME: SIGTERM; prints its exit status.
guest_stop_program()
{
	guest_signal "$1" TERM
	guest_end "$1"
}

guest_kill_program()
{
	guest_signal "$1" KILL
	guest_end "$1" >/dev/null
}

# Debian 13's pcscd asks polkit, which needs a D-Bus that the guest does not have.
guest_pcscd_start()
{
	local option=
	[ "$GUEST_SUITE" = bookworm ] || option=--disable-polkit
	guest_start pcscd "pcscd --foreground --info $option"
	wait_for 10 "the guest's pcscd" guest_try "test -S /run/pcscd/pcscd.comm"
}

# The gadget reaches the bridge through a socket that the tunnel's guest end listens on.
guest_tunnel_start()
{
	guest_try "mkdir -p -m 0700 /run/ccid-gadget"
	guest_start tunnel \
		"socat UNIX-LISTEN:/run/ccid-gadget/bridge.sock,fork,unlink-early TCP:10.0.2.2:$(tunnel_port)"
	wait_for 10 "the tunnel's guest end" guest_try "test -S /run/ccid-gadget/bridge.sock"
}

# guest_gadget_config [READER-SECTION...]: writes the gadget's configuration; by default for the first
# of the two readers that vpcd makes.
guest_gadget_config()
{
	local reader
	[ $# -gt 0 ] || set -- 'reader "Virtual PCD 0 00 00" {}'
	{
		echo 'bridge = "ipc:///run/ccid-gadget/bridge.sock"'
		echo 'auth = none'
		echo "name = \"vm$GUEST\""
		for reader in "$@"; do
			echo "$reader"
		done
	} >"$RESULTS/gadget$GUEST.conf"
}

guest_load_usb()
{
	guest_try "modprobe dummy_hcd num=${1:-1}" || fail "dummy_hcd cannot be loaded in the guest"
}

# The gadget alone, for scenarios that choose the order themselves.
guest_gadget_start_only()
{
	[ -e "$RESULTS/gadget$GUEST.conf" ] || guest_gadget_config
	guest_start gadget "/build/gadget/ccid-gadget -c /results/gadget$GUEST.conf"
}

# Everything that the gadget needs, and the gadget.
guest_gadget_start()
{
	guest_load_usb
	guest_tunnel_start
	guest_gadget_start_only
}

# True when the guest's USB bus has a CCID interface (class 0B).
guest_has_usb_reader()
{
	guest_try "grep -q -x 0b /sys/bus/usb/devices/*/bInterfaceClass"
}

guest_lacks_usb_reader()
{
	! guest_has_usb_reader
}

# The names of the readers that the guest's pcscd knows, one per line. Not by opensc-tool, which opens
# each reader for that: while pcscd 1.9.9 is adding one, its SCardDisconnect() calls through a pointer
# that is still NULL.
guest_readers()
{
	guest "/build/tests/pcsc/watch --timeout 0" | sed -n 's/.* event=added reader="\(.*\)"$/\1/p'
}

# The ATR that a program in the guest gets from the first reader, in capitals without separators.
guest_atr()
{
	guest "opensc-tool --reader 0 --atr 2>/dev/null" | tr -d ': \n' | tr a-f A-F
}

# guest_apdu HEX...: sends APDUs by opensc-tool and prints what it prints.
guest_apdu()
{
	local apdu options=
	for apdu in "$@"; do
		options="$options -s $apdu"
	done
	guest "opensc-tool$options"
}

# Fails if the guest's pcscd or libccid has complained, which they must not where all goes well. (At
# this log level libccid says something of a command only if it has failed. "Can't remove client" is
# said when a client stops waiting for an event at the moment in which it comes.)
assert_drivers_quiet()
{
	local complaints
	complaints=$(grep -a -i -E "error|fail|can't|cannot|not transacted|timeout|commands\.c" \
		"$RESULTS/guest$GUEST-pcscd.log" | grep -a -v "Can't remove client" || true)
	[ -z "$complaints" ] || fail "the guest's pcscd complained:
$complaints"
}

# Nothing in the guest may hang in the kernel: fails if a task stays in state D over two seconds
# without being scheduled once. (A task that waits for a disk, or the hub's worker that debounces a
# port, is in D whenever one looks, but not in the same wait.) Their kernel stacks are shown.
assert_no_stuck_task()
{
	local stuck
	stuck=$(guest '
		waiting()
		{
			local task
			for task in $(ps -eLo state=,tid= | sed -n "s/^D *//p"); do
				awk -v task="$task" "/ctxt_switches/ { n += \$2 } END { print task, n }" \
					"/proc/$task/status" 2>/dev/null
			done
		}
		still=$(waiting)
		for i in 1 2 3 4 5 6 7 8 9 10; do
			[ -n "$still" ] || exit 0
			sleep 0.2
			still=$(waiting | grep -x -F -e "$still")
		done
		for task in $(echo "$still" | cut -d" " -f1); do
			echo "$task $(cat /proc/$task/comm)"
			cat /proc/$task/stack
		done
		true')
	[ -z "$stuck" ] || fail "tasks stuck in the guest's kernel:
$stuck"
}

# Fails if the guest's kernel has complained.
assert_kernel_quiet()
{
	local complaints
	complaints=$(grep -a -E 'WARNING:|BUG:|Oops|general protection|blocked for more|lockdep' \
		"$RESULTS/guest$GUEST-console.log" || true)
	[ -z "$complaints" ] || fail "the guest's kernel complained:
$complaints"
}
