# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A VERIFY that takes two seconds, and a process that is killed at ten moments of it.
#
# A scenario says who the victim is by two functions, victim_kill and victim_back (which does what a
# service manager would do then, if anybody has to), and calls verify_rounds. What is asserted of
# each round is the same for all: the card has counted no more VERIFYs than the program in the guest
# has sent; the program's call ended within ten seconds; the relay works again; and the next one who
# opens the card is not let in by the PIN of the one before.

VERIFY_MOMENTS=(before call-late call-lost running-0.0 running-0.5 running-1.0 running-1.6
	reply-late reply-lost after)

# What the programs of a round are called, with the moment.
VERIFY_NAME=verify

# How the program leaves the card. Where a session survives the victim, the card stays powered in
# the guest's own pcscd, and it is the program that has to reset it.
VERIFY_DISPOSITION=leave

# What the program must be answered at every moment; empty if that depends.
VERIFY_OUTCOME=

# ms until a call of a program must have ended, in an answer or an error
VERIFY_LIMIT=10000

verifies_at_card()
{
	apdus_at_card 'cla=00 ins=20'
}

verify_begun()
{
	[ "$(verifies_at_card)" -gt "$verify_before" ]
}

# verify_reach MOMENT: comes back when the program in the guest is there.
verify_reach()
{
	case $1 in
	before) wait_for 20 "the program's connection" log_has "guest-$verify" "connect: ok" ;;
	call-*) wait_for 20 "the call on the wire" link_is up=holding ;;
	running-*)
		wait_for 20 "VERIFY at the card" verify_begun
		sleep "${1#running-}"
		;;
	reply-*) wait_for 20 "the reply on the wire" link_is down=holding ;;
	after) wait_for 20 "the program's answer" log_has "guest-$verify" "verify: ok" ;;
	esac
}

# verify_let_go MOMENT: what was held goes on, late, or is lost.
verify_let_go()
{
	case $1 in
	*-late) link release ;;
	*-lost) link discard ;;
	esac
	link pass
}

# The program's word on its VERIFY, once it has ended; empty if it came to none.
verify_word()
{
	sed -n 's/^verify: [^ ]* outcome=\([^ ]*\) .*seconds=\([0-9]*\)\.\([0-9]*\).*/\1 \2\3/p' \
		"$RESULTS/guest-$verify.log"
}

# The next program that opens the card in the guest gets no signature. It may have to come again:
# the card may be inserted anew under its hands.
verify_pin_forgotten()
{
	local output
	output=$(guest_within 30 "/build/tests/pcsc/exchange --wait 10 sign expect 6982" || true)
	echo "$output" >>"$RESULTS/$verify-sign.log"
	! grep -q -F "outcome=9000" <<<"$output" ||
		fail "$verify: the card was opened by somebody else's PIN: $output"
	grep -q -F "exchange: ok" <<<"$output"
}

# How many VERIFYs the program has sent, after it has ended. A guest without power takes both along;
# its scenario has other words for them.
verify_calls()
{
	grep -c '^verify:' "$RESULTS/guest-$verify.log" || true
}

verify_ended()
{
	guest_end "$verify" 20 >/dev/null
}

# Counts, and what the program says, after the relay has recovered.
verify_judge()
{
	local outcome=- ms='' begun calls
	calls=$(verify_calls)
	read -r outcome ms < <(verify_word) || true
	begun=$(($(verifies_at_card) - verify_before))
	assert_at_most "$verify: VERIFYs at the card" "$calls" "$begun"
	[ -z "$VERIFY_OUTCOME" ] || assert_equal "$verify: its outcome" "$VERIFY_OUTCOME" "$outcome"
	if [ -n "$ms" ]; then
		assert_at_most "$verify: ms of the call" "$VERIFY_LIMIT" "$((10#$ms))"
	fi
	echo "$verify: $begun at the card, the program: ${outcome:--} in $((10#${ms:-0})) ms," \
		"all works again after $verify_recovery ms"
}

# verify_begin MOMENT
verify_begin()
{
	verify=$VERIFY_NAME-$1
	rm -f "$RESULTS/guest-$verify.log"
	verify_before=$(verifies_at_card)
	card_ctl delay 2000 >/dev/null
	case $1 in
	call-*) link hold up ;;
	reply-*) link hold down ;;
	esac
	guest_start "$verify" \
		"/build/tests/pcsc/exchange --wait 15 --disposition $VERIFY_DISPOSITION \
			connect + sleep 500 + verify 123456 + sleep 500"
}

verify_recover()
{
	card_ctl delay 0 >/dev/null
	wait_for 30 "a card without the PIN of $verify" verify_pin_forgotten
	verify_recovery=$(ms_since "$1")
}

# verify_round MOMENT
verify_round()
{
	local killed
	verify_begin "$1"
	verify_reach "$1"
	killed=$(date +%s%3N)
	victim_kill
	victim_back
	verify_let_go "$1"
	verify_ended
	verify_recover "$killed"
	verify_judge
}

verify_rounds()
{
	local moment
	for moment in "${VERIFY_MOMENTS[@]}"; do
		verify_round "$moment"
	done
	verify_end
}

verify_end()
{
	card_ctl counters
	assert_no_stuck_task
	assert_kernel_quiet
}
