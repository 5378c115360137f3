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
}

# A driver that was refused the card doesn't try again by itself: when it is free, it is inserted anew.
test_comeback()
{
	local before
	"$exchange" --share exclusive connect + sleep 5500 >/dev/null &
	sleep 0.5
	before=$(insertion)
	ask connect = connect: card busy
	ask sleep 4000 = sleep:
	[ "$(insertion)" = "$before" ] || fail "the card is back, and another program has it"
	wait $! || fail "the host program"
	ask sleep 3000 = sleep:
	[ "$(insertion)" = $((before + 1)) ] || fail "insertion $before, then $(insertion)"
	ask connect = connect: ok
	ask disconnect = disconnect: ok
	ask sleep 3000 = sleep:
	[ "$(insertion)" = $((before + 1)) ] || fail "insertion $before, then $(insertion)"
}

# The insertion number of the guest's only reader.
insertion()
{
	local line
	tell readers
	expect 'readers: '
	read -r -t 5 line <&"${guest[0]}"
	line=${line#*insertion=}
	echo "${line%% *}"
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

test_second_start()
{
	local status=0
	"$bridge" -c "$work/bridge.conf" 2>"$work/second.log" || status=$?
	[ "$status" = 1 ] || fail "the second start ended with $status"
	grep -q "another ccid-bridge is listening on $work/run/bridge.sock" "$work/second.log" ||
		fail "$(cat "$work/second.log")"
	ask "$looking" = transmit: ok
}

test_refusals()
{
	local refused
	refused=$(echo wait session | "$client" --limit 2 "ipc://$work/run/bridge.sock" vm9) || true
	[ "$refused" = 'refused: 2 no guest "vm9" in the bridge'"'"'s configuration' ] ||
		fail "vm9: $refused"
	# One that has a key is not believed without it.
	refused=$(echo wait session | "$client" --limit 2 "ipc://$work/run/bridge.sock" keyed) || true
	[ "$refused" = 'refused: 2 guest "keyed" must have a bridge-key in its configuration, instead of'\
' auth = none' ] || fail "keyed: $refused"
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
}

# No data at the most talkative level: neither the PIN nor the ATR is in the log.
test_log()
{
	! grep -i -E '313233343536|123456|3B98|3B 98' "$work/bridge.log" || fail "data in the log"
	grep -q 'transmit, 11 bytes: 2 bytes after' "$work/bridge.log" || fail "no call in the log"
	! grep -E 'Sanitizer|runtime error|Assertion' "$work/bridge.log" || fail "a defect"
}

test_configuration()
{
	local status=0 said
	sed 's/^guest "vm2".*/bogus = 1/' "$work/bridge.conf" >"$work/bad.conf"
	said=$("$bridge" -c "$work/bad.conf" 2>&1) || status=$?
	[ "$status: $said" = "78: $work/bad.conf:4: no such option 'bogus'" ] || fail "$status: $said"
	said=$("$bridge" -c "$work/bridge.conf" check-config) || fail "check-config"
	[ "$said" = "$work/bridge.conf: configuration OK" ] || fail "$said"
	status=0
	said=$("$bridge" --internal-role monitor 2>&1) || status=$?
	[ "$status" = 64 ] || fail "a role by hand: $status: $said"
}

prepare
for name in start disposition host_program comeback removal kill_worker kill_monitor restart_pcscd \
	other_version kill_core second_start refusals versions end log configuration
do
	echo "$name"
	"test_$name"
done
echo "all as expected"
