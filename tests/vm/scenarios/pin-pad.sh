# SPDX-License-Identifier: BSD-3-Clause
#
# PINs that are entered at the host's reader, through the guest's unmodified pcscd and libccid.
#
# Host:    two readers: the scripted PIN pad, and vpcd's, which has none.
# Guest:   lsusb; a program asks for the readers' features, and has PINs verified and modified by
#          SCardControl.
# Asserts: the guest's descriptors have bPINSupport and wLcdLayout of their host readers; the structure
#          that the host's driver got has every field as the guest's program filled it in (but
#          bTimerOut2, which CCID has not); every status word comes back; an entry of five seconds
#          succeeds; a card with a verified PIN is reset when the guest lets go of it.
#
# Limit: 120

STRUCTURE="bTimerOut=1E bTimerOut2=00 bmFormatString=82 bmPINBlockString=48 bmPINLengthFormat=03"

# pin STEP...: SCard steps at the PIN pad
pin()
{
	guest "/build/tests/pcsc/exchange --wait 15 --reader '*Scripted*' $*"
}

two_readers()
{
	[ "$(guest_readers | wc -l)" = 2 ]
}

pinpad_reader_config
host_pcscd_start
card_start "$VPCD_PORT:t1"
host_bridge_config 'readers = { "Scripted*", "Virtual PCD 0 00 00" }'
host_bridge_start
host_tunnel_start
guest_boot
guest_load_usb 2
guest_tunnel_start
guest_gadget_config 'reader "Scripted*" {}' 'reader "Virtual*" {}'
guest_gadget_start_only
guest_pcscd_start
wait_for 20 "two readers" two_readers

echo "descriptors and features"
assert_equal "bPINSupport" "3 verification modification" "$(pinpad_descriptor bPINSupport)"
assert_equal "wLcdLayout" "16 cols 2 lines" "$(pinpad_descriptor wlcdLayout)"
assert_equal "bPINSupport of the other reader" 0 "$(pinpad_descriptor bPINSupport Virtual)"
assert_equal "wLcdLayout of the other reader" none "$(pinpad_descriptor wlcdLayout Virtual)"
assert_equal "features of the PIN pad" "features=verify,modify,properties,tlv," \
	"$(pin features | grep -o 'features=.*')"
assert_equal "features of vpcd's reader" "features=tlv," "$(guest "/build/tests/pcsc/exchange \
	--wait 15 --reader '*Virtual PCD*' features" | grep -o 'features=.*')"

echo "structures"
pin verify-pin >/dev/null || fail "a verification"
assert_equal "PIN_VERIFY_STRUCTURE" "verify $STRUCTURE wPINMaxExtraDigit=0408\
 bEntryValidationCondition=02 bNumberMessage=01 wLangId=0409 bMsgIndex=05 bTeoPrologue=A1A2A3\
 ulDataLength=D abData=0020008008FFFFFFFFFFFFFFFF" "$(pinpad_last verify)"

# modified MESSAGES INDEX2 INDEX3: with that many messages these indices arrive
modified()
{
	pin "modify-pin $1" >/dev/null || fail "a modification with $1 messages"
	assert_equal "PIN_MODIFY_STRUCTURE with $1 messages" "modify $STRUCTURE\
 bInsertionOffsetOld=00 bInsertionOffsetNew=08 wPINMaxExtraDigit=0408 bConfirmPIN=03\
 bEntryValidationCondition=02 bNumberMessage=$(printf '%02X' "$1") wLangId=0409 bMsgIndex1=05\
 bMsgIndex2=$2 bMsgIndex3=$3 bTeoPrologue=A1A2A3\
 ulDataLength=15 abData=0024008010FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" "$(pinpad_last modify)"
}
modified 3 06 07
modified 2 06 00
modified 1 06 00
modified 0 00 00
modified 255 06 07

echo "status words"
pinpad_script "answer 63C2" "answer 6400" "answer 6401" "answer 6402" "answer 6403" "answer 6983" \
	"fail 613" "answer 9000"
pin "verify-pin expect 63C2 + verify-pin expect 6400 + verify-pin expect 6401 + \
	modify-pin 3 expect 6402 + modify-pin 3 expect 6403 + verify-pin expect 6983 + \
	verify-pin expect SCARD_E_NOT_TRANSACTED + verify-pin expect 9000" >"$RESULTS/words.log" ||
	fail "status words: $(cat "$RESULTS/words.log")"

echo "a slow entry"
pinpad_script "wait 5000 9000"
before=$(pinpad_count verify)
pin verify-pin >"$RESULTS/slow.log" || fail "a slow entry: $(cat "$RESULTS/slow.log")"
assert_equal "one entry at the reader" "$((before + 1))" "$(pinpad_count 'verify bT')"

echo "the card afterwards"
wait_for 20 "the card's reset" pinpad_is_clean
assert_contains "it was a reset" "power reset" "$(grep -A 3 verified "$PINPAD/log" | tail -n 3)"
assert_lacks "log of the bridge" "FFFFFFFF" "$(cat "$RESULTS/host-bridge.log")"
assert_no_stuck_task
assert_kernel_quiet
