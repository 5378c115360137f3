# SPDX-License-Identifier: BSD-3-Clause
#
# The virtual controller is unloaded under the reader, and loaded again.
#
# Host:    a card.
# Guest:   rmmod dummy_hcd, twenty times, every other time while an APDU runs; then modprobe.
# Asserts: the reader goes from pcscd and comes back without a restart of the daemon; then a program's
#          APDU works; at the card there is one APDU of each program, and none twice; no task is
#          stuck, the kernel has not complained.
#
# Limit: 300

apdus_exceed()
{
	[ "$(apdus_at_card)" -gt "$1" ]
}

relay_start t1
daemon=$(guest 'cat /run/gadget.pid')
guest_exchange loop 3 >/dev/null

for round in $(seq 20); do
	before=$(apdus_at_card)
	if [ $((round % 2)) = 0 ]; then
		guest_start program "/build/tests/pcsc/exchange --wait 15 delay 600"
		wait_for 15 "an APDU at the card, round $round" apdus_exceed "$before"
		before=$((before + 1))
	fi
	guest_try "rmmod dummy_hcd"
	[ $((round % 2)) != 0 ] || guest_end program 20 >/dev/null
	wait_for 15 "no reader in pcscd, round $round" guest_lacks_reader
	guest_load_usb
	wait_for 20 "the reader, round $round" guest_lists_reader
	guest_exchange loop 1 >/dev/null
	assert_equal "APDUs at the card in round $round" 1 "$(($(apdus_at_card) - before))"
done

assert "the daemon is the same" guest_try "kill -0 $daemon"
assert_no_stuck_task
assert_kernel_quiet
