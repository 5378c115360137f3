# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The lengths that a scenario sends through a card of one protocol, and how they are counted.

# every_length PROTOCOL
every_length()
{
	local output before sent
	before=$(apdus_at_card)
	output=$(guest_within 240 "/build/tests/pcsc/exchange --wait 15 --protocol $1 \
		sweep 0 600 + sizes 4096 16384 65000 + untouched" | tee -a "$RESULTS/exchange.log") ||
		fail "the exchange in the guest: $output"
	assert_contains "all steps" "exchange: ok, 3 of 3 steps" "$output"
	sent=$(sed -n 's/.* apdus=\([0-9]*\).*/\1/p' <<<"$output" | awk '{ n += $1 } END { print n }')
	assert_equal "APDUs at the card" "$sent" "$(($(apdus_at_card) - before))"
	assert "a thousand lengths at least" [ "$sent" -gt 1200 ]
	assert_no_stuck_task
	assert_kernel_quiet
}
