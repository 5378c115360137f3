# SPDX-License-Identifier: BSD-3-Clause
#
# Two drivers take one reader in turn, and are killed in the middle of an APDU.
#
# Host:    a T=1 card.
# Guest:   scdaemon with its own driver verifies the PIN and is killed (SIGKILL) while the card works;
#          then pcscd uses the reader and is killed in the same way; three rounds of that. At the end
#          scdaemon works through pcscd.
# Asserts: each time the next driver works; each APDU reached the card once; no verified PIN is left
#          for the next driver; through pcscd, GnuPG gets the same answers and shows the same card.
#
# Limit: 300

works_at_card()
{
	apdus_at_card "cla=80 ins=20"
}

more_works_than()
{
	[ "$(works_at_card)" -gt "$1" ]
}

relay_start t1
guest_stop_program pcscd >/dev/null
gnupg_use_driver internal

for round in 1 2 3; do
	echo "round $round: scdaemon, killed"
	assert_equal "VERIFY" 9000 "$(scd 'APDU 0020008106313233343536')"
	before=$(works_at_card)
	scd 'APDU 80200BB8' >"$RESULTS/slow-scd.log" 2>&1 &
	process_adopt slow-scd $!
	wait_for 15 "scdaemon's APDU at the card" more_works_than "$before"
	gnupg_kill
	process_end slow-scd 20 || true

	guest_pcscd_start
	wait_for 15 "the reader in pcscd" guest_lists_reader
	guest_exchange sign expect 6982 + loop 5 >>"$RESULTS/exchange.log" ||
		fail "pcscd after scdaemon"
	assert_equal "APDUs of the killed scdaemon" "$((before + 1))" "$(works_at_card)"

	echo "round $round: pcscd, killed"
	before=$(works_at_card)
	guest_start slow-pcsc "/build/tests/pcsc/exchange --wait 15 verify 123456 + delay 3000"
	wait_for 15 "pcscd's APDU at the card" more_works_than "$before"
	guest_kill_program pcscd
	guest_end slow-pcsc >/dev/null
	guest_try 'rm -f /run/pcscd/pcscd.comm'

	assert_equal "no PIN is left" 6982 "$(scd 'APDU 80300000')"
	assert_equal "scdaemon after pcscd" 68699000 "$(scd 'APDU 8014000002686900')"
	assert_equal "APDUs of the killed pcscd" "$((before + 1))" "$(works_at_card)"
done

echo "scdaemon through pcscd"
gnupg_use_driver pcscd
guest_pcscd_start
wait_for 15 "the reader in pcscd" guest_lists_reader
assert_equal "a short APDU" "68656C6C6F9000" "$(scd 'APDU 801400000568656C6C6F00')"
for length in 257 2054 4000; do
	answer=$(scd "APDU --exlen=5000 8010$(printf %04X "$length")000000")
	assert_answer "an answer of $length bytes" "$((length + 2))" "$answer"
done
before=$(works_at_card)
assert_equal "an APDU of ten seconds" 9000 "$(scd 'APDU 80202710')"
assert_equal "WORK at the card" "$((before + 1))" "$(works_at_card)"
gnupg_kill # what has selected "undefined"
shown=$(guest 'GNUPGHOME=/run/gnupg gpg --card-status 2>&1')
assert_contains "card-status: reader" "Reader ...........: VMware Virtual USB CCID" "$shown"
assert_contains "card-status: serial number" "Serial number ....: 12345678" "$shown"
assert_no_stuck_task
assert_kernel_quiet
