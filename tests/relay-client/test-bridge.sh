#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# test-bridge.sh PROGRAMS...: the bridge between relay-client, a guest without USB, and the scripted
# card in a real pcscd. What happened to the card is read in the card's own log. See bridge-lib.sh.

set -eu

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/bridge-lib.sh"

# ---- what is tested ----

# Nothing is there: one line each, and it all comes.
test_start()
{
	start_bridge
	until_true 5 test -S "$work/run/bridge.sock"
	start_guest
	ask wait session = wait: session
	ask wait no-service = wait: no-service
	sleep 2
	[ "$(said 'pcscd does not answer; waiting for it')" = 1 ] || fail "not said once"
	start_pcscd
	ask wait service = wait: service
	ask wait absent = wait: absent
	ask connect = connect: no card
	start_card
	ask wait present = wait: present
	[ "$(said 'pcscd answers')" = 1 ] || fail "not said once"
	[ "$(stat -c %a "$work/run")" = 700 ] || fail "the folder is open to others"
	[ "$(stat -c %a "$work/run/bridge.sock")" = 600 ] || fail "the socket is open to others"
}

# A card that was used is reset when it is given up; one that was not is left alone.
test_disposition()
{
	ask connect = connect: ok T=1 3B
	ask disconnect = disconnect: ok
	is_logged 'ev=reset' 0 || fail "an unused card was reset"
	ask connect = connect: ok
	ask "$verify" = transmit: ok T=1 9000
	ask disconnect = disconnect: ok
	is_logged "$verified" 1 || fail "the PIN state was left"
	ask "$verify" = transmit: not connected
	is_logged 'ev=apdu-begin .* ins=20 ' 1 || fail "a VERIFY without a handle"
	ask connect t0 = connect: ok T=0
	ask connect leave t1 = connect: protocol mismatch T=0
	ask connect unpower t0 = connect: ok T=0
	ask connect reset t1 = connect: ok T=1
	ask disconnect = disconnect: ok
}

test_host_program()
{
	ask connect = connect: ok
	ask "$looking" = transmit: ok
	"$exchange" connect + reset warm >/dev/null || fail "the host program"
	ask "$looking" = transmit: card reset T=1
	ask "$looking" = transmit: card reset T=1
	ask connect leave = connect: ok
	"$exchange" begin + sleep 1500 + end >/dev/null &
	sleep 0.5
	ask "$looking" = transmit: ok
	wait $! || fail "the host program"
	ask disconnect = disconnect: ok
	"$exchange" --share exclusive connect + sleep 1500 >/dev/null &
	sleep 0.5
	ask connect = connect: card busy
	wait $! || fail "the host program"
}

test_removal()
{
	ask connect = connect: ok
	control delay 2000
	tell send 0084000008
	until_true 5 is_logged 'ev=apdu-begin .* ins=84 ' 1
	control remove
	ask answer = transmit: card error
	ask wait absent = wait: absent
	ask connect = connect: no card
	control delay 0
	control insert
	ask wait present = wait: present
	ask "$looking" = transmit: not connected
	ask connect = connect: ok
	ask disconnect = disconnect: ok
}

# Each process may be killed: no APDU runs twice, and no PIN state is left.
test_kill_worker()
{
	local verifies resets
	ask connect = connect: ok
	ask "$verify" = transmit: ok T=1 9000
	resets=$(logged "$verified")
	kill -KILL "$(role_pids worker)"
	until_true 5 is_logged "$verified" $((resets + 1))
	ask "$looking" = transmit: not connected
	ask connect = connect: ok
	verifies=$(logged 'ev=apdu-begin .* ins=20 ')
	control delay 1500
	tell "send ${verify#* }"
	until_true 5 is_logged 'ev=apdu-begin .* ins=20 ' $((verifies + 1))
	kill -KILL "$(role_pids worker)"
	ask answer = transmit: outcome unknown
	control delay 0
	until_true 5 is_logged "$verified" $((resets + 2))
	ask connect = connect: ok
	is_logged 'ev=apdu-begin .* ins=20 ' $((verifies + 1)) || fail "the VERIFY was repeated"
	ask disconnect = disconnect: ok
}

