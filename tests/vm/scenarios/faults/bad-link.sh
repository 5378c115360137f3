# SPDX-License-Identifier: BSD-3-Clause
#
# The link does all that a link can do to frames.
#
# Host:    a proxy between tunnel and bridge that understands nanomsg's framing. It delays each
#          frame by 200 ms, delivers byte after byte, repeats each frame, loses every seventh, lets
#          every third one change places with the next; it is cut while a call is on its way, while
#          the APDU runs, and while the reply is on its way; it freezes without a word.
# Guest:   the SCard program, short APDUs and one of 65,000 bytes.
# Asserts: every program succeeds, with its bytes intact, and as many APDUs reached the card as it
#          has sent. The link was as bad as was said, as counted by the proxy.

relay_start_proxied t1
exchange_counted "good" loop 10

# lost DIRECTION: how many frames the proxy has thrown away
lost()
{
	link state
	tail -n 1 "$RESULTS/link-proxy.log" | sed "s/.* $1-lost=\([0-9]*\).*/\1/"
}

link delay 200
exchange_counted "200 ms late" loop 5
link pass

link dribble
exchange_counted "byte after byte" loop 5 + sizes 300 65000
link pass

link duplicate 1
exchange_counted "each frame twice" loop 40
link pass

link reorder 3
exchange_counted "out of order" loop 5
link pass

before=$(($(lost up) + $(lost down)))
link drop 7
exchange_counted "every seventh lost" loop 15
link pass
assert "frames were lost" [ "$(($(lost up) + $(lost down)))" -gt "$((before + 3))" ]

# begin NAME: the program sends an APDU that takes two seconds
begin()
{
	before=$(apdus_at_card)
	guest_start "$1" "/build/tests/pcsc/exchange --wait 15 delay 2000"
}

# finish NAME: it has had its answer, and the card one APDU
finish()
{
	assert_equal "$1: exit status" 0 "$(guest_end "$1" 20)"
	assert_equal "$1: APDUs at the card" 1 "$(($(apdus_at_card) - before))"
	echo "$1: $(sed -n 's/^delay: ok .*\(seconds=.*\)/\1/p' "$RESULTS/guest-$1.log")"
}

at_card()
{
	[ "$(apdus_at_card)" -gt "$before" ]
}

link hold up
begin cut-with-the-call
wait_for 10 "the call on its way" link_is up=holding
link discard
link cut
finish cut-with-the-call

begin cut-while-it-runs
wait_for 10 "the APDU at the card" at_card
link cut
finish cut-while-it-runs

link hold down
begin cut-with-the-reply
wait_for 10 "the reply on its way" link_is down=holding
link discard
link cut
finish cut-with-the-reply

link hold down
begin late-reply
wait_for 10 "the reply on its way" link_is down=holding
link cut
wait_for 10 "another connection" link_is connected=1
link release
finish late-reply

begin frozen
wait_for 10 "the APDU at the card" at_card
link freeze
sleep 4
link pass
finish frozen

exchange_counted "good" loop 10
assert_no_stuck_task
assert_kernel_quiet
