# SPDX-License-Identifier: BSD-3-Clause
#
# The link freezes: nothing comes, and nobody is told.
#
# Host:    the tunnel is stopped (SIGSTOP), for a short and for a long time.
# Guest:   the card's status is asked a thousand times; an APDU is sent; the card is powered off.
# Asserts: status costs what it costs with a good link; the APDU that began before the link came back
#          is answered, and reached the card once; when the link stays away longer than the lease, the
#          APDU fails within bounds, the card counts as removed, and comes back with the link.
#
# Limit: 180

relay_start t1
guest_exchange loop 3 + status 200 >"$RESULTS/status-good.log"

freeze()
{
	pkill -"$1" socat
}

echo "for three seconds"
before=$(apdus_at_card)
freeze STOP
guest_exchange status 200 >"$RESULTS/status-frozen.log"
guest_within 60 "/build/tests/pcsc/exchange --wait 15 loop 1" >"$RESULTS/apdu-frozen.log" 2>&1 &
apdu=$!
sleep 3
freeze CONT
wait "$apdu" || fail "the APDU over the frozen link"
assert_at_most "APDUs at the card" 3 "$(($(apdus_at_card) - before))"

echo "for longer than the lease"
guest_exchange loop 1 >/dev/null
freeze STOP
start=$(date +%s)
guest_within 60 "/build/tests/pcsc/exchange loop 1" >"$RESULTS/apdu-lost.log" 2>&1 &&
	fail "an APDU succeeded without a link"
assert_at_most "seconds until the APDU failed" 20 "$(($(date +%s) - start))"
wait_for 15 "an empty reader" guest_try "/build/tests/pcsc/watch --until empty --timeout 5"
freeze CONT
wait_for 20 "the card again" guest_try "/build/tests/pcsc/watch --until present --timeout 5"
guest_exchange loop 3 >/dev/null
assert_no_stuck_task
assert_kernel_quiet