# now: milliseconds of a clock that nobody sets.
now()
{
	local up rest
	read -r up rest </proc/uptime
	echo $((${up%.*} * 1000 + 10#${up#*.} * 10))
}

# ask_within MILLISECONDS COMMAND = RESULT
ask_within()
{
	local limit=$1 start took
	shift
	start=$(now)
	ask "$@"
	took=$(($(now) - start))
	echo "  $* after $took ms"
	[ "$took" -le "$limit" ] || fail "that took $took ms"
}

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

# The guest's calls go on, the session too, and what ran is not run again.
test_kill_front()
{
	local verifies before looks round sessions
	sessions=$(said 'session open')
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
	[ "$(said 'session open')" = "$sessions" ] || fail "the session did not survive"
	ask disconnect = disconnect: ok
}

# attack NAME [COUNT]: and then, at once, a guest's call.
attack()
{
	"$bad_peer" "ipc://$work/run/bridge.sock" "$@" >>"$work/attacks.log" 2>&1 || fail "bad-peer $*"
	ask_within 2000 "$looking" = transmit: ok
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

alive()
{
	kill -0 "$1" 2>>"$work/shell.log"
}

# What a peer can do to nanomsg 1.1.5 costs the other guests nothing but a pause.
test_attacks()
{
	local sessions looks
	sessions=$(said 'session open')
	ask connect = connect: ok
	looks=$(logged 'ev=apdu-begin .* ins=A4 ')
	sleep 2
	attack type
	attack publisher
	attack oversize
	attack storm 500
	attack descriptors 40
	attack half 50
	attack garbage 300
	is_logged 'ev=apdu-begin .* ins=A4 ' $((looks + 7)) || fail "an APDU was repeated"
	calls_during "$bad_peer" "ipc://$work/run/bridge.sock" storm 2000
	calls_during "$bad_peer" "ipc://$work/run/bridge.sock" idle 600
	calls_during "$bad_peer" "ipc://$work/run/bridge.sock" flood 200000
	[ "$(said 'session open')" = "$sessions" ] || fail "the session did not survive"
	[ "$(said "$abort")" = 1 ] || fail "nanomsg does not abort; the attack is not what it was"
	ask disconnect = disconnect: ok
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
	[ -z "$(tr -d '\0' <"/proc/$(front_pid)/environ")" ] || fail "the front has an environment"
	[ "$(readlink "/proc/$(front_pid)/cwd")" = / ] || fail "the front is in a folder"
	! readlink /proc/"$(front_pid)"/fd/* | grep -v -E '^(socket|anon_inode):|^/dev/null$' |
		grep -v -x "$work/bridge.log" || fail "the front has other descriptors"
}

said_more_than()
{
	[ "$(said "$1")" -gt "$2" ]
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

test_kill_monitor()
{
	local before
	before=$(role_pids monitor)
	kill -KILL "$before"
	until_true 5 monitor_is_new "$before"
	control remove
	ask wait absent = wait: absent
	control insert
	ask wait present = wait: present
}

monitor_is_new()
{
	[ -n "$(role_pids monitor)" ] && [ "$(role_pids monitor)" != "$1" ]
}

test_restart_pcscd()
{
	ask connect = connect: ok
	ask "$looking" = transmit: ok
	kill "$pcscd_pid"
	ask wait no-service = wait: no-service
	ask "$looking" = transmit: service gone
	ask connect = connect: service gone
	start_pcscd
	ask wait present = wait: present
	ask "$looking" = transmit: not connected
	ask connect = connect: ok
	ask "$looking" = transmit: ok
}

# pcscd was updated: nobody can talk to it until our processes have the libpcsclite of its version.
test_other_version()
{
	local other deaths
	deaths=$(said 'the worker died')$(said 'monitor process died')
	kill "$pcscd_pid"
	ask wait no-service = wait: no-service
	"$other_pcscd" /run/pcscd/pcscd.comm &
	other=$!
	until_true 10 said_times 1 "pcscd is of a version that the installed libpcsclite can't talk to"
	until_true 10 said_times 2 'monitor: pcscd: SCARD_E_SERVICE_STOPPED'
	ask connect = connect: service gone
	ask connect = connect: service gone
	until_true 5 worker_is_gone
	said_times 1 "pcscd is of a version" || fail "said again"
	[ "$(said 'the worker died')$(said 'monitor process died')" = "$deaths" ] || fail "a death"
	kill "$other"
	start_pcscd
	ask wait present = wait: present
	ask connect = connect: ok
	ask "$looking" = transmit: ok
}

said_times()
{
	[ "$(said "$2")" = "$1" ]
}

worker_is_gone()
{
	[ -z "$(role_pids worker)" ]
}

# The card is open and used: core is killed, the worker gives it up, and the next core serves it.
test_kill_core()
{
	local resets
	ask "$verify" = transmit: ok T=1 9000
	resets=$(logged "$verified")
	stop_bridge KILL
	until_true 5 is_logged "$verified" $((resets + 1))
	until_true 5 nothing_is_left
	start_bridge
	ask wait no-session = wait: no-session
	ask wait session = wait: session
	ask wait present = wait: present
	ask connect = connect: ok
}

# Core and worker are killed at once, so that nobody is left to reset the card: the next bridge does,
# before anybody gets it. (A shared connection of the host's keeps pcscd from powering it off.)
test_kill_all()
{
	local verifies resets pid all
	"$exchange" connect + sleep 12000 >/dev/null &
	pid=$!
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
	ask connect = connect: ok
}

# Of all processes that core has started.
nothing_is_left()
{
	[ -z "$(role_pids front)$(role_pids monitor)$(role_pids worker)$(role_pids cleaner)" ]
}

test_second_start()
{
	local status=0
	"$bridge" -c "$work/bridge.conf" 2>"$work/second.log" || status=$?
	[ "$status" = 1 ] || fail "the second start ended with $status"
	grep -q "another ccid-bridge is listening on $work/run/bridge.sock" "$work/second.log" ||
		fail "$(cat "$work/second.log")"
	ask "$looking" = transmit: ok
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

test_refusals()
{
	local refused
	refused=$(echo wait session | "$client" --limit 2 "ipc://$work/run/bridge.sock" vm9) || true
	[ "$refused" = 'refused: 2 no guest "vm9" in the bridge'"'"'s configuration' ] ||
		fail "vm9: $refused"
	refused=$(printf 'wait service\nreaders\nconnect\n' |
		"$client" --limit 5 "ipc://$work/run/bridge.sock" vm2 | tail -n 2)
	[ "$refused" = "readers: version 1, service 1, 0 readers
connect: reader gone " ] || fail "vm2: $refused"
}

# Another major version: either side says what both are, and the other one reads it.
test_versions()
{
	local answer pid hello refusal
	hello=0201050000000000000000000000000000
	answer=$("$raw_frame" guest "ipc://$work/run/bridge.sock" "$hello") || fail "no answer"
	[ "${answer#REFUSED session=0000000000000000 major=1 minor=0 reason=version(1) incarnation=0}" = \
		" text='the bridge speaks version 1.0 of the relay's protocol, the guest version 2.5: \
update the older one'" ] || fail "$answer"
	[ "$(said 'the guest version 2.5')" = 1 ] || fail "not said once"
	refusal=0203070000000000000000000100000000$(printf %02x 9)$(printf '2.7, 1.0!' | od -An -tx1 |
		tr -d ' ')
	"$raw_frame" bridge "ipc://$work/newer.sock" "${refusal}EEEE" &
	pid=$!
	answer=$(echo wait session | "$client" --limit 3 "ipc://$work/newer.sock" vm1) || true
	kill "$pid"
	[ "$answer" = 'refused: 1 2.7, 1.0!' ] || fail "a bridge of version 2.7: $answer"
}

# A guest that ends gives up its card, and so does a bridge that ends.
test_end()
{
	local resets
	ask "$verify" = transmit: ok T=1 9000
	resets=$(logged "$verified")
	end_guest
	until_true 5 is_logged "$verified" $((resets + 1))
	start_guest
	ask wait present = wait: present
	ask connect = connect: ok
	ask "$verify" = transmit: ok T=1 9000
	stop_bridge TERM
	[ "$bridge_status" = 0 ] || fail "SIGTERM: exit status $bridge_status"
	is_logged "$verified" $((resets + 2)) || fail "the PIN state was left"
	[ ! -e "$work/run/bridge.sock" ] || fail "the socket was left"
	nothing_is_left || fail "processes were left"
	[ -z "$(ls -A "$work/run")" ] || fail "$(ls -A "$work/run") was left"
	ask_within 200 wait no-session = wait: no-session
	ask "$looking" = transmit: no session
	start_bridge
	ask wait present = wait: present
	ask connect = connect: ok
	test_stop_while_running
}

# The guest hears of the end at once, long before the card is done and the bridge is gone.
test_stop_while_running()
{
	local verifies
	verifies=$(logged 'ev=apdu-begin .* ins=20 ')
	control delay 2000
	tell "send ${verify#* }"
	until_true 5 is_logged 'ev=apdu-begin .* ins=20 ' $((verifies + 1))
	kill -TERM "$bridge_pid"
	ask_within 1000 answer = transmit: outcome unknown
	wait "$bridge_pid" || fail "exit status $?"
	control delay 0
	is_logged 'ev=apdu-begin .* ins=20 ' $((verifies + 1)) || fail "the VERIFY was repeated"
	nothing_is_left || fail "processes were left"
}

# No data at the most talkative level: neither the PIN nor the ATR is in the log.
test_log()
{
	! grep -i -E '313233343536|123456|3B98|3B 98' "$work/bridge.log" || fail "data in the log"
	grep -q 'transmit, 11 bytes: 2 bytes after' "$work/bridge.log" || fail "no call in the log"
	! grep -E 'Sanitizer|runtime error|Assertion' "$work/bridge.log" | grep -v -F "$abort" ||
		fail "a defect"
}

test_configuration()
{
	local status=0 said
	sed 's/^guest "vm2".*/bogus = 1/' "$work/bridge.conf" >"$work/bad.conf"
	said=$("$bridge" -c "$work/bad.conf" 2>&1) || status=$?
	[ "$status: $said" = "78: $work/bad.conf:4: no such option 'bogus'" ] || fail "$status: $said"
	said=$("$bridge" -c "$work/bridge.conf" check-config) || fail "check-config"
	[ "$said" = "configuration OK" ] || fail "$said"
	status=0
	said=$("$bridge" --internal-role monitor 2>&1) || status=$?
	[ "$status" = 64 ] || fail "a role by hand: $status: $said"
}

prepare
for name in start disposition host_program removal front_confined kill_front attacks attacks_elsewhere \
	kill_worker kill_monitor restart_pcscd other_version kill_core kill_all second_start refused_starts \
	refusals versions end log configuration
do
	echo "$name"
	"test_$name"
done
echo "all as expected"
