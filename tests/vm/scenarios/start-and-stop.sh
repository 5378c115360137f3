# SPDX-License-Identifier: BSD-3-Clause
#
# The gadget is stopped in order, and killed, again and again.
#
# Host:    a card, the bridge.
# Guest:   ccid-gadget ends by SIGTERM; a second one is started beside the first; then twenty times:
#          kill -9 at a different moment (also while an APDU runs) and a new start.
# Asserts: SIGTERM leaves nothing in configfs and no reader on the bus, exit status 0; the second
#          start says that the first one lives and leaves it alone; after each kill the next start
#          works; no task is stuck in the kernel, which has not complained.
#
# Limit: 300

relay_start t1
guest_exchange loop 3 >/dev/null

echo "a second one beside the first"
guest_start second "/build/gadget/ccid-gadget -c /results/gadget.conf"
assert_equal "its exit status" 1 "$(guest_end second)"
assert "its word" log_has guest-second "another ccid-gadget runs"
assert "the first one stays" guest_runs gadget
assert_fails "the first one's session stays" log_has guest-gadget "refuses"
guest_exchange loop 3 >/dev/null

echo "SIGTERM"
assert_equal "exit status" 0 "$(guest_stop_program gadget)"
assert_fails "no reader on the bus" guest_has_usb_reader
assert_equal "nothing in configfs" "" "$(guest 'ls /sys/kernel/config/usb_gadget')"
wait_for 10 "no reader in pcscd" guest_lacks_reader

# What the guest's pcscd still has of a reader that was killed would be taken for the next one.
wait_for_unplugged()
{
	wait_for 10 "no reader on the bus" guest_lacks_usb_reader
	guest_try "udevadm settle"
	wait_for 10 "no reader in pcscd" guest_lacks_reader
}

kill_during_apdu()
{
	local before
	wait_for_unplugged
	guest_gadget_start_only
	wait_for 20 "the reader, round $round" guest_lists_reader
	before=$(apdus_at_card)
	guest_try "/build/tests/pcsc/exchange --wait 15 delay 3000 >/dev/null 2>&1 &"
	wait_for 20 "an APDU at the card, round $round" apdus_exceed "$before"
	guest_kill_program gadget
}

apdus_exceed()
{
	[ "$(apdus_at_card)" -gt "$1" ]
}

kill_after()
{
	guest_gadget_start_only
	"$@"
	guest_kill_program gadget
}

echo "kill -9, twenty times"
for round in $(seq 20); do
	case $((round % 4)) in
	0) kill_after true ;;
	1) kill_after sleep 0.3 ;;
	2) kill_after wait_for 15 "the reader, round $round" guest_has_usb_reader ;;
	3) kill_during_apdu ;;
	esac
	assert_no_stuck_task
done
assert_equal "APDUs at the card, one in each fourth round" 11 "$(apdus_at_card)"
wait_for_unplugged
guest_gadget_start_only
wait_for 20 "the reader after twenty kills" guest_lists_reader
guest_exchange loop 3 >/dev/null
assert_equal "exit status" 0 "$(guest_stop_program gadget)"
assert_equal "nothing in configfs" "" "$(guest 'ls /sys/kernel/config/usb_gadget')"
assert_no_stuck_task
assert_kernel_quiet
