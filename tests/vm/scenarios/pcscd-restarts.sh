# SPDX-License-Identifier: BSD-3-Clause
#
# The guest's pcscd ends, in either way that it has, and another one starts.
#
# Host:    a card.
# Guest:   twenty times: pcscd is killed (kill -9) while an APDU runs, and another starts at once; that
#          one ends by itself, as with --auto-exit after a minute without programs (its alarm rings
#          now), and another starts.
# Asserts: after each start a program's APDU works at the first attempt; at the card there is one
#          APDU of each program, and none twice; the daemon is the same; no task is stuck, the
#          kernel has not complained.
#
# Limit: 420

apdus_exceed()
{
	[ "$(apdus_at_card)" -gt "$1" ]
}

# The socket of a pcscd that was killed is in the way of the next.
start_again()
{
	guest_try "rm -f /run/pcscd/pcscd.comm /run/pcscd/pcscd.pid"
	guest_start pcscd "pcscd --foreground --info --auto-exit"
	wait_for 10 "the guest's pcscd" guest_try "test -S /run/pcscd/pcscd.comm"
}

# Again and again: pcscd 1.9.9 may go back to waiting for programs before it knows that it rang.
alarm_rings()
{
	guest_try 'kill -ALRM $(cat /run/pcscd.pid) 2>/dev/null || true
		sleep 0.5
		[ -s /run/pcscd.status ]'
}

relay_start t1
daemon=$(guest 'cat /run/gadget.pid')
guest_stop_program pcscd >/dev/null
start_again
for round in $(seq 20); do
	before=$(apdus_at_card)
	guest_start program "/build/tests/pcsc/exchange --wait 15 delay 500"
	wait_for 15 "an APDU at the card, round $round" apdus_exceed "$before"
	guest_kill_program pcscd
	guest_end program 20 >/dev/null
	start_again
	guest_exchange loop 1 >/dev/null
	wait_for 20 "the end of pcscd, round $round" alarm_rings
	start_again
	guest_exchange loop 1 >/dev/null
	assert_equal "APDUs at the card in round $round" 3 "$(($(apdus_at_card) - before))"
done

assert "the daemon is the same" guest_try "kill -0 $daemon"
assert_no_stuck_task
assert_kernel_quiet
