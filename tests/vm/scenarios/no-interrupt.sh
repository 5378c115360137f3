# SPDX-License-Identifier: BSD-3-Clause
#
# A reader without an interrupt endpoint, which spares an idle guest a timer.
#
# Host:    a card, pulled and put back.
# Guest:   the reader's section says 'interrupt = no'; pcscd polls.
# Asserts: the device has two endpoints; APDUs work; removal and insertion are seen; with no program at
#          work the guest's USB bus carries status polls and nothing else.

host_start t1
guest_boot
guest_gadget_config 'reader "Virtual PCD 0 00 00" { interrupt = no }'
guest_gadget_start
guest_pcscd_start
wait_for 15 "the reader in the guest's pcscd" guest_lists_reader
assert_equal "endpoints" 2 \
	"$(guest 'lsusb -v -d 0e0f:0004 2>/dev/null' | grep -c bEndpointAddress)"
guest_exchange loop 5 >/dev/null

card_remove
wait_for 10 "an empty reader" guest_try "/build/tests/pcsc/watch --until empty --timeout 5"
card_insert
guest_exchange loop 5 >/dev/null

sleep 7 # until pcscd has powered off the card that nobody uses
usbmon_start
sleep 5
usbmon_stop
polls=$(usbmon_answers 65 | wc -l)
echo "$polls status polls in five seconds"
assert "pcscd polls" [ "$polls" -ge 5 ]
assert_equal "other commands" "" "$(awk '$4 ~ /^Bo/ && $7 == "=" && $8 !~ /^65/' "$RESULTS/guest-usbmon.log")"
assert_equal "interrupt transfers" "" "$(awk '$4 ~ /^Ii/ && $4 ~ /:002:/' "$RESULTS/guest-usbmon.log")"
assert_kernel_quiet
