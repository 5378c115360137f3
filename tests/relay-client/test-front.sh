#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# test-front.sh PROGRAMS...: the processes of the bridge that guests reach, under attack and killed,
# and its start and its end, as the guests see them. What happened to the card is read in the card's own
# log. See bridge-lib.sh.

set -eu

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/bridge-lib.sh"

abort='Assertion failed: sipc->inhdr [0] == NN_SIPC_MSG_NORMAL'

# ---- functions ----

# The front of the socket that the guest uses.
front_pid()
{
	pgrep -f -- "--internal-role front .*/bridge.sock" || true
}

front_is_new()
{
	[ -n "$(front_pid)" ] && [ "$(front_pid)" != "$1" ]
}

# kill_front: and waits for the next one.
kill_front()
{
	local before
	before=$(front_pid)
	kill -KILL "$before"
	until_true 5 front_is_new "$before"
}

alive()
{
	kill -0 "$1" 2>>"$work/shell.log"
}

said_more_than()
{
	[ "$(said "$1")" -gt "$2" ]
}

# attack NAME [COUNT]: and then, at once, a guest's call.
attack()
{
	"$bad_peer" "ipc://$work/run/bridge.sock" "$@" >>"$work/attacks.log" 2>&1 || fail "bad-peer $*"
	ask_within 2000 "$looking" = transmit: ok
}

# A guest that has not been there before gets its session, too.
new_guest_is_served()
{
	local answer
	answer=$(echo wait session | "$client" --limit 10 "ipc://$work/run/bridge.sock" vm2) ||
		fail "a new guest: $answer"
}

# calls_during COMMAND...: a guest's calls, while that runs.
calls_during()
{
	local worst=0 start took pid
	"$@" >>"$work/attacks.log" 2>&1 &
	pid=$!
	while alive "$pid"; do
		start=$(now)
		ask "$looking" = transmit: ok
		took=$(($(now) - start))
		[ "$took" -le "$worst" ] || worst=$took
	done
	wait "$pid" || fail "$*: $?"
	echo "  ${*##*/}: no call took more than $worst ms"
	[ "$worst" -le 2000 ] || fail "$*: a call took $worst ms"
}

# What can't be had is said in one line, and a bridge that runs is left alone.
# refused_start FOLDER TEXT: a start with its sockets there.
refused_start()
{
	local status=0
	sed "s,$work/run,$1,g" "$work/bridge.conf" >"$work/refused.conf"
	"$bridge" -c "$work/refused.conf" 2>"$work/refused.log" || status=$?
	[ "$status" = 1 ] || fail "$1: exit status $status"
	[ "$(wc -l <"$work/refused.log")" = 1 ] || fail "$1: $(cat "$work/refused.log")"
	grep -q -F "$2" "$work/refused.log" || fail "$1: $(cat "$work/refused.log")"
}

# ---- what is tested ----

test_start()
{
	start_pcscd
	start_card
	start_bridge
	until_true 5 test -S "$work/run/bridge.sock"
	start_guest
	ask wait present = wait: present
}

