# SPDX-License-Identifier: BSD-3-Clause
#
# The reader's bus is suspended and wakes up; and so is the guest.
#
# Host:    a card.
# Guest:   twenty times: pcscd ends, the kernel suspends the device that nobody has open (by itself,
#          power/control is auto), pcscd starts; then twenty times, every other time while an APDU
#          runs: all tasks are frozen and thawed, as when the guest goes to sleep.
# Asserts: the device was suspended each time; afterwards a program's APDU works; a frozen APDU
#          succeeds; at the card there is one APDU of each program, and none twice; the daemon is the
#          same; no task is stuck, the kernel has not complained.
#
# Limit: 240

apdus_exceed()
{
	[ "$(apdus_at_card)" -gt "$1" ]
}

is_suspended()
{
	[ "$(guest "cat $device/power/runtime_status")" = suspended ]
}

relay_start t1
daemon=$(guest 'cat /run/gadget.pid')
device=$(guest 'dirname "$(grep -l -x 0e0f /sys/bus/usb/devices/*/idVendor)"')
guest_exchange loop 3 >/dev/null

echo "autosuspend"
guest_try "echo auto >$device/power/control; echo 100 >$device/power/autosuspend_delay_ms"
for round in $(seq 20); do
	before=$(apdus_at_card)
	guest_stop_program pcscd >/dev/null
	wait_for 10 "a suspended device, round $round" is_suspended
	guest_pcscd_start
	guest_exchange loop 1 >/dev/null
	assert_equal "APDUs at the card in round $round" 1 "$(($(apdus_at_card) - before))"
done

echo "frozen and thawed"
guest_try "echo freezer >/sys/power/pm_test; echo 1 >/sys/module/suspend/parameters/pm_test_delay"
for round in $(seq 20); do
	before=$(apdus_at_card)
	if [ $((round % 2)) = 0 ]; then
		guest_start program "/build/tests/pcsc/exchange --wait 15 delay 600"
		wait_for 15 "an APDU at the card, round $round" apdus_exceed "$before"
		before=$((before + 1))
	fi
	guest_try "echo freeze >/sys/power/state"
	[ $((round % 2)) != 0 ] ||
		assert_equal "the APDU that was frozen, round $round" 0 "$(guest_end program 20)"
	guest_exchange loop 1 >/dev/null
	assert_equal "APDUs at the card in round $round" 1 "$(($(apdus_at_card) - before))"
done

assert "the daemon is the same" guest_try "kill -0 $daemon"
assert_no_stuck_task
assert_kernel_quiet
