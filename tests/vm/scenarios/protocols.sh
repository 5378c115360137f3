# SPDX-License-Identifier: BSD-3-Clause
#
# A card that speaks T=0 and T=1: the guest's program chooses.
#
# Host:    such a card.
# Guest:   programs ask for T=1, T=0 and T=1 again, and exchange APDUs in each.
# Asserts: the host's pcscd negotiated what each asked for, after a reset of the card; the APDUs pass
#          both ways; a trace of T=0 has names for all of it, and no PIN.

relay_start dual

# use PROTOCOL: some APDUs in that protocol, beginning with an unpowered card
use()
{
	guest_exchange --protocol "$1" --disposition unpower loop 5 + sweep 250 260 "${@:2}" \
		>"$RESULTS/exchange-$1.log" || fail "$1 in the guest"
}

# The protocol that the host's pcscd negotiated last.
negotiated()
{
	sed -n 's/.*Attempting PTS to T=\([01]\).*/t\1/p' "$RESULTS/host-pcscd.log" | tail -n 1
}

for protocol in t1 t0 t1; do
	use "$protocol"
	assert_equal "the host's protocol" "$protocol" "$(negotiated)"
done
guest_trace t0
use t0 + apdu "0020008008$TRACE_MARKER" expect any + apdu "8014000008${TRACE_MARKER}00" expect any \
	+ apdu 00C0000008 expect any
assert_equal "the host's protocol" t0 "$(negotiated)"
trace_is_fit_to_be_shown t0 "ICC Power On" "Set Parameters" "Reader to PC: Parameters" Verify "Get response"
assert "the card was reset for each change" [ "$(card_events reset)" -ge 1 ]
assert_drivers_quiet
assert_kernel_quiet
