# SPDX-License-Identifier: BSD-3-Clause
#
# Two guests want the same card: who waits is told so, and who only looks disturbs nobody.
#
# Host:    one card; the bridge with share = transaction, then exclusive for both guests.
# Guests:  the second has the card: a verified PIN, an APDU of 38 s, or the card for itself. The first
#          one looks at it, powers it on and off, or wants it too; watch and usbmon in the first.
# Asserts: powered on and off without an APDU, five times, the card is not reset, and the other's PIN
#          state and session are what they were; after an APDU they are gone. An APDU of the one waits
#          while that of the other runs: time extensions, after 30 s a busy error, and nothing was sent;
#          the next one waits and succeeds. Exclusively: the card counts as present, IccPowerOn fails as
#          mute within ten seconds, and when the card is free it is shown as removed and inserted, and
#          works. What the other has begun always succeeds.
#
# Limit: 300

# other NAME STEP...: a program of the second guest, by which the card stays with it
other()
{
	on_guest 2 guest_start "$1" "/build/tests/pcsc/exchange --wait 30 --disposition unpower ${*:2}"
}

# Whether this guest's pcscd has seen a card go since $removals were counted.
card_went()
{
	[ "$(log_count "guest$GUEST-pcscd" "Card Removed")" -gt "$removals" ]
}

# What has happened to the card's power so far.
card_resets()
{
	echo "$(card_events reset) resets, $(card_events power-off) off, $(card_events power-on) on"
}

power_offs()
{
	usbmon_answers 63 | wc -l
}

let_go()
{
	[ "$(log_count host-bridge "vm$GUEST: .*event=card-opened")" = \
		"$(log_count host-bridge "vm$GUEST: .*event=card-closed")" ]
}

two_guests_config 'readers = { "*" }'
two_guests_start "$VPCD_PORT:t1"
rows_start

row "a look at another's card"
other keeper select + verify 123456 + sleep 600000
wait_for 30 "$row: the other's PIN" log_has guest2-keeper "verify: ok"
resets=$(card_resets)
offs=$(power_offs)
removals=$(log_count guest2-pcscd "Card Removed")
for _ in 1 2 3 4 5; do
	guest_exchange --disposition unpower atr >/dev/null
done
assert "$row: powered off five times" [ "$(power_offs)" -ge $((offs + 5)) ]
assert_equal "$row: APDUs" 2 "$(($(apdus_at_card) - row_apdus))"
assert "$row: the other's PIN state" on_guest 2 guest_try "/build/tests/pcsc/exchange sign"
assert_equal "$row: what happened to the card" "$resets" "$(card_resets)"
assert_fails "$row: the other's card went" on_guest 2 card_went
echo "$row: powered off $(($(power_offs) - offs)) times; $(card_resets), as before"

row "use of another's card"
guest_exchange --disposition unpower select >/dev/null
assert_fails "$row: resets" [ "$resets" = "$(card_resets)" ]
assert_fails "$row: nothing was noticed" on_guest 2 guest_try "/build/tests/pcsc/exchange sign"
wait_for 10 "$row: a removal for the other" on_guest 2 card_went
wait_for 20 "$row: no PIN state" \
	on_guest 2 guest_try "/build/tests/pcsc/exchange --wait 10 sign expect 6982"
on_guest 2 guest_kill_program keeper

row "an APDU of the other runs"
guest_start keeper "/build/tests/pcsc/exchange --wait 30 connect + sleep 600000"
wait_for 30 "$row: the first guest's card" log_has guest-keeper "connect: ok"
row_apdus=$(apdus_at_card)
row_extensions=$(usbmon_extensions | wc -l)
other long delay 38000
wait_for 30 "$row: the APDU at the card" row_apdu_begun
row_now
guest_start refused "/build/tests/pcsc/exchange delay 100"
wait_for 60 "$row: the end of the program that waits" log_has guest-refused "exchange: "
refused=$(ms_since "$row_fault")
assert_equal "$row: exit status" 1 "$(guest_end refused)"
assert_at_most "$row: ms until the driver was told" 40000 "$refused"
assert "$row: time extensions" [ "$(row_extensions)" -ge 30 ]
row_assert_failed "80 . E0"
assert_equal "$row: APDUs at the card" 1 "$(($(apdus_at_card) - row_apdus))"
row_recovers
assert_equal "$row: the other's exit status" 0 "$(on_guest 2 guest_end long 20)"
row_end 2
echo "$row: busy after $refused ms"
guest_kill_program keeper

echo "exclusive"
host_bridge_stop
two_guests_config 'readers = { "*" } share = exclusive'
host_bridge_start
# What the drivers have begun by themselves is over when each has had the card and let it go.
both_guests guest_within 60 "/build/tests/pcsc/exchange --wait 50 --disposition unpower turns 1 1 40" >/dev/null
both_guests wait_for 20 "$row: a card that nobody has" let_go
row "the other has the card exclusively"
other owner loop 1 + sleep 20000 + loop 1
wait_for 30 "$row: the other's card" log_has guest2-owner "loop: ok"
guest "/build/tests/pcsc/watch --until present --timeout 5" >/dev/null ||
	fail "$row: the card counts as present"
start=$(date +%s%3N)
guest_try "timeout 20 /build/tests/pcsc/exchange connect" && fail "$row: connected"
assert_at_most "$row: ms of the connect" 10000 "$(ms_since "$start")"
row_assert_failed "80 . FE"
removals=$(log_count guest-pcscd "Card Removed")
assert_fails "$row: shown as free" card_went
assert_equal "$row: the other's exit status" 0 "$(on_guest 2 guest_end owner 40)"
row_now
wait_for 10 "$row: a removal" card_went
row_recovers
row_end 3

both_guests assert_no_stuck_task
both_guests assert_kernel_quiet
