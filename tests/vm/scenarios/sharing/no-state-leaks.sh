# SPDX-License-Identifier: BSD-3-Clause
#
# What a guest has opened with a PIN is closed when the next one gets the card, in whatever way the
# guest, the relay or the host's pcscd comes to its end.
#
# Host:    a card, share = transaction. A program stays connected to the card all the time, so that
#          pcscd never powers it off by itself; after each end another one asks for a signature.
# Guest:   a program selects, verifies and signs; then the card is let go in each way that there is:
#          by the disposition of SCardDisconnect, by the death of the program, of pcscd, of
#          ccid-gadget and of the whole machine, by a link that is cut for longer than the lease, by the
#          end of the bridge, in order, by its parts and at once, and by a restart of the host's pcscd.
# Asserts: each time the card's log has the end of a PIN state, by a reset or a loss of power, and then a
#          SIGN that it refuses: the host's program is answered 6982. A guest that only looks at the
#          ATR disturbs nobody: a program of the host that has verified can sign afterwards, and
#          nothing has reset the card.
#
# The same deaths in the midst of a VERIFY, and with the next program in the guest: faults/verify-*. The
# guest's PIN state and exclusive: modes. What others do to a guest's card: faults/table-of-the-*.
#
# Limit: 300

program=
EXCHANGE=/build/tests/pcsc/exchange

# What ended a PIN state at the card: the card's log says of each reset whether there was one.
states_ended()
{
	grep -c 'verified=1' "$RESULTS/card.log" || true
}

state_is_over()
{
	[ "$(states_ended)" -gt "$ended" ]
}

onlooker_start()
{
	process_start onlooker "$HOST_EXCHANGE" --wait 15 connect + sleep 600000
	wait_for 15 "the host's onlooker" log_has onlooker "connect: ok"
}

# The reset may come between its connect and its SIGN: then it comes again.
next_is_refused()
{
	local output
	output=$(host_exchange sign expect 6982 || true)
	echo "$output" >>"$RESULTS/next.log"
	! grep -q -F "outcome=9000" <<<"$output" || fail "$way: the next one signs with the guest's PIN"
	grep -q -F "exchange: ok" <<<"$output"
}

# What the card says of the last APDU: INS, and the answer.
last_at_card()
{
	sed -n 's/.* ev=apdu-begin .* ins=\(..\) .*/\1/p; s/.* ev=apdu-end .* sw=\(....\) .*/\1/p' \
		"$RESULTS/card.log" | tail -n 2 | xargs
}

# The program of the way before is ended, and the guest has found out what became of the card since.
recover()
{
	[ -z "$program" ] || guest_try "kill -KILL \$(cat /run/$program.pid)" || true
	program=
	wait_for 40 "$way: the guest's use of the card" guest_try "$EXCHANGE --wait 10 select"
	ended=$(states_ended)
}

# use [EXCHANGE-OPTION...]: the guest's program, from its connect to its disconnect
use()
{
	recover
	guest_within 60 "$EXCHANGE --wait 20 $* select + verify 123456 + sign" >>"$RESULTS/use.log" ||
		fail "$way: the guest's program"
	let_go=$(date +%s%3N)
}

# use_on NAME: the guest's program stays connected
use_on()
{
	recover
	program=$1
	guest_start "$1" "$EXCHANGE --wait 20 select + verify 123456 + sign + sleep 600000"
	wait_for 30 "$way: the guest's signature" log_has "guest-$1" "sign: ok"
	let_go=$(date +%s%3N)
}

# The card has forgotten it, and only then somebody asks.
next()
{
	local ms
	wait_for 25 "$way: the end of the PIN state" state_is_over
	ms=$(ms_since "$let_go")
	wait_for 20 "$way: the next one's answer" next_is_refused
	assert_equal "$way: the last at the card" "30 6982" "$(last_at_card)"
	assert_equal "$way: PIN states that ended" 1 "$(($(states_ended) - ended))"
	echo "$way: over after $ms ms, by $(grep 'verified=1' "$RESULTS/card.log" | tail -n 1 |
		sed 's/.* ev=\([^ ]*\).*/\1/')"
}

