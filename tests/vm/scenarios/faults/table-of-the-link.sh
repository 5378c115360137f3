# SPDX-License-Identifier: BSD-3-Clause
#
# What happens when something dies between the guest's driver and the host's pcscd, row by row.
#
# Host:    the link is cut while an APDU runs, and is away for longer than the lease; the front, the
#          bridge, and the guest's daemon are killed, the card in use each time.
# Guest:   the SCard program with an APDU of two seconds; watch; usbmon.
# Asserts: what the driver was answered, what pcscd made of it, that no APDU was repeated, that the
#          card is used again, and bounds for how long that took.
#
# Limit: 300

relay_start_proxied t1
rows_start

# begin: an APDU that takes three seconds is at the card
begin()
{
	guest_start "$1" "/build/tests/pcsc/exchange --wait 15 delay 3000"
	wait_for 20 "$row: the APDU at the card" row_apdu_begun
	row_now
}

# outcome NAME: of its APDU
outcome()
{
	sed -n 's/^delay: [^ ]* outcome=\([^ ]*\).*/\1/p' "$RESULTS/guest-$1.log"
}

row "link cut while an APDU runs"
begin cut
link cut
assert_equal "$row: exit status" 0 "$(guest_end cut 15)"
assert "$row: time extensions" [ "$(row_extensions)" -ge 3 ]
assert_fails "$row: no removal" row_saw "empty"
row_recovers
row_end 2

row "link away longer than the lease"
begin away
link freeze
assert_equal "$row: exit status" 1 "$(guest_end away 25)"
assert_at_most "$row: ms until the driver was told" 16000 "$(ms_since "$row_fault")"
row_assert_failed "80 . F[BE]"
wait_for 10 "$row: a removal" row_saw "empty"
row_now
link pass
wait_for 20 "$row: an insertion" row_saw "empty present"
row_recovers
row_end 2

row "front killed"
guest_start front "/build/tests/pcsc/exchange --wait 15 loop 150"
wait_for 20 "$row: APDUs at the card" row_apdu_begun
row_now
host_role_kill front
assert_equal "$row: exit status" 0 "$(guest_end front 25)"
slowest=$(sed -n 's/.* ms-max=\([0-9]*\)\..*/\1/p' "$RESULTS/guest-front.log")
echo "$row: the slowest APDU took $slowest ms"
assert_at_most "$row: ms of the slowest APDU" 2000 "$slowest"
assert_fails "$row: no removal" row_saw "empty"
row_recovers
row_end 151

row "bridge killed and started again"
begin bridge
host_bridge_die
card_ctl atr extended >/dev/null
card_ctl swap 500 >/dev/null
host_bridge_start
assert_equal "$row: exit status" 1 "$(guest_end bridge 15)"
row_assert_failed "80 . FB"
wait_for 20 "$row: removal and insertion" row_saw "empty present"
row_recovers
assert_equal "$row: ATR in the guest" "$(host_atr)" "$(guest_atr)"
row_end 2

row "guest's daemon killed and started again"
resets=$(($(card_events reset) + $(card_events power-off)))
guest_exchange verify 123456 >/dev/null
begin daemon
guest_kill_program gadget
guest_gadget_start_only
assert_equal "$row: exit status" 1 "$(guest_end daemon 15)"
wait_for 20 "$row: another reader" row_saw "removed .*added"
row_recovers
assert "$row: the card was reset" \
	[ "$(($(card_events reset) + $(card_events power-off)))" -gt "$resets" ]
guest_exchange sign expect 6982 >/dev/null
row_end 4

assert_no_stuck_task
assert_kernel_quiet
