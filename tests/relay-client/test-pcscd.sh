#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# test-pcscd.sh PROGRAMS...: the bridge and a pcscd that systemd starts when it is asked for, and that
# ends when it was idle for a minute; and another program's transaction that lasts longer than
# anybody's patience. See bridge-lib.sh.
#
# pcscd's minute (TIME_BEFORE_SUICIDE of its sources) makes this a slow test.

set -eu

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/bridge-lib.sh"

# As pcscd.socket and pcscd.service do it, with the options of Debian's service.
start_activation()
{
	rm -f /run/pcscd/*
	while :; do
		rm -f /run/pcscd/pcscd.comm
		systemd-socket-activate -l /run/pcscd/pcscd.comm \
			pcscd --foreground --debug --auto-exit --config "$work/reader.conf" || true
	done >>"$work/pcscd.log" 2>&1 &
	until_true 5 test -S /run/pcscd/pcscd.comm
}

pcscd_runs()
{
	pgrep -x pcscd >/dev/null
}

pcscd_is_gone()
{
	! pcscd_runs
}

# How many lines of its log have this.
pcscd_said()
{
	grep -a -c -F "$1" "$work/pcscd.log" || true
}

monitor_is_gone()
{
	[ -z "$(role_pids monitor)" ]
}

pcscd_threads()
{
	find "/proc/$(pgrep -x pcscd)/task" -mindepth 1 -maxdepth 1 | wc -l
}

# ---- what is tested ----

# Without a guest nothing asks for pcscd.
test_alone()
{
	start_activation
	start_bridge
	until_true 5 test -S "$work/run/bridge.sock"
	start_card
	sleep 3
	pcscd_is_gone || fail "the bridge started pcscd for nobody"
}

# A guest does: its readers are the host's.
test_guest()
{
	start_guest
	ask wait session = wait: session
	ask wait present = wait: present
	pcscd_runs || fail "no pcscd"
	[ "$(said 'pcscd does not answer')" = 0 ] || fail "a pcscd that was asked for did not answer"
}

# One guest has the card open, another one not yet, and a host program begins a transaction: both are
# told after 30 s that the card is busy. A worker that waits in SCardConnect costs pcscd one thread,
# however often the guest tries again.
test_busy()
{
	local threads apdus resets holder other
	ask connect = connect: ok
	ask "$looking" = transmit: ok
	apdus=$(logged 'ev=apdu-begin')
	"$exchange" begin + sleep 42000 + end >/dev/null &
	holder=$!
	sleep 1
	threads=$(pcscd_threads)
	printf '%s\n' 'wait present' connect connect |
		"$client" --limit 40 "ipc://$work/run/bridge.sock" vm3 >"$work/other.out" 2>>"$work/guest.log" &
	other=$!
	tell "send ${looking#* }"
	sleep 20
	tell answer
	expect 'transmit: card busy T=1'
	until_true 10 grep -qx 'connect: card busy ' "$work/other.out"
	[ "$(logged 'ev=apdu-begin')" = "$apdus" ] || fail "an APDU was sent"
	kill -0 "$holder" || fail "the transaction is over already"
	# The reset that this guest owes the card waits, too, and is not forgotten.
	resets=$(logged 'ev=reset')
	tell disconnect
	sleep 1
	is_logged 'ev=reset' "$resets" || fail "a reset in another program's transaction"
	# One for the other guest's context: it must not become two.
	[ "$(pcscd_threads)" = $((threads + 1)) ] || fail "$threads, then $(pcscd_threads) threads"
	wait "$holder" || fail "the host program"
	wait "$other" || fail "the other guest"
	tail -n 1 "$work/other.out" |
		grep -q '^connect: ok T=1 3B' || fail "$(cat "$work/other.out")"
	[ "$(logged 'ev=apdu-begin')" = "$apdus" ] || fail "an APDU was sent"
	expect 'disconnect: ok'
	is_logged 'ev=reset' $((resets + 1)) || fail "the card was not reset"
	ask connect = connect: ok
	ask "$looking" = transmit: ok
	ask disconnect = disconnect: ok
}

# While a guest is there, its monitor keeps pcscd; when the last one has gone, pcscd has its minute of
# peace and ends, and that is nobody's fault. (pcscd 1.9.9 sometimes doesn't end before one more client
# comes, since SIGALRM may reach any of its threads; so its decision is what counts.)
test_idle()
{
	local gone commands
	end_guest
	gone=$SECONDS
	until_true 15 monitor_is_gone
	pcscd_runs || fail "pcscd did not wait its minute"
	commands=$(pcscd_said 'Received command')
	until_true 75 pcscd_gives_up
	[ $((SECONDS - gone)) -ge 55 ] || fail "pcscd gave up after $((SECONDS - gone)) s"
	[ "$(said 'pcscd does not answer')" = 0 ] || fail "an idle pcscd that ends is no news"
	sleep 2
	[ "$(pcscd_said 'Received command')" = "$commands" ] || fail "somebody asked pcscd"
}

pcscd_gives_up()
{
	[ "$(pcscd_said 'Preparing for suicide')" -gt 0 ]
}

test_again()
{
	start_guest
	ask wait present = wait: present
	ask connect = connect: ok
	ask "$looking" = transmit: ok
	end_guest
	stop_bridge TERM
	[ "$bridge_status" = 0 ] || fail "SIGTERM: exit status $bridge_status"
}

command -v systemd-socket-activate >/dev/null || { echo "skipped: no systemd-socket-activate"; exit 77; }
prepare
for name in alone guest busy idle again; do
	echo "$name"
	"test_$name"
done
echo "all as expected"
