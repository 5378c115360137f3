# SPDX-License-Identifier: BSD-3-Clause
#
# What programs do with a real card: login, signatures and decryption with three keys, all that is
# on it.
#
# Host:    a CAC card (Common Access Card, T=0) made of libcacard and a token of softhsm2; OpenSC's
#          pkcs11-tool --test and pkcs15-tool -D.
# Guest:   the same two programs, through the relay.
# Asserts: they print the same, and the same APDUs reach the card in the same order and get the same
#          answers, as far as neither depends on random numbers; PINs were verified and keys used.

pin=77777777

# pkcs11-tool --test ends with "1 errors", because this card has no GET CHALLENGE
# (C_GenerateRandom). That is the card's business; it has to be the same on both sides.
workload="pkcs11-tool --login --pin $pin --test 2>&1; echo status \$?
	pkcs15-tool -D 2>&1; echo status \$?"

# conversation: the APDUs in a card's log and their answers, one each line, without what differs
# from run to run: numbers, times, and the hashes of SIGN/DECRYPT (INS 42), GET CHALLENGE (84) and
# the GET RESPONSE (C0) that follows them.
conversation()
{
	perl -ne '
		if (/ev=apdu-begin n=\d+ (cla=.. ins=(..) .* len=\d+)( hash=\w+)/) {
			($command, $ins, $hash) = ($1, $2, $3);
			$random = $ins =~ /42|84/ || ($random && $ins eq "C0");
			$command .= $hash unless $random;
		} elsif (/ev=apdu-end n=\d+ (how=.* sw=....)( hash=\w+)/) {
			print "$command -> ", $random ? $1 : "$1$2", "\n";
		}'
}

# run NAME COMMAND...: the output and the conversation of a run, in files of that name.
run()
{
	local name=$1 before
	shift
	before=$(wc -l <"$RESULTS/card.log")
	"$@" | grep -v '^Using reader' >"$RESULTS/$name.output"
	tail -n "+$((before + 1))" "$RESULTS/card.log" | conversation >"$RESULTS/$name.conversation"
}

# same WHAT SUFFIX
same()
{
	diff -u "$RESULTS/host.$2" "$RESULTS/guest.$2" >"$RESULTS/$2.diff" ||
		fail "$1 differ, see $RESULTS/$2.diff: $(head -n 20 "$RESULTS/$2.diff")"
}

# conversation_has COUNT PATTERN: in the guest's run
conversation_has()
{
	[ "$(grep -c "$2" "$RESULTS/guest.conversation")" -ge "$1" ]
}

host_pcscd_start
"$TOP/tests/card/cac/make-token" /run/token "$pin" >"$RESULTS/make-token.log" 2>&1
SOFTHSM2_CONF=/run/token/softhsm2.conf process_start cac-messages \
	"$HOST_PROGRAMS/tests/card/cac/cac-card" "$VPCD_PORT" /run/token/nss "$RESULTS/card.log"
wait_for 10 "the card" log_has card "ev=power-on"
run host bash -c "$workload"

host_bridge_start
host_tunnel_start
guest_boot
guest_gadget_start
guest_pcscd_start
wait_for 15 "the reader in the guest's pcscd" guest_lists_reader
run guest guest_within 120 "$workload"

echo "$(wc -l <"$RESULTS/guest.conversation") APDUs"
same "the outputs" output
same "the APDUs" conversation
assert "VERIFY succeeded at the card" conversation_has 1 "cla=00 ins=20 p1=00 p2=00 .*sw=9000"
assert "keys were used (the last block of a SIGN/DECRYPT)" \
	conversation_has 20 "cla=00 ins=42 p1=00 p2=00 .*sw=61"
assert_contains "signatures in the guest" "all 4 signature functions seem to work" \
	"$(cat "$RESULTS/guest.output")"
assert_contains "objects in the guest" "X.509 Certificate [CAC Email Encryption Certificate]" \
	"$(cat "$RESULTS/guest.output")"
assert_drivers_quiet
assert_no_stuck_task
assert_kernel_quiet
