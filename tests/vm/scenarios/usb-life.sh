# SPDX-License-Identifier: BSD-3-Clause
#
# gadget/usb without a card: how a device comes and goes.
#
# Guest:   usb-echo, several, ended in every way; dummy_hcd unloaded under it; other gadgets.
# Asserts: the next start works after each of twenty kills, also in the middle of transfers and with
#          an answer that nobody takes; the device says that it is gone when its controller is; two
#          devices have two controllers; gadgets that are not ours stay as they are; no task is stuck
#          in the kernel, which has not complained.
#
# Limit: 400

guest_boot

# echo_start NAME [OPTION...]
echo_start()
{
	rm -f "$RESULTS/guest-$1.log"
	guest_start "$1" "/build/tests/usb/usb-echo ${*:2}"
	wait_for 10 "the device" log_has "guest-$1" open
}

# echo_check CHECK...
echo_check()
{
	guest_within 60 "/build/tests/usb/usb-echo-host $*"
}

# Returns while messages go back and forth.
echo_traffic()
{
	rm -f "$RESULTS/guest-traffic.log"
	guest_start traffic "/build/tests/usb/usb-echo-host once lengths"
	wait_for 30 "traffic" log_has guest-traffic once
}

# echo_fails NAME TEXT [OPTION...]: it ends with status 1 and has said TEXT
echo_fails()
{
	guest_start "$1" "/build/tests/usb/usb-echo ${*:3}"
	assert_equal "$1: exit status" 1 "$(guest_end "$1")"
	assert_contains "$1" "$2" "$(cat "$RESULTS/guest-$1.log")"
}

nothing_is_left()
{
	assert_equal "nothing in configfs" "" "$(guest 'ls /sys/kernel/config/usb_gadget')"
}

guest_try 'modprobe dummy_hcd'

echo "SIGTERM with an answer that nobody takes"
echo_start hanging
echo_check leave-hanging
assert_equal "exit status" 0 "$(guest_stop_program hanging)"
nothing_is_left

echo "kill -9, twenty times"
for round in $(seq 20); do
	echo_start killed
	case $((round % 4)) in
	0) ;; # at once
	1) echo_check once ;;
	2) echo_check leave-hanging ;;
	3) echo_traffic ;;
	esac
	guest_kill_program killed
	[ $((round % 4)) != 3 ] || guest_end traffic 30 >/dev/null
	assert_no_stuck_task
done
echo_start killed
echo_check once

echo "somebody else wants its name, or its controller"
echo_fails same-name "in use by another program"
echo_fails same-controller "num=" -n other
echo_fails no-controller "modprobe dummy_hcd" -n other -u dummy_udc.7
echo_check once

echo "the controller is taken away"
guest_try 'rmmod dummy_hcd'
assert_equal "exit status" 3 "$(guest_end killed)"
assert_equal "it said so once" 1 "$(log_count guest-killed gone)"
nothing_is_left
for round in $(seq 20); do
	guest_try 'modprobe dummy_hcd'
	echo_start unloaded
	case $((round % 3)) in
	0) ;; # at once
	1) echo_check once ;;
	2) echo_traffic ;;
	esac
	guest_try 'rmmod dummy_hcd'
	assert_equal "exit status, round $round" 3 "$(guest_end unloaded)"
	[ $((round % 3)) != 2 ] || guest_end traffic 30 >/dev/null
done
nothing_is_left

echo "two devices"
guest_try 'modprobe dummy_hcd num=2'
echo_start first
echo_start second -n second
assert "the first controller" log_has guest-first "plugged into dummy_udc.0"
assert "the second controller" log_has guest-second "plugged into dummy_udc.1"
assert_equal "exit status" 0 "$(guest_stop_program first)"
assert_equal "the other one stays" second "$(guest 'ls /sys/kernel/config/usb_gadget')"
assert_equal "exit status" 0 "$(guest_stop_program second)"
nothing_is_left

echo "gadgets of others"
guest_try 'mkdir -p /sys/kernel/config/usb_gadget/usb-echo/functions/acm.0'
echo_fails foreign-name "in use by another program"
assert_equal "it is untouched" acm.0 "$(guest 'ls /sys/kernel/config/usb_gadget/usb-echo/functions')"
guest_try 'cd /sys/kernel/config/usb_gadget; rmdir usb-echo/functions/acm.0 usb-echo
	mkdir -p alien/functions/SourceSink.0'
echo_fails unreadable "remove that one"
guest_try 'cd /sys/kernel/config/usb_gadget; rmdir alien/functions/SourceSink.0 alien'

assert_no_stuck_task
assert_kernel_quiet
