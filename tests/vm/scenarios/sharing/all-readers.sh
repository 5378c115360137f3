# SPDX-License-Identifier: BSD-3-Clause
#
# reader "*": the guest has every reader that the host shows, as they come and go.
#
# Host:    four readers with a card each; pcscd is started again with two of them, with all four, and
#          with 18, of which it can have 16.
# Guest:   reader "*", at first with two virtual ports; in the end a configuration of 17 readers.
# Asserts: two readers and one clear line for each of the others, with what to put into /etc/modprobe.d; a
#          port that becomes free is used; with four ports all four, each with its own name, serial
#          number and card; those that are gone on the host are unplugged, the others stay the same
#          USB devices; those that come back have the serial numbers that they had. dummy_hcd makes no
#          33 ports; that pcscd has all that it can have, and that 17 readers are too many for it, is
#          said once.

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
assert_equal "and what to do" 2 "$(log_count guest-gadget "put the line 'options dummy_hcd num=4' (32 at most) into /etc/modprobe.d")"
host_pcscd_stop
sed -i 1,4d "$RESULTS/reader.conf"
host_pcscd_start
has_the_others()
{
	[ "$(guest_readers | grep -c "Virtual PCD 1")" = 2 ] && has_readers 2
}
wait_for 30 "the others, at the ports that are free" has_the_others
host_pcscd_stop
host_reader_config 2
host_pcscd_start

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

echo "as many as pcscd can have"
host_pcscd_stop
host_reader_config 9
host_pcscd_start
wait_for 20 "the bridge's word" log_has host-bridge "pcscd has 16 readers, as many as it can have"
assert_equal "said once" 1 "$(log_count host-bridge 'as many as it can have')"
wait_for 20 "the number of ports" log_has guest-gadget "'options dummy_hcd num=16'"
wait_for 20 "four readers still" has_readers 4
guest_stop_program gadget >/dev/null
guest_gadget_config "$(printf 'reader "X%s" {}\n' $(seq 17))"
guest_gadget_start_only
wait_for 10 "its word on the configuration" \
	log_has guest-gadget "the configuration has 17 readers, and pcscd up to version 2.4 can have 16"
guest_stop_program gadget >/dev/null
guest_try "rmmod dummy_hcd"
assert_fails "33 ports" guest_try "modprobe dummy_hcd num=33 2>/dev/null"
guest_load_usb 32
assert_equal "32 ports" 32 "$(guest 'ls -d /sys/class/udc/dummy_udc.* | wc -l')"
assert_no_stuck_task
assert_kernel_quiet
