# SPDX-License-Identifier: BSD-3-Clause
#
# What happens to a device on the bus, happens to the reader while pcscd uses it.
#
# Host:    a card.
# Guest:   the port is reset (USBDEVFS_RESET) and the device is configured anew (configuration 0 and
#          back), twenty times each, every other time while an APDU runs.
# Asserts: afterwards a program's APDU works; at the card there is one APDU of each program, and
#          none twice; the daemon is the same; no task is stuck, the kernel has not complained.
#
# Limit: 240

apdus_exceed()
{
	[ "$(apdus_at_card)" -gt "$1" ]
}

# in_mid_apdu COMMAND: runs it once a program's APDU has reached the card.
in_mid_apdu()
{
	local before
	before=$(apdus_at_card)
	guest_start program "/build/tests/pcsc/exchange --wait 15 delay 500"
	wait_for 15 "an APDU at the card, round $round" apdus_exceed "$before"
	"$1"
	guest_end program 20 >/dev/null
}

reset_port()
{
	guest_try "usbreset 0e0f:0004"
}

# pcscd 1.9.9 must have lost the reader before it comes back: else it calls it a duplicate.
configure()
{
	guest_try "echo 0 >$device/bConfigurationValue"
	wait_for 15 "no reader in pcscd, round $round" guest_lacks_reader
	guest_try "echo 1 >$device/bConfigurationValue"
}

# twenty_times ACTION: idle and in mid-APDU by turns.
twenty_times()
{
	local before
	for round in $(seq 20); do
		before=$(apdus_at_card)
		if [ $((round % 2)) = 0 ]; then
			in_mid_apdu "$1"
			before=$((before + 1))
		else
			"$1"
		fi
		wait_for 20 "the reader, round $round" guest_lists_reader
		guest_exchange loop 1 >/dev/null
		assert_equal "$1, APDUs at the card after round $round" 1 \
			"$(($(apdus_at_card) - before))"
	done
}

relay_start t1
daemon=$(guest 'cat /run/gadget.pid')
device=$(guest 'dirname "$(grep -l -x 0e0f /sys/bus/usb/devices/*/idVendor)"')
guest_exchange loop 3 >/dev/null

echo "the port's reset"
twenty_times reset_port
assert_no_stuck_task

echo "SET_CONFIGURATION, 0 and back"
twenty_times configure
assert_no_stuck_task

assert "the daemon is the same" guest_try "kill -0 $daemon"
assert_kernel_quiet
