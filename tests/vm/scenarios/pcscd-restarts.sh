# SPDX-License-Identifier: BSD-3-Clause
#
# The guest's pcscd ends, in every way, and starts again.
#
# Host:    a card.
# Guest:   while an APDU runs, twenty times by turns: pcscd is killed (kill -9), or it ends by itself
#          as with --auto-exit (its alarm rings); then another pcscd starts at once.
# Asserts: the next program's APDU works at the first attempt; at the card there is one APDU of each
#          program, and none twice; the daemon is the same; no task is stuck, the kernel has not
#          complained.
#
# Limit: 240

apdus_exceed()
{
	[ "$(apdus_at_card)" -gt "$1" ]
}

# The daemon's sockets of a pcscd that was killed are in the way of the next.
start_again()
{
	guest_try "rm -f /run/pcscd/pcscd.comm /run/pcscd/pcscd.pid"
	guest_start pcscd "pcscd --foreground --info --auto-exit"
	wait_for 10 "the guest's pcscd" guest_try "test -S /run/pcscd/pcscd.comm"
}

# An alarm after a minute without clients is how --auto-exit works: it rings now.
end_pcscd()
{
	if [ $((round % 2)) = 0 ]; then
		guest_kill_program pcscd
	else
		guest_signal pcscd ALRM
		guest_end pcscd 20 >/dev/null
	fi
}

relay_start t1
daemon=$(guest 'cat /run/gadget.pid')
guest_exchange loop 3 >/dev/null
guest_stop_program pcscd >/dev/null
start_again

for round in $(seq 20); do
	before=$(apdus_at_card)
	guest_start program "/build/tests/pcsc/exchange --wait 15 delay 600"
	wait_for 15 "an APDU at the card, round $round" apdus_exceed "$before"
	end_pcscd
	guest_end program 20 >/dev/null
	start_again
	guest_exchange loop 1 >/dev/null
	assert_equal "APDUs at the card in round $round" 2 "$(($(apdus_at_card) - before))"
done

assert "the daemon is the same" guest_try "kill -0 $daemon"
assert_no_stuck_task
assert_kernel_quiet
