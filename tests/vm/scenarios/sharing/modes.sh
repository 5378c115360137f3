# SPDX-License-Identifier: BSD-3-Clause
#
# SELECT, VERIFY and SIGN in the guest, and the same on the host, against each other, in each mode.
#
# Host:    one card; the bridge with share = transaction, then shared, then exclusive; a program that
#          signs, taking a transaction each time.
# Guest:   the same program.
# Asserts: transaction: 500 sequences of each side, none is interrupted and none fails; they take turns;
#          nobody waits for longer than hold-max and a second. shared: none fails, and some are seen
#          to be interrupted. exclusive: the host's program is refused while the guest has the card, and
#          gets it when the guest's pcscd has powered it off; and the other way round. The guest's PIN
#          state is gone each time when the host gets the card.
#
# Limit: 300

use_mode()
{
	host_bridge_stop
	host_bridge_config 'readers = { "*" }' "share = $1" "${@:2}"
	host_bridge_start
	wait_for 20 "the guest's use of the card" guest_try "/build/tests/pcsc/exchange --wait 15 loop 1"
}

# both_sign ROUNDS: each side that often, at the same time.
both_sign()
{
	mark=$(card_log_mark)
	guest_within 200 "/build/tests/pcsc/exchange --wait 15 rounds $1 40 5" >"$RESULTS/guest-rounds.log" &
	local guest=$!
	host_exchange rounds "$1" 50 5 >"$RESULTS/host-rounds.log" || fail "the host's sequences"
	wait "$guest" || fail "the guest's sequences"
	assert_equal "the host's signatures" "$1" "$(sequences_of "$mark" 50)"
	assert_equal "the guest's signatures" "$1" "$(sequences_of "$mark" 40)"
	echo "turns: $(sequences_turns "$mark"), interrupted: $(sequences_broken "$mark")," \
		"longest wait: guest $(longest_wait guest-rounds) ms, host $(longest_wait host-rounds) ms"
}

relay_start t1

echo "transaction"
use_mode transaction "hold-max = 2000"
both_sign 500
assert_equal "interrupted sequences" 0 "$(sequences_broken "$mark")"
assert "they take turns" [ "$(sequences_turns "$mark")" -ge 4 ]
assert_at_most "the host's longest wait" 3000 "$(longest_wait host-rounds)"
assert_at_most "the guest's longest wait" 3000 "$(longest_wait guest-rounds)"

echo "shared"
use_mode shared
both_sign 100
assert "sequences are interrupted" [ "$(sequences_broken "$mark")" -gt 0 ]

echo "exclusive"
use_mode exclusive
mark=$(card_log_mark)
guest_within 60 "/build/tests/pcsc/exchange --wait 15 rounds 5 40 + sleep 3000 + rounds 5 40" \
	>"$RESULTS/guest-rounds.log" &
guest=$!
guest_has_signed()
{
	[ "$(sequences_of "$mark" 40)" -ge 5 ]
}
wait_for 20 "the guest's first sequences" guest_has_signed
host_exchange connect expect SCARD_E_SHARING_VIOLATION >/dev/null || fail "the host gets in"
wait "$guest" || fail "the guest's sequences"
assert_equal "the guest's signatures" 10 "$(sequences_of "$mark" 40)"
assert_equal "interrupted sequences" 0 "$(sequences_broken "$mark")"
host_finds_no_pin()
{
	host_exchange sign expect 6982 >/dev/null 2>&1
}
wait_for 20 "the host's turn, and no PIN state" host_finds_no_pin
assert_equal "nothing else came to the card" 11 "$(sequences_after "$mark" | grep -c '^30')"

echo "exclusive, the host first"
mark=$(card_log_mark)
"$HOST_EXCHANGE" --wait 15 rounds 1 50 + sleep 3000 + rounds 1 50 >"$RESULTS/host-rounds.log" &
host=$!
host_has_signed()
{
	[ "$(sequences_of "$mark" 50)" -ge 1 ]
}
wait_for 10 "the host's first sequence" host_has_signed
wait_for 20 "the guest's turn" guest_try "/build/tests/pcsc/exchange --wait 15 rounds 1 40"
wait "$host" || fail "the host's sequences"
assert_equal "interrupted sequences" 0 "$(sequences_broken "$mark")"
assert_no_stuck_task
assert_kernel_quiet