# The guest's transaction is over, so that pcscd doesn't reset the card by itself when the bridge's
# worker dies: the reset has to be the bridge's.
card_is_free()
{
	host_exchange begin + end >>"$RESULTS/free.log"
}

# All of the bridge at the same moment, so that no part of it can tidy up after another.
bridge_kill_all()
{
	local pids
	pids="${PROCESSES[host-bridge]} $(host_role '[a-z]*' | xargs)"
	# shellcheck disable=SC2086 # several
	kill -STOP $pids
	# shellcheck disable=SC2086
	kill -KILL $pids 2>/dev/null
	process_end host-bridge || true
	wait_for 10 "the end of the bridge's other processes" no_host_role
}

# What the card has seen of power and resets.
power_events()
{
	grep -c 'ev=\(reset\|power-on\|power-off\|disconnect\)' "$RESULTS/card.log" || true
}

# Both cold: the guest has no pcscd yet, and the host's program is the first at the card.
host_pcscd_start
card_start "$VPCD_PORT:t1"
host_bridge_start
link_start
guest_boot

way="a guest that only looks at the ATR"
ended=$(states_ended)
process_start holder "$HOST_EXCHANGE" --wait 15 select + verify 123456 + sleep 600000
wait_for 15 "the holder's PIN" log_has holder "verify: ok"
before=$(power_events)
guest_gadget_start
guest_pcscd_start
wait_for 15 "the reader in the guest's pcscd" guest_lists_reader
guest_exchange --disposition unpower connect >/dev/null
guest_exchange connect >/dev/null
card_was_let_go()
{
	[ "$(log_count host-bridge "event=card-closed")" -ge 2 ] &&
		[ "$(log_count host-bridge "event=card-closed")" = "$(log_count host-bridge "event=card-opened")" ]
}
wait_for 20 "$way: its IccPowerOff" card_was_let_go
echo "$way: powered it $(log_count host-bridge "event=card-opened") times"
host_exchange sign >/dev/null || fail "$way: the host's PIN state is gone"
assert_equal "$way: resets and changes of power at the card" "$before" "$(power_events)"
process_kill holder
assert_equal "$way: PIN states that ended" "$ended" "$(states_ended)"
onlooker_start

way="SCardDisconnect with RESET"
use --disposition reset
next
way="SCardDisconnect with UNPOWER"
use --disposition unpower
next
way="SCardDisconnect with LEAVE, and pcscd's IccPowerOff of a card that no program has"
use
next

way="guest's program killed"
use_on killed
guest_kill_program killed
next
way="guest's pcscd stopped"
use_on pcscd-stopped
guest_stop_program pcscd >/dev/null
next
guest_pcscd_start
way="guest's pcscd killed"
use_on pcscd-killed
guest_kill_program pcscd
next
guest_pcscd_start
way="ccid-gadget stopped"
use_on gadget-stopped
guest_stop_program gadget >/dev/null
next
guest_gadget_start_only
way="ccid-gadget killed"
use_on gadget-killed
guest_kill_program gadget
next
guest_gadget_start_only
way="link cut for longer than the lease"
use_on link
link freeze
next
link pass

way="bridge's worker killed"
use_on worker
card_is_free
host_role_kill worker
next
way="bridge's main process killed"
use_on core
card_is_free
host_bridge_die
next
host_bridge_start
way="all of the bridge killed at once, and started again"
use_on bridge-killed
card_is_free
bridge_kill_all
host_bridge_start
next
way="bridge stopped"
use_on bridge-stopped
host_bridge_stop
next
host_bridge_start

way="host's pcscd restarted"
use_on host-pcscd
process_kill onlooker
host_pcscd_stop
host_pcscd_start
next
way="host's pcscd killed and started again"
use_on host-pcscd-killed
host_pcscd_kill
host_pcscd_start
next
onlooker_start

assert_no_stuck_task
assert_kernel_quiet
way="guest's machine killed"
use_on machine
guest_stop
next
