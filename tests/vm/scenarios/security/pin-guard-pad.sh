# SPDX-License-Identifier: BSD-3-Clause
#
# pin-guard = 1 where the PIN is entered at the host's reader: the guard sees no PIN there, only what
# the pad has answered.
#
# Host:    the scripted PIN pad, whose card has three tries; the bridge with pin-guard = 1, later with
#          pin-guard-ask = no, so that nothing but its memory decides; a program that enters the right PIN.
# Guest:   a program that has PINs verified and modified at the pad, and sends a VERIFY itself; the
#          bridge and its worker are killed meanwhile.
# Asserts: at the pad: two wrong PINs, and it never asks for a third, while what was cancelled has used
#          none; in the place of that the guest's program gets 6900. After the right PIN on the host the
#          pad asks again. An entry whose end nobody knows counts. Each of these is a line of the audit
#          log, with the reader, the result and what is left.
#
# Limit: 150

reader='reader="Scripted PIN pad 00 00"'

# pin STEP...: SCard steps at the PIN pad
pin()
{
	guest "/build/tests/pcsc/exchange --wait 15 --reader '*Scripted*' $*"
}

# entered SCRIPT OUTCOME STEP: the pad asks for a PIN, once
entered()
{
	local before
	before=$(pinpad_entries)
	pinpad_script "$1"
	pin "$3 expect $2" >"$RESULTS/entry.log" || fail "$3 ($1): $(cat "$RESULTS/entry.log")"
	assert_equal "$3 ($1): entries at the pad" $((before + 1)) "$(pinpad_entries)"
}

pinpad_entries()
{
	echo $(($(pinpad_count "verify bT") + $(pinpad_count "modify bT")))
}

# refused WHAT: the pad asks for nothing, and the card gets nothing that has a PIN
refused()
{
	local entries step
	entries=$(pinpad_entries)
	pinpad_script "answer 9000" "answer 9000"
	for step in verify-pin "modify-pin 3" "apdu 0020008008FFFFFFFFFFFFFFFF"; do
		pin "$step expect 6900" >"$RESULTS/refused.log" || fail "$1: $(cat "$RESULTS/refused.log")"
	done
	assert_equal "$1: entries at the pad" "$entries" "$(pinpad_entries)"
	assert_equal "$1: the guest's own VERIFY at the card" 0 "$(pinpad_count "apdu data=0020008008")"
	echo "$1: refused"
}

# audited COUNT FIELDS: so many lines of the audit log, from guest and reader to the last field
audited()
{
	assert_equal "audit log: $2" "$1" "$(grep -c -F \
		"audit: event=verification $2 pin-pad=yes guest=\"vm\" $reader" "$RESULTS/host-bridge.log" || true)"
}

guest_works()
{
	guest_try "/build/tests/pcsc/exchange --wait 15 --reader '*Scripted*' apdu 00b0000000 expect 6D00"
}

# end_bridge FUNCTION GUEST-OPTION...: the old one by this function; with which policy the new one starts
end_bridge()
{
	"$1"
	shift
	host_bridge_config 'readers = { "Scripted*" }' "$@"
	host_bridge_start
	wait_for 30 "the guest's use of the card" guest_works
}

# The worker is killed while the pad waits, and nobody learns how that ends.
lost_entry()
{
	local before program
	before=$(pinpad_entries)
	pinpad_script "hang 63C2"
	pin "verify-pin expect any" >"$RESULTS/lost.log" 2>&1 &
	program=$!
	pad_asks()
	{
		[ "$(pinpad_entries)" -gt "$before" ]
	}
	wait_for 20 "the entry at the pad" pad_asks
	host_role_kill worker
	pinpad_go
	wait "$program" || true
	wait_for 30 "the guest's use of the card" guest_works
}

pinpad_relay_start 'pin-guard = 1'
guest_pcscd_start
wait_for 20 "the guest's use of the card" guest_works

echo "two wrong PINs at the pad, and no third"
entered "answer 6401" 6401 verify-pin
entered "answer 63C2" 63C2 verify-pin
entered "answer 6400" 6400 verify-pin
entered "answer 63C1" 63C1 "modify-pin 3"
refused "the last try"
end_bridge host_bridge_die 'pin-guard = 1'
refused "another bridge"

echo "from memory alone"
end_bridge host_bridge_die 'pin-guard = 1' 'pin-guard-ask = no'
questions=$(pinpad_count "apdu data=00200080")
refused "another bridge that doesn't ask"
assert_equal "questions to the card" "$questions" "$(pinpad_count "apdu data=00200080")"

echo "the right PIN on the host"
pinpad_script "answer 9000"
host_exchange --reader "Scripted*" --disposition unpower verify-pin >/dev/null || fail "the host's PIN entry"
end_bridge host_bridge_stop 'pin-guard = 1'
entered "answer 9000" 9000 verify-pin

echo "an entry whose end nobody knows"
end_bridge host_bridge_stop 'pin-guard = 1' 'pin-guard-ask = no'
entered "answer 63C2" 63C2 verify-pin
lost_entry
refused "after a lost entry"

echo "the audit log"
audited 1 "command=verify reference=80 result=rejected sw=6401"
audited 1 "command=verify reference=80 result=rejected sw=6400"
audited 2 "command=verify reference=80 result=wrong tries=2 sw=63C2"
audited 1 "command=change reference=80 result=wrong tries=1 sw=63C1"
audited 1 "command=verify reference=80 result=verified sw=9000"
audited 1 "command=verify reference=80 result=lost"
audited 4 "command=verify reference=80 result=refused tries=1"
audited 4 "command=change reference=80 result=refused tries=1"
assert_equal "refused, and not at the pad" 4 "$(grep -c -F \
	"command=verify reference=80 result=refused tries=1 guest=\"vm\" $reader" "$RESULTS/host-bridge.log")"
assert_equal "entries at the pad: the guest's seven, the host's" 8 "$(pinpad_entries)"
assert_no_stuck_task
assert_kernel_quiet
