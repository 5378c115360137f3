# SPDX-License-Identifier: BSD-3-Clause
#
# The bridge is stopped in order, and started again.
#
# Host:    ccid-bridge ends by SIGTERM, first idle, then in the middle of an APDU of five seconds.
# Guest:   a program waits for changes of the card; another one makes that APDU.
# Asserts: the guest's pcscd sees the card removed within two seconds, not after the ten of a silent
#          link, and sees it again when the bridge is back; the APDU fails as soon, and is at the card
#          once; the card works.
#
# Limit: 240

relay_start t1
guest_watch_start guest-watch --timeout 200
wait_for 15 "the card in the guest" watch_saw guest-watch present
guest_exchange loop 3 >/dev/null

now()
{
	date +%s%3N
}

# saw_since STATE TIME: that watch has seen this state after that time
saw_since()
{
	local seen
	seen=$(watch_time guest-watch "$1")
	[ "${seen:-0}" -gt "$2" ]
}

# stop_bridge: it has to end with status 0.
stop_bridge()
{
	stopped=$(now)
	assert "exit status 0 of the bridge" host_bridge_stop
	wait_for 10 "the removal in the guest" saw_since empty "$stopped"
	assert_at_most "ms to the removal in the guest" 2000 \
		$(($(watch_time guest-watch empty) - stopped))
	echo "removed $(($(watch_time guest-watch empty) - stopped)) ms after the signal"
}

start_bridge()
{
	started=$(now)
	host_bridge_start
	wait_for 15 "the card in the guest again" saw_since present "$started"
	echo "back $(($(watch_time guest-watch present) - started)) ms after the start"
}

echo "idle"
stop_bridge
start_bridge
guest_exchange loop 3 >/dev/null

echo "in the middle of an APDU"
before=$(apdus_at_card)
guest_start slow "/build/tests/pcsc/exchange --wait 15 delay 5000"
apdu_runs()
{
	[ "$(apdus_at_card)" -gt "$before" ]
}
wait_for 20 "the APDU at the card" apdu_runs
during=$(apdus_at_card)
stop_bridge
assert_fails "the APDU's success" test "$(guest_end slow)" = 0
assert_equal "APDUs at the card" "$during" "$(apdus_at_card)"
start_bridge
guest_exchange loop 3 >/dev/null
assert_no_stuck_task
assert_kernel_quiet