# The front knows nothing and may do nothing.
test_front_confined()
{
	local status
	status=/proc/$(front_pid)/status
	grep -q '^Uid:.65534.65534.65534.65534$' "$status" || fail "the front's user: $(cat "$status")"
	grep -q '^CapPrm:.0*$' "$status" || fail "the front has capabilities"
	grep -q '^NoNewPrivs:.1$' "$status" || fail "the front may gain privileges"
	grep -q '^Seccomp:.2$' /proc/"$(front_pid)"/task/*/status || fail "the front has no filter"
	! grep -L '^Seccomp:.2$' /proc/"$(front_pid)"/task/*/status | grep . || fail "not all threads"
	grep -q '^Max open files  *512 ' "/proc/$(front_pid)/limits" || fail "descriptors without bound"
	grep -q '^Max data size  *67108864 ' "/proc/$(front_pid)/limits" || fail "memory without bound"
	grep -q '^Max core file size  *0 ' "/proc/$(front_pid)/limits" || fail "the front may dump core"
	[ -z "$(tr -d '\0' <"/proc/$(front_pid)/environ")" ] || fail "the front has an environment"
	[ "$(readlink "/proc/$(front_pid)/cwd")" = / ] || fail "the front is in a folder"
	! readlink /proc/"$(front_pid)"/fd/* | grep -v -E '^(socket|anon_inode):|^/dev/null$' |
		grep -v -x "$work/bridge.log" || fail "the front has other descriptors"
}

# The guest's calls go on, the session too, and what ran is not run again.
test_kill_front()
{
	local verifies before looks round sessions
	sessions=$(said 'vm1: session open')
	ask connect = connect: ok
	verifies=$(logged 'ev=apdu-begin .* ins=20 ')
	control delay 1500
	tell "send ${verify#* }"
	until_true 5 is_logged 'ev=apdu-begin .* ins=20 ' $((verifies + 1))
	before=$(now)
	kill_front
	ask answer = transmit: ok T=1 9000
	echo "  answer $(($(now) - before)) ms after the kill, of a command of 1500 ms"
	[ $(($(now) - before)) -le 3500 ] || fail "that took too long"
	control delay 0
	is_logged 'ev=apdu-begin .* ins=20 ' $((verifies + 1)) || fail "the VERIFY was repeated"
	looks=$(logged 'ev=apdu-begin .* ins=A4 ')
	for round in 1 2 3 4 5; do
		kill -KILL "$(front_pid)"
		ask_within 2000 "$looking" = transmit: ok
		is_logged 'ev=apdu-begin .* ins=A4 ' $((looks + round)) || fail "an APDU was repeated"
	done
	[ "$(said 'vm1: session open')" = "$sessions" ] || fail "the session did not survive"
	ask disconnect = disconnect: ok
}

# What a peer can do to nanomsg 1.1.5 costs the other guests nothing but a pause.
test_attacks()
{
	local sessions looks
	sessions=$(said 'vm1: session open')
	ask connect = connect: ok
	looks=$(logged 'ev=apdu-begin .* ins=A4 ')
	sleep 2
	attack type
	attack publisher
	attack oversize
	attack storm 500
	attack descriptors 40
	new_guest_is_served
	attack half 50
	attack garbage 300
	is_logged 'ev=apdu-begin .* ins=A4 ' $((looks + 7)) || fail "an APDU was repeated"
	calls_during "$bad_peer" "ipc://$work/run/bridge.sock" storm 2000
	calls_during "$bad_peer" "ipc://$work/run/bridge.sock" idle 600
	calls_during "$bad_peer" "ipc://$work/run/bridge.sock" flood 200000
	"$bad_peer" "ipc://$work/run/bridge.sock" idle 600 >>"$work/attacks.log" 2>&1 &
	new_guest_is_served
	new_guest_is_served
	wait $! || fail "bad-peer idle"
	[ "$(said 'vm1: session open')" = "$sessions" ] || fail "the session did not survive"
	[ "$(said "$abort")" = 1 ] || fail "nanomsg does not abort; the attack is not what it was"
	ask disconnect = disconnect: ok
}

# A guest that attacks its own socket all the time harms nobody on another one.
test_attacks_elsewhere()
{
	local attacker
	ask connect = connect: ok
	"$bad_peer" "ipc://$work/run/other.sock" type 8 >>"$work/attacks.log" 2>&1 &
	attacker=$!
	until_true 5 said_more_than "$abort" 3
	for _ in 1 2 3 4 5; do
		ask_within 1000 "$looking" = transmit: ok
	done
	wait "$attacker" || fail "bad-peer"
	ask disconnect = disconnect: ok
}

# Core and worker are killed at once, so that nobody is left to reset the card: the next bridge does,
# before anybody gets it. (A shared connection of the host's keeps pcscd from powering it off.)
test_kill_all()
{
	local verifies resets pid all
	"$exchange" connect + sleep 12000 >/dev/null &
	pid=$!
	ask connect = connect: ok
	ask "$verify" = transmit: ok T=1 9000
	verifies=$(logged 'ev=apdu-begin .* ins=20 ')
	resets=$(logged "$verified")
	[ -s "$work/run/bridge.sock.used" ] || fail "the card is not noted"
	# All at once takes two steps: a running worker would see that core is dead.
	mapfile -t all < <(role_pids worker; role_pids monitor; role_pids front)
	kill -STOP "$bridge_pid" "${all[@]}"
	kill -KILL "$bridge_pid" "${all[@]}"
	wait "$bridge_pid" 2>>"$work/shell.log" || true
	until_true 5 nothing_is_left
	sleep 0.5
	is_logged "$verified" "$resets" || fail "somebody else has reset the card"
	start_bridge
	until_true 5 is_logged "$verified" $((resets + 1))
	ask wait no-session = wait: no-session
	ask wait present = wait: present
	[ "$(said 'the bridge before this one left the card used; it is reset')" -ge 1 ] ||
		fail "the reset was not said"
	ask connect = connect: ok
	kill "$pid" || true
	wait "$pid" || true
	is_logged 'ev=apdu-begin .* ins=20 ' "$verifies" || fail "the VERIFY was repeated"
	ask disconnect = disconnect: ok
}

# A bridge that is started in the moment in which another one was killed takes its place.
test_start_at_once()
{
	local before round listened
	listened=$(said 'listening on ')
	for round in 1 2 3 4 5 6; do
		before=$(front_pid)
		stop_bridge KILL
		start_bridge
		until_true 5 front_is_new "$before"
		until_true 5 said_more_than 'listening on ' $((listened + 2 * round - 1))
	done
	ask wait no-session = wait: no-session
	ask wait present = wait: present
}

test_refused_starts()
{
	mkdir -m 0777 "$work/open"
	chmod 0777 "$work/open"
	refused_start "$work/open" "others can write to the folder $work/open"
	refused_start /proc/bridge "can't make the folder /proc/bridge: No such file or directory"
	mkdir -m 0700 "$work/file"
	echo precious >"$work/file/bridge.sock"
	refused_start "$work/file" "$work/file/bridge.sock exists and is not a socket"
	[ "$(cat "$work/file/bridge.sock")" = precious ] || fail "a file was lost"
	mkdir "$work/full"
	mount -t tmpfs -o mode=0700,size=8k tmpfs "$work/full"
	head -c 8192 /dev/zero >"$work/full/zeros"
	refused_start "$work/full" "used cards $work/full/bridge.sock.used can't be kept: No space left"
	[ "$(ls -A "$work/full")" = zeros ] || fail "something was left: $(ls -A "$work/full")"
	umount "$work/full"
}

# The guest hears of the end at once, long before the card is done and the bridge is gone.
test_stop_while_running()
{
	local verifies
	ask connect = connect: ok
	verifies=$(logged 'ev=apdu-begin .* ins=20 ')
	control delay 2000
	tell "send ${verify#* }"
	until_true 5 is_logged 'ev=apdu-begin .* ins=20 ' $((verifies + 1))
	kill -TERM "$bridge_pid"
	ask_within 500 answer = transmit: outcome unknown
	wait "$bridge_pid" || fail "exit status $?"
	control delay 0
	is_logged 'ev=apdu-begin .* ins=20 ' $((verifies + 1)) || fail "the VERIFY was repeated"
	nothing_is_left || fail "processes were left"
}

prepare
for name in start front_confined kill_front attacks attacks_elsewhere kill_all start_at_once \
	refused_starts stop_while_running
do
	echo "$name"
	"test_$name"
done
! grep -E 'Sanitizer|runtime error|Assertion' "$work/bridge.log" | grep -v -F "$abort" || fail "a defect"
[ "$(said 'hangs; it is killed')" = 0 ] || fail "a front did not answer"
echo "all as expected"
