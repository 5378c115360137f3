# SPDX-License-Identifier: BSD-3-Clause
#
# A host program has the card exclusively, and lets it go.
#
# Host:    the SCard program connects with SCARD_SHARE_EXCLUSIVE, and is killed; it asks for that once
#          while a program in the guest has the card.
# Guest:   the SCard program wants the card meanwhile; watch; usbmon.
# Asserts: it is refused while the guest has the card, and the guest's PIN state is not touched; when the
#          guest has let go, the host gets the card, without the PIN. The card counts as present; IccPowerOn fails as mute within ten seconds; when the card is
#          free it is shown as removed and inserted, so that the driver tries again, and it works.

relay_start t1
rows_start

# What pcscd says itself: libpcsclite 1.9.9 doesn't tell a program that had seen no event of this
# card before of one that comes and goes between two calls.
came_again()
{
	[ "$(log_count guest-pcscd "Card Removed")" -gt "$removals" ] &&
		[ "$(grep "Card Removed\|Card inserted" "$RESULTS/guest-pcscd.log" | tail -n 1 |
			grep -c "Card inserted")" = 1 ]
}

guest_let_go()
{
	[ "$(log_count host-bridge "event=card-closed")" -gt "$closed" ]
}

row "host program wants the card exclusively, and the guest has verified"
guest_start verified "/build/tests/pcsc/exchange --wait 15 --disposition unpower \
	select + verify 123456 + sleep 3000 + sign"
wait_for 15 "$row: the PIN" log_has guest-verified "verify: ok"
closed=$(log_count host-bridge "event=card-closed")
host_exchange --share exclusive connect expect SCARD_E_SHARING_VIOLATION >/dev/null
row_now
assert_equal "$row: exit status" 0 "$(guest_end verified 20)"
wait_for 10 "$row: the guest has let go" guest_let_go
host_exchange --share exclusive sign expect 6982 >/dev/null
row_recovers
row_end 5

row "host program has the card exclusively"
closed=$(log_count host-bridge "event=card-closed")
guest_exchange --disposition unpower connect >/dev/null
wait_for 10 "$row: the guest has let go" guest_let_go
row_host exclusive connect --share exclusive connect + sleep 60000
guest "/build/tests/pcsc/watch --until present --timeout 5" >/dev/null ||
	fail "$row: the card counts as present"
start=$(date +%s%3N)
guest_try "timeout 20 /build/tests/pcsc/exchange connect" && fail "$row: connected"
assert_at_most "$row: ms of the connect" 10000 "$(ms_since "$start")"
row_assert_failed "80 . FE"
removals=$(log_count guest-pcscd "Card Removed")
row_now
process_kill exclusive
wait_for 10 "$row: removal and insertion" came_again
row_recovers
row_end 1

assert_no_stuck_task
assert_kernel_quiet
