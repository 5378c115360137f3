# SPDX-License-Identifier: BSD-3-Clause
#
# gadget/usb without a card: a device that sends each message back, and a driver that checks it.
#
# Guest:   usb-echo at high speed, at full speed, and without an interrupt endpoint; usb-echo-host.
# Asserts: every length from 10 to 1600 and large ones to 65,554 come back; so do the messages after
#          truncated, too large, unread and cancelled ones; SET_INTERFACE, SET_CONFIGURATION,
#          CLEAR_HALT and resets, twenty times each; class requests are answered, stalled, given up;
#          a suspended bus wakes up; SIGTERM leaves nothing.
#
# Limit: 300

guest_boot

# echo_start NAME [OPTION...]
echo_start()
{
	guest_start "$1" "/build/tests/usb/usb-echo ${*:2}"
	wait_for 10 "the device" log_has "guest-$1" open
}

# check_all NAME PACKET-SIZE [OPTION...]
check_all()
{
	echo "$1"
	echo_start "$1" "${@:3}"
	guest_within 120 /build/tests/usb/usb-echo-host
	assert "packets of $2 bytes" log_has "guest-$1" "enabled $2"
	assert_equal "$1: exit status" 0 "$(guest_stop_program "$1")"
	assert_equal "nothing in configfs" "" "$(guest 'ls /sys/kernel/config/usb_gadget')"
	assert_equal "nothing mounted" "" "$(guest 'grep functionfs /proc/mounts || true')"
}

guest_try 'modprobe dummy_hcd'
check_all high-speed 512
check_all no-interrupt 512 -b

echo "a suspended bus"
echo_start suspended
guest '/build/tests/usb/usb-echo-host once
	device=$(dirname "$(grep -l 1209 /sys/bus/usb/devices/*/idVendor)")
	echo 0 >"$device/power/autosuspend_delay_ms"
	echo auto >"$device/power/control"
	for i in $(seq 100); do
		[ "$(cat "$device/power/runtime_status")" != suspended ] || break
		sleep 0.05
	done
	cat "$device/power/runtime_status"
	/build/tests/usb/usb-echo-host once' >"$RESULTS/suspended.log"
assert "it was suspended" log_has suspended "suspended"
assert_equal "exit status" 0 "$(guest_stop_program suspended)"

guest_try 'rmmod dummy_hcd; modprobe dummy_hcd is_high_speed=0'
check_all full-speed 64

assert_no_stuck_task
assert_kernel_quiet
