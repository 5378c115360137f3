# SPDX-License-Identifier: BSD-3-Clause
#
# What the host says of PIN pads, and what becomes of the guest's reader when it says something else.
#
# Host:    the scripted PIN pad; the bridge forbids it, then allows it; pcscd is started again, and the
#          reader has lost half of its abilities.
# Guest:   lsusb; ccid-pinpad, by libusb.
# Asserts: a PIN pad that is forbidden is none, and nothing reaches the reader; the descriptor follows
#          the host's reader: the device is plugged in anew.
#
# Limit: 120

VERIFY=001E824803080402010904050000000020008008FFFFFFFFFFFFFFFF
MODIFY=011E824803000804080302000904050000000024008008FFFFFFFFFFFFFFFF

# descriptor_is BPINSUPPORT WLCDLAYOUT
descriptor_is()
{
	[ "$(pinpad_descriptor bPINSupport), $(pinpad_descriptor wlcdLayout)" = "$1, $2" ]
}

pinpad_relay_start 'pin-pad = no'
assert "no PIN pad" descriptor_is 0 none
raw=$(pinpad_raw power-on secure "$VERIFY" secure 04) || fail "Secure: $raw"
assert_equal "forbidden" 2 "$(grep -c 'secure: type=80 status=40 error=00' <<<"$raw")"
assert_equal "entries at the reader" 0 "$(pinpad_count 'verify bT')"

pinpad_bridge_restart
wait_for 20 "the PIN pad in the descriptor" descriptor_is "3 verification modification" "16 cols 2 lines"
assert "it was plugged in anew" [ "$(log_count guest-gadget 'plugged in as USB device')" -ge 2 ]
raw=$(pinpad_raw power-on secure "$VERIFY" secure "$MODIFY") || fail "Secure: $raw"
assert_equal "allowed" 2 "$(grep -c 'secure: .*data=9000' <<<"$raw")"

echo "verify tlv lcd=0414" >"$PINPAD/features"
host_pcscd_stop
host_pcscd_start
wait_for 30 "half a PIN pad in the descriptor" descriptor_is "1 verification" "20 cols 4 lines"
raw=$(pinpad_raw power-on secure "$VERIFY" secure "$MODIFY") || fail "Secure: $raw"
assert_contains "verification" "data=9000" "$(grep secure: <<<"$raw" | head -n 1)"
assert_contains "modification" "status=40 error=0A" "$(grep secure: <<<"$raw" | tail -n 1)"
assert_no_stuck_task
assert_kernel_quiet
