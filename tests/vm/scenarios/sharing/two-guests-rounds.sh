# SPDX-License-Identifier: BSD-3-Clause
#
# SELECT, VERIFY and SIGN in two guests and on the host, all against each other on one card.
#
# Host:    one card; the bridge with share = transaction, then shared, then exclusive for both guests;
#          a program that signs, taking a transaction each time.
# Guests:  the same program in both.
# Asserts: transaction: no sequence is interrupted, none fails, all take turns, and nobody waits for
#          longer than two others take that may go first. shared: none fails, and some are seen to be
#          interrupted. exclusive: the card changes hands, none is interrupted, none fails, and
#          everybody has had all its turns in the end; the longest wait is what it is by chance, and is
#          only kept from being endless.
#
# ROUNDS=340 in the environment makes it more than 1,000 sequences in each mode, and takes twice as long.
#
# Limit: 400

rounds=${ROUNDS:-150}
hold_max=2000 # ms
turn=25       # sequences from power-on to power-off, in exclusive

use_mode()
{
	host_bridge_stop
	two_guests_config "readers = { \"*\" } share = $1 hold-max = $hold_max"
	host_bridge_start
	both_guests wait_for 30 "the guest's use of the card" \
		guest_try "/build/tests/pcsc/exchange --wait 15 loop 1"
}

# sign_in GUEST STEP...
sign_in()
{
	on_guest "$1" guest_start "$mode" \
		"/build/tests/pcsc/exchange --wait 120 --disposition unpower ${*:2} + sleep 600000"
}

signed()
{
	log_has "$1" "$step: "
}

# all_sign STEP COUNT... GAP: at the same time. Who is ready first stays connected: a card that
# is powered off is taken from the others, too.
all_sign()
{
	local log
	step=$1
	mark=$(card_log_mark)
	sign_in 1 "${@:1:$#-1}" 40 "${@: -1}"
	sign_in 2 "${@:1:$#-1}" 41 "${@: -1}"
	process_start "host-$mode" "$HOST_EXCHANGE" --wait 120 "${@:1:$#-1}" 50 "${@: -1}" \
		+ sleep 600000
	for log in "guest-$mode" "guest2-$mode" "host-$mode"; do
		wait_for 300 "the sequences of $log" signed "$log"
		assert "the sequences of $log" log_has "$log" "$step: ok"
	done
	both_guests guest_kill_program "$mode"
	process_kill "host-$mode"
}

# all_signed COUNT
all_signed()
{
	local player
	for player in "guest 40" "guest2 41" "host 50"; do
		assert_equal "signatures of ${player% *}" "$1" "$(sequences_of "$mark" "${player#* }")"
	done
	echo "$mode: $1 sequences of each, $(sequences_broken "$mark") interruptions," \
		"$(sequences_turns "$mark") turns; longest wait: guest $(longest_wait "guest-$mode") ms," \
		"guest2 $(longest_wait "guest2-$mode") ms, host $(longest_wait "host-$mode") ms"
}

# no_wait_beyond MS
no_wait_beyond()
{
	local player
	for player in guest guest2 host; do
		assert_at_most "the longest wait of $player" "$1" "$(longest_wait "$player-$mode")"
	done
}

two_guests_config 'readers = { "*" }'
two_guests_start "$VPCD_PORT:t1"

mode=transaction
use_mode $mode
all_sign rounds "$rounds" 5
all_signed "$rounds"
assert_equal "interrupted sequences" 0 "$(sequences_broken "$mark")"
assert "they take turns" [ "$(sequences_turns "$mark")" -ge 6 ]
# Each of two others: its hold-max, and the time for yet others (HOLD_PAUSE); two seconds for slow machines.
no_wait_beyond $((2 * (hold_max + 450) + 2000))

mode=shared
use_mode $mode
all_sign rounds "$rounds" 5
all_signed "$rounds"
assert "sequences are interrupted" [ "$(sequences_broken "$mark")" -gt 0 ]

mode=exclusive
use_mode $mode
all_sign turns $((rounds / turn)) $turn 300
all_signed $((rounds / turn * turn))
assert_equal "interrupted sequences" 0 "$(sequences_broken "$mark")"
assert "they take turns" [ "$(sequences_turns "$mark")" -ge 6 ]
grep -h -o 'turns=.* reconnects' "$RESULTS"/*-exclusive.log
no_wait_beyond 60000

both_guests assert_no_stuck_task
both_guests assert_kernel_quiet
