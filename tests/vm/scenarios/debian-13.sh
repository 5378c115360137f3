# SPDX-License-Identifier: BSD-3-Clause
#
# The same with the next Debian: kernel 6.12, pcscd 2.3, libccid 1.6, libusbgx 0.3, GnuPG 2.4.
#
# Suite:   trixie
# Host:    a T=1 card, the bridge.
# Guest:   Debian 13; the daemon and the programs are built there. pcsc_scan, opensc-tool, the SCard
#          program; then scdaemon with its own driver; then pcscd again.
# Asserts: versions; ATR; the lengths at which something changes, counted at the card; an APDU of eight
#          seconds; the card pulled and put back; GnuPG's answers as the card sent them; that neither
#          pcscd nor libccid had anything to complain about; a clean end.

relay_start t1
assert_contains "stock kernel" "6.12." "$(guest 'uname -r')"
assert_contains "pcscd of Debian 13" "2.3" "$(guest 'pcscd --version')"
assert_equal "ATR in the guest" "$(host_atr)" "$(guest_atr)"
scan=$(guest 'timeout 3 pcsc_scan -n 2>&1 | tr -d "\r"; true')
assert_contains "pcsc_scan: name" "VMware Virtual USB CCID [Virtual PCD 0" "$scan"
assert_contains "pcsc_scan: state" "Card inserted" "$scan"
before=$(apdus_at_card "cla=00 ins=84")
assert_contains "opensc-tool: an unknown instruction" "SW1=0x6D" "$(guest_apdu 00:84:00:00:08)"
assert_equal "GET CHALLENGE at the card" "$((before + 1))" "$(apdus_at_card 'cla=00 ins=84')"

# Short and extended, one packet and the next, around 2,065 bytes, the longest.
before=$(apdus_at_card)
output=$(guest_within 120 "/build/tests/pcsc/exchange --wait 15 sweep 0 20 + sweep 250 262 + \
	sweep 490 530 + sweep 1000 1040 + sweep 2030 2070 + sizes 4096 65000" |
	tee "$RESULTS/exchange.log") || fail "the exchange in the guest: $output"
assert_contains "all steps" "exchange: ok, 6 of 6 steps" "$output"
sent=$(sed -n 's/.* apdus=\([0-9]*\).*/\1/p' <<<"$output" | awk '{ n += $1 } END { print n }')
assert_equal "APDUs at the card" "$sent" "$(($(apdus_at_card) - before))"

before=$(apdus_at_card "cla=80 ins=20")
start=$(date +%s)
guest_exchange delay 8000 >/dev/null
assert "it took as long as the card" [ "$(($(date +%s) - start))" -ge 8 ]
assert_equal "WORK at the card" "$((before + 1))" "$(apdus_at_card 'cla=80 ins=20')"

for round in 1 2 3; do
	card_remove
	wait_for 10 "an empty reader, round $round" \
		guest_try "/build/tests/pcsc/watch --until empty --timeout 5"
	card_insert
	guest_exchange loop 5 >/dev/null
done
assert_drivers_quiet

guest_stop_program pcscd >/dev/null
gnupg_use_driver internal
assert_equal "scdaemon: a short APDU" "68656C6C6F9000" "$(scd 'APDU 801400000568656C6C6F00')"
gnupg_answers_work 16000
gnupg_kill

guest_pcscd_start
guest_exchange loop 5 >/dev/null
assert_drivers_quiet
assert_equal "exit status" 0 "$(guest_stop_program gadget)"
assert_no_stuck_task
assert_kernel_quiet
