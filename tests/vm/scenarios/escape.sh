# SPDX-License-Identifier: BSD-3-Clause
#
# Escape commands: from the guest's driver to the host's reader, if the host says so.
#
# Host:    the scripted PIN pad, which has an escape command; the bridge refuses it, then allows it.
# Guest:   ccid-pinpad, by libusb; then a program with pcscd and libccid, which is told to let escapes
#          through (ifdDriverOptions).
# Asserts: refused by default, and nothing reached the reader; when allowed, bytes and answer are those of
#          the program, with a powered card and without; a slow one has time extensions; one that is
#          aborted reaches nobody; the card is reset when the guest lets go of it; tshark names all of it in
#          a trace, Secure, too, and nothing that is secret is there.
#
# Limit: 120

pinpad_relay_start
raw=$(pinpad_raw escape 0A0B power-on escape 0A0B) || fail "Escape: $raw"
assert_equal "refused" "status=41 error=00 status=40 error=00" \
	"$(grep escape <<<"$raw" | grep -o 'status=.. error=..' | xargs)"
assert_equal "escapes at the reader" 0 "$(pinpad_count escape)"

pinpad_bridge_restart 'escape = yes'
wait_for 20 "the card" guest_try "/build/tests/pinpad/ccid-pinpad becomes 1 1000"
pinpad_script "answer 0C0D0E" "answer 0F" "wait 2500 10" "answer $(printf '%02X' {1..200} | cut -c1-400)"
raw=$(pinpad_raw power-off escape 0A0B power-on escape 0102030405 escape 0A escape 0B) ||
	fail "Escape: $raw"
echo "$raw"
assert_contains "without a card in use" "type=83 status=01 error=00" "$(grep escape: <<<"$raw" | head -n 1)"
assert_equal "answers" "0C0D0E 0F 10 $(printf '%02X' {1..200} | cut -c1-400)" \
	"$(sed -n 's/^escape: .*data=//p' <<<"$raw" | xargs)"
assert_equal "commands" "0A0B 0102030405 0A 0B" \
	"$(sed -n 's/.* escape data=//p' "$PINPAD/log" | xargs)"
assert "time extensions" [ "$(grep -c 'escape: .*extensions=[1-9]' <<<"$raw")" -ge 1 ]

echo "Abort"
guest_trace pad
pinpad_script "hang 11"
raw=$(pinpad_raw power-on start-escape 0C extension abort quiet 1500 becomes 1 3000) ||
	fail "Abort: $raw"
assert_contains "the answer to Abort" "type=81 status=02 error=00" "$(grep abort <<<"$raw")"
resets=$(pinpad_count "power reset")
pinpad_go
wait_for 20 "the card's reset" pinpad_is_beyond "power reset" "$resets"
raw=$(pinpad_raw power-on escape 0D) || fail "after Abort: $raw"
assert_contains "the next one" "data=9000" "$(grep escape: <<<"$raw")"

echo "a trace of it"
pinpad_script "answer 9000" "answer $TRACE_MARKER"
raw=$(pinpad_raw power-on apdu "0020008008$TRACE_MARKER" \
	secure "001E824803080402010904050000000020008008$TRACE_MARKER" escape "$TRACE_MARKER") || fail "traced: $raw"
assert_contains "the answer to Escape" "data=$TRACE_MARKER" "$(grep escape: <<<"$raw")"
trace_is_fit_to_be_shown pad "ICC Power On" Verify "PC to Reader: Secure" \
	"Reader to PC: Escape" "PC to Reader: Abort"
assert_equal "lengths of Escape and Secure" "75 75 102 82 " "$(read_back pad.pcapng -T fields -e frame.len \
	-Y 'usbccid.bMessageType == 0x69 || usbccid.bMessageType == 0x6b' | tail -n 4 | tr '\n' ' ')"
assert_equal "the requests" 1 "$(read_back pad.pcapng -Y 'frame.comment == "ABORT"' | wc -l)"

echo "libccid"
guest_try 'sed -i "/ifdDriverOptions/{n;s/0x0000/0x0001/}" /etc/libccid_Info.plist'
guest_pcscd_start
pinpad_script "answer 0E0F"
wait_for 20 "the reader in the guest's pcscd" guest_lists_reader
output=$(guest_exchange escape 1112) || fail "libccid: $output"
assert_contains "libccid" "data=0E0F" "$output"
assert_no_stuck_task
assert_kernel_quiet
