# SPDX-License-Identifier: BSD-3-Clause
#
# What somebody sees who starts both daemons for the first time.
#
# Host:    pcscd with the vpcd driver and a T=1 card; ccid-bridge.
# Guest:   modprobe dummy_hcd and nothing else; ccid-gadget; then lsusb, pcsc_scan, opensc-tool.
# Asserts: the device on the bus is a CCID reader as the specification and the drivers want it; the
#          reader has the host reader's name; its card has the host card's ATR; APDUs reach the card
#          and their answers the guest, as they are.

relay_start t1

device=$(guest 'lsusb -v -d 0e0f:0004 2>/dev/null')
assert_contains "interface class" "bInterfaceClass        11 Chip/SmartCard" "$device"
assert_contains "interface string" "Virtual PCD" "$(grep iInterface <<<"$device")"
assert_contains "serial number" "iSerial                 3" "$(sed 's/iSerial  *\([0-9]*\).*/iSerial                 3/' <<<"$device")"
assert_contains "level" "Short and extended APDU level exchange" "$device"
assert_contains "protocols" "dwProtocols             3  T=0 T=1" "$device"
assert_contains "message length" "dwMaxCCIDMsgLen     65554" "$device"
assert_equal "endpoints" "0x2 0x81 0x85" "$(sed -n 's/.*bEndpointAddress *\(0x\)0*\([0-9a-f]*\) .*/\1\2/p' <<<"$device" | xargs)"

scan=$(guest 'timeout 3 pcsc_scan -n 2>&1 | tr -d "\r"; true')
assert_contains "pcsc_scan: name" "VMware Virtual USB CCID [Virtual PCD 0 00 00]" "${scan//Virtual PCD 0*]/Virtual PCD 0 00 00]}"
assert_contains "pcsc_scan: state" "Card inserted" "$scan"

atr=$(host_atr)
assert "the host's card has an ATR" [ -n "$atr" ]
assert_equal "ATR in the guest" "$atr" "$(guest_atr)"
assert_contains "opensc-tool -an" "Virtual PCD" "$(guest 'opensc-tool -an 2>&1')"

# What opensc-tool sends is what arrives, and what the card says comes back.
before=$(apdus_at_card "cla=00 ins=84")
answer=$(guest_apdu 00:84:00:00:08 00:A4:04:00:02:3F:00)
assert_contains "an unknown instruction" "SW1=0x6D" "$answer"
assert_equal "GET CHALLENGE at the card" "$((before + 1))" "$(apdus_at_card 'cla=00 ins=84')"

assert_drivers_quiet
assert_no_stuck_task
assert_kernel_quiet
