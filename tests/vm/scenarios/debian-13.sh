# SPDX-License-Identifier: BSD-3-Clause
#
# The same with the next Debian: kernel 6.12, pcscd 2.3, libccid 1.6, libusbgx 0.3.
#
# Suite:   trixie
# Host:    a T=1 card, the bridge.
# Guest:   Debian 13; the daemon and the programs are built there.
# Asserts: versions; ATR; the lengths at which something changes; the card pulled and put back; a clean end.

relay_start t1
assert_contains "stock kernel" "6.12." "$(guest 'uname -r')"
assert_contains "pcscd of Debian 13" "2.3" "$(guest 'pcscd --version')"
assert_equal "ATR in the guest" "$(host_atr)" "$(guest_atr)"
guest_within 120 "/build/tests/pcsc/exchange --wait 15 sweep 0 10 + sweep 250 262 + sweep 498 506 + sizes 4096 16384 65000" \
	>"$RESULTS/exchange.log" || fail "the exchange in the guest"
card_remove
wait_for 10 "an empty reader" guest_try "/build/tests/pcsc/watch --until empty --timeout 5"
card_insert
guest_exchange loop 5 + delay 5000 >/dev/null
assert_equal "exit status" 0 "$(guest_stop_program gadget)"
assert_no_stuck_task
assert_kernel_quiet
