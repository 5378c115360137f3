# SPDX-License-Identifier: BSD-3-Clause
#
# The port is reset under the reader while pcscd uses it.
#
# Host:    a card.
# Guest:   USBDEVFS_RESET, twenty times, every other time while an APDU runs. (SET_INTERFACE,
#          SET_CONFIGURATION and CLEAR_HALT, which a driver does, are conformance/bus-requests.sh.)
# Asserts: a program's APDU works as soon as pcscd has seen that the card lost its power, and until
#          then none reaches the card: there is one APDU of each program, and none twice; the daemon
#          is the same; no task is stuck, the kernel has not complained.
#
# Limit: 300

apdus_exceed()
{
	[ "$(apdus_at_card)" -gt "$1" ]
}

reset_port()
{
	guest_try "usbreset 0e0f:0004"
}

reset_in_mid_apdu()
{
	local before
	before=$(apdus_at_card)
	guest_start program "/build/tests/pcsc/exchange --wait 15 delay 500"
	wait_for 15 "an APDU at the card, round $round" apdus_exceed "$before"
	reset_port
	guest_end program 20 >/dev/null
}

relay_start t1
daemon=$(guest 'cat /run/gadget.pid')
guest_exchange loop 3 >/dev/null

for round in $(seq 20); do
	before=$(apdus_at_card)
	if [ $((round % 2)) = 0 ]; then
		reset_in_mid_apdu
		before=$((before + 1))
	else
		reset_port
	fi
	wait_for 20 "a good APDU, round $round" guest_try \
		"/build/tests/pcsc/exchange --wait 15 loop 1"
	assert_equal "APDUs at the card after round $round" 1 "$(($(apdus_at_card) - before))"
done

assert "the daemon is the same" guest_try "kill -0 $daemon"
assert_no_stuck_task
assert_kernel_quiet
