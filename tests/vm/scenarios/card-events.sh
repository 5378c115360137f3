# SPDX-License-Identifier: BSD-3-Clause
#
# The card is pulled and put back.
#
# Host:    the scripted card is removed and inserted five times; a program waits for that.
# Guest:   a program waits for the same; pcsc_scan runs.
# Asserts: the guest's program sees every removal and insertion at most 500 ms later than the host's;
#          pcsc_scan shows both; a card that is swapped for another in a moment is seen as removed.

# scan_shows COUNT TEXT
scan_shows()
{
	[ "$(guest 'tr -d "\r" </results/guest-scan.log' | grep -c "$2")" -ge "$1" ]
}

relay_start t1
host_watch_start host-watch --timeout 120
guest_watch_start guest-watch --timeout 120
guest_start scan "timeout 100 pcsc_scan -n"
wait_for 15 "the card in the guest" watch_saw guest-watch present
wait_for 5 "the card on the host" watch_saw host-watch present
wait_for 15 "the card in pcsc_scan" scan_shows 1 "Card inserted"

# states NAME: how many states that watch has printed
states()
{
	grep -c "event=state" "$RESULTS/$1.log"
}

saw_more()
{
	[ "$(states "$1")" -gt "$2" ]
}

late=0
for change in remove insert remove insert remove insert remove insert remove insert; do
	host_before=$(states host-watch)
	guest_before=$(states guest-watch)
	"card_$change"
	wait_for 5 "$change on the host" saw_more host-watch "$host_before"
	wait_for 5 "$change in the guest" saw_more guest-watch "$guest_before"
	state=empty
	[ "$change" = remove ] || state=present
	difference=$(($(watch_time guest-watch "$state") - $(watch_time host-watch "$state")))
	echo "$change: the guest saw it $difference ms after the host"
	[ "$difference" -le "$late" ] || late=$difference
	sleep 0.6
done
assert_at_most "ms from the host's sight to the guest's" 500 "$late"

wait_for 10 "five removals in pcsc_scan" scan_shows 5 "Card removed"
wait_for 10 "six insertions in pcsc_scan" scan_shows 6 "Card inserted"

guest_before=$(states guest-watch)
card_ctl swap 500 >/dev/null
wait_for 5 "the swap in the guest" saw_more guest-watch "$((guest_before + 1))"
guest_exchange loop 5 >/dev/null
assert_drivers_quiet
assert_no_stuck_task
assert_kernel_quiet
