# SPDX-License-Identifier: BSD-3-Clause
#
# reader "*": the guest has every reader that the host shows, as they come and go.
#
# Host:    four readers with a card each; pcscd is started again with two of them in another order of
#          numbers, then with all four.
# Guest:   reader "*", at first with two virtual ports.
# Asserts: two readers and one clear line for the others; with four ports all four, each with its own
#          name, serial number and card; those that are gone on the host are unplugged, the others stay
#          the same USB devices; those that come back have the serial numbers that they had.

guest_device_serials()
{
	guest 'grep -l -x 0b /sys/bus/usb/devices/*/bInterfaceClass | while read -r file; do
		device=$(dirname "$file")
		echo "$(cat "$device/interface") $(cat "${device%:*}/serial")"
	done' | sort
}

# The numbers on the bus: a device that was unplugged and plugged in again has another one.
guest_device_numbers()
{
	guest 'grep -l -x 0b /sys/bus/usb/devices/*/bInterfaceClass | while read -r file; do
		device=$(dirname "$file")
		echo "$(cat "$device/interface") $(cat "${device%:*}/busnum" "${device%:*}/devnum" | xargs)"
	done' | sort
}

apdus_of_card()
{
	grep -c "card=$1 ev=apdu-begin" "$RESULTS/card.log" || true
}

has_readers()
{
	[ "$(guest_readers | wc -l)" = "$1" ]
}

host_reader_config 2
host_pcscd_start
card_start "$VPCD_PORT:t1" "$((VPCD_PORT + 1)):t0" "$((VPCD_PORT + 2)):dual" "$((VPCD_PORT + 3)):t1"
host_bridge_start
host_tunnel_start
guest_boot
guest_load_usb 2
guest_tunnel_start
guest_gadget_config 'reader "*" {}'
guest_gadget_start_only
guest_pcscd_start

echo "four readers, two ports"
wait_for 20 "two readers" has_readers 2
wait_for 10 "the reason" log_has guest-gadget "every virtual USB port is in use"
assert_equal "says it for each of the others" 2 "$(log_count guest-gadget 'every virtual USB port is in use')"

echo "four ports"
guest_stop_program gadget >/dev/null
guest_try "rmmod dummy_hcd"
wait_for 10 "no reader in pcscd" guest_lacks_reader
guest_load_usb 4
guest_gadget_start_only
wait_for 30 "four readers" has_readers 4
serials=$(guest_device_serials)
assert_equal "serial numbers" 4 "$(cut -d' ' -f4 <<<"$serials" | sort -u | wc -l)"
for index in 0 1 2 3; do
	guest_exchange --reader "$index" loop 2 >/dev/null
done
for card in 0 1 2 3; do
	assert_equal "APDUs at card $card" 2 "$(apdus_of_card "$card")"
done

echo "two of them go"
numbers=$(guest_device_numbers)
host_pcscd_stop
host_reader_config 1
host_pcscd_start
wait_for 20 "two readers" has_readers 2
assert_equal "the others stay plugged in" "$(grep "Virtual PCD 0" <<<"$numbers")" "$(guest_device_numbers)"
guest_exchange --reader 0 loop 2 >/dev/null

echo "and come back"
host_pcscd_stop
host_reader_config 2
host_pcscd_start
wait_for 20 "four readers" has_readers 4
assert_equal "names and serial numbers" "$serials" "$(guest_device_serials)"
for index in 0 1 2 3; do
	guest_exchange --reader "$index" loop 2 >/dev/null
done
assert_no_stuck_task
assert_kernel_quiet
