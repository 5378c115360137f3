# SPDX-License-Identifier: BSD-3-Clause
#
# A card that works for half a minute.
#
# Host:    a T=1 card for which libccid waits 1.1 s.
# Guest:   one APDU that takes 30 s; meanwhile usbmon listens on the bus; then normal ones.
# Asserts: the APDU succeeds and reached the card once; on the bus there were time extensions, never
#          more than 1 s apart, and one answer.
#
# Limit: 180

relay_start slow-t1
guest_exchange loop 3 >/dev/null

usbmon_start
before=$(apdus_at_card)
output=$(guest_within 90 "/build/tests/pcsc/exchange --wait 15 delay 30000") ||
	fail "the slow APDU: $output"
assert_equal "APDUs at the card" 1 "$(($(apdus_at_card) - before))"
usbmon_stop

extensions=$(usbmon_extensions)
count=$(wc -l <<<"$extensions")
echo "$count time extensions"
assert "30 time extensions at least" [ "$count" -ge 30 ]
gap=$(awk 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 } END { print int(gap / 1000) }' \
	<<<"$extensions")
echo "at most $gap ms apart"
assert_at_most "ms between time extensions" 1000 "$gap"

guest_exchange loop 3 >/dev/null
assert_kernel_quiet
