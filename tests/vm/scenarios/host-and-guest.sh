# SPDX-License-Identifier: BSD-3-Clause
#
# One card, used by programs of the host and of the guest.
#
# Host:    the SCard program uses the card before the guest, between two uses of the guest, at the
#          same time, and after the guest.
# Guest:   the SCard program uses the same card; verifies a PIN.
# Asserts: all of them succeed; the PIN that the guest verified is not verified for the host once the
#          guest has let go of the card, because the card was reset in between.

relay_start t1

host_exchange loop 20 >/dev/null
guest_exchange loop 20 >/dev/null
host_exchange loop 20 >/dev/null

# Both at once: the card is shared, and neither is locked out.
guest_exchange loop 300 >"$RESULTS/guest-loop.log" &
loop=$!
host_exchange loop 300 >"$RESULTS/host-loop.log"
wait "$loop" || fail "the guest's loop beside the host's"

ends=$(($(card_events reset) + $(card_events power-off)))
guest_exchange verify 123456 + sign >/dev/null
pin_is_forgotten()
{
	host_exchange sign expect 6982 >/dev/null
}
wait_for 10 "a reset of the card after the guest's use" pin_is_forgotten
assert "the card was reset or powered off" \
	[ "$(($(card_events reset) + $(card_events power-off)))" -gt "$ends" ]

guest_exchange loop 20 >/dev/null
host_exchange loop 20 >/dev/null
assert_kernel_quiet
