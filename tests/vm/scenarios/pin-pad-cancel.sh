# SPDX-License-Identifier: BSD-3-Clause
#
# PIN entries that the guest's driver gives up.
#
# Host:    the scripted PIN pad; an entry hangs until the test lets it go on, and then the PIN is right.
# Guest:   ccid-pinpad, by libusb: time extensions; Abort, IccPowerOff and the end of the gadget while
#          an entry runs; wrong fields.
# Asserts: the driver is answered at once, and the late result reaches nobody; the bridge has stopped
#          waiting; when the reader's entry ends, with a verified PIN, the card is reset before anybody
#          can use it; the next command works, on a card that holds no verified PIN.
#
# Limit: 180

# PIN_VERIFY as PC_to_RDR_Secure, CCID 1.1, 6.1.11, and the card's own question for its state.
VERIFY=001E824803080402010904050000000020008008FFFFFFFFFFFFFFFF
STATE=00200080

# number NAME LINE: the number behind NAME= in a line of ccid-pinpad
number()
{
	sed -n "s/.* $1=\([0-9]*\).*/\1/p" <<<"$2"
}

# good_as_new: the hanging entry goes on, its PIN is right, and the card is reset
good_as_new()
{
	local before
	before=$(pinpad_count verified)
	pinpad_go
	wait_for 10 "the end of the entry" pinpad_is_beyond verified "$before"
	wait_for 20 "the card's reset" pinpad_is_clean
	raw=$(pinpad_raw becomes 1 5000 power-on apdu "$STATE") || fail "the next command: $raw"
	assert_contains "the card's state" "data=63C3" "$(grep apdu <<<"$raw")"
}

pinpad_relay_start

echo "time extensions"
pinpad_script "wait 3000 9000"
raw=$(pinpad_raw power-on secure "$VERIFY") || fail "Secure: $raw"
line=$(grep secure <<<"$raw")
echo "$line"
assert_contains "the answer" "type=80 status=00 error=00" "$line"
assert_contains "the status word" "data=9000" "$line"
assert "time extensions" [ "$(number extensions "$line")" -ge 4 ]
assert "not before half a second" [ "$(number first "$line")" -ge 450 ]
assert_at_most "ms between two" 1100 "$(number longest "$line")"

echo "wrong fields"
raw=$(pinpad_raw power-on secure 04 secure 00 secure "01${VERIFY:2:26}" status) || fail "wrong fields: $raw"
assert_equal "bStatus and bError" "status=40 error=10 status=40 error=01 status=40 error=01" \
	"$(grep secure <<<"$raw" | grep -o 'status=.. error=..' | sed 's/0A$/10/' | xargs)"

echo "Abort"
pinpad_script "hang 9000"
raw=$(pinpad_raw power-on start-secure "$VERIFY" extension abort quiet 1500 becomes 1 3000) ||
	fail "Abort: $raw"
echo "$raw"
assert_contains "the answer to Abort" "type=81 status=02 error=00" "$(grep abort <<<"$raw")"
assert_at_most "ms to the answer" 500 "$(number took "$(grep abort <<<"$raw")")"
assert "the bridge does not wait any more" log_has host-bridge "PIN entry is cancelled"
good_as_new

echo "IccPowerOff"
pinpad_script "hang 9000"
raw=$(pinpad_raw power-on start-secure "$VERIFY" extension power-off quiet 1500) ||
	fail "IccPowerOff: $raw"
assert_contains "the answer to IccPowerOff" "type=81 status=01 error=00" "$(grep power-off <<<"$raw")"
assert_at_most "ms to the answer" 500 "$(number took "$(grep power-off <<<"$raw")")"
good_as_new

echo "the gadget is killed"
pinpad_script "hang 9000"
raw=$(pinpad_raw power-on start-secure "$VERIFY" extension) || fail "an entry: $raw"
guest_kill_program gadget
wait_for 10 "no reader on the bus" guest_lacks_usb_reader
guest_gadget_start_only
wait_for 20 "the reader on the guest's bus" guest_has_usb_reader
good_as_new
assert_no_stuck_task
assert_kernel_quiet
