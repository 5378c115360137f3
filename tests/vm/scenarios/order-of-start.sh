# SPDX-License-Identifier: BSD-3-Clause
#
# The parts come in the most awkward order, and the first one waits for all others.
#
# Host:    nothing at first; then ccid-bridge without pcscd; then pcscd without a card; then the card.
#          Later pcscd is stopped and started again, and ccid-bridge too.
# Guest:   ccid-gadget and pcscd from the beginning.
# Asserts: each daemon says once that it waits, and for what; the reader appears when the host has
#          one; the card is there when the host's is; all works again after each restart.

guest_boot
guest_gadget_start
guest_pcscd_start

wait_for 10 "the gadget's word that it waits for the bridge" log_has guest-gadget "waiting for it"
sleep 5
assert_equal "it says so" 1 "$(log_count guest-gadget 'waiting for it')"
assert_fails "no reader yet" guest_has_usb_reader

host_bridge_start
host_tunnel_start
wait_for 20 "the gadget's connection" log_has guest-gadget "connected to"
wait_for 10 "the bridge's word that it waits for pcscd" log_has host-bridge "pcscd"
sleep 3
assert_equal "it says so" 1 "$(log_count host-bridge 'waiting')"
assert_fails "no reader yet" guest_has_usb_reader

host_pcscd_start
wait_for 15 "the reader in the guest" guest_has_usb_reader
wait_for 15 "the reader in the guest's pcscd" guest_lists_reader

card_start "$VPCD_PORT:t1"
guest_exchange loop 5 >/dev/null

echo "pcscd again"
host_pcscd_stop
wait_for 10 "an empty reader" guest_try "/build/tests/pcsc/watch --until empty --timeout 5"
assert "the reader stays" guest_has_usb_reader
host_pcscd_start
guest_exchange loop 5 >/dev/null

# A guest learns of this with its next message, which may be an APDU: that one fails, as removed.
echo "ccid-bridge again"
host_bridge_stop
host_bridge_start
wait_for 20 "the guest's use of the card" guest_try "/build/tests/pcsc/exchange --wait 15 loop 5"
assert_equal "it says that it waited" 1 "$(log_count guest-gadget 'is gone; waiting for it')"
assert_no_stuck_task
assert_kernel_quiet
