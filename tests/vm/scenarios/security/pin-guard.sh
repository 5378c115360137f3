# SPDX-License-Identifier: BSD-3-Clause
#
# pin-guard = 1: a guest never gets a PIN to its last try, whatever it does; and the audit log of it.
#
# Host:    a card whose PIN has three tries; the bridge with pin-guard = 1 for the guest; a program that
#          verifies the right PIN.
# Guest:   a program that verifies wrong PINs, in VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, over
#          other classes and in a chain; each process is killed, the card pulled and put back meanwhile.
# Asserts: at the card: two wrong tries, and never a third; after the right PIN on the host the guest has
#          its tries again; a resetting code likewise. The guest is answered 6900. The audit log has a line
#          for each verification that reached the card, and for each that was refused, for each opened
#          card and refused call; no PIN is in a log of ours.
#
# Limit: 240

right=123456
wrong=975318

# Commands at the card that hold a PIN: ins=INS with data.
tries_at_card()
{
	grep -E "ev=apdu-begin .* ins=(20|24|2C) " "$RESULTS/card.log" | grep -c -v " lc=0 " || true
}

# guest_tries STATUS APDU: by its program, which resets the card when it leaves
guest_tries()
{
	guest "/build/tests/pcsc/exchange --wait 30 --disposition unpower select expect any + apdu $2 expect $1" \
		>/dev/null || fail "$what: the guest's $2 was not answered $1"
}

hex()
{
	printf '%s' "$1" | od -An -tx1 | tr -d ' \n'
}

# refused WHAT: not a byte of it reaches the card
refused()
{
	local before
	what=$1
	before=$(tries_at_card)
	guest_tries 6900 "0020008106$(hex "$wrong")"
	guest_tries 6900 "0020008106$(hex "$right")"
	assert_equal "$what: tries at the card" "$before" "$(tries_at_card)"
	echo "$what: refused"
}

host_verifies()
{
	host_exchange --disposition unpower select + verify "$right" >/dev/null || fail "the host's VERIFY"
}

audit_lines()
{
	grep -c -E "audit: event=$1" "$RESULTS/host-bridge.log" || true
}

guest_works()
{
	guest_try "/build/tests/pcsc/exchange --wait 15 --disposition unpower select"
}

host_bridge_config 'readers = { "*" }' 'pin-guard = 1'
relay_start t1
what="at first"
guest_exchange select >/dev/null

echo "two wrong PINs, and no third"
guest_tries 63C2 "0020008106$(hex "$wrong")"
guest_tries 63C1 "0020008106$(hex "$wrong")"
refused "the last try"
before=$(tries_at_card)
guest_tries 6900 "002400810c$(hex "$wrong$right")"
guest_tries 6900 "1020008103$(hex "${wrong:0:3}")"
guest_tries 6900 "0C20008106$(hex "$wrong")"
guest_tries 6900 "00200081000006$(hex "$wrong")"
guest_tries 6900 "002100810B5309$(hex "${wrong}000")"
assert_equal "in other forms: tries at the card" "$before" "$(tries_at_card)"
assert_equal "wrong PINs at the card" 2 "$(tries_at_card)"

echo "over faults"
guest_kill_program gadget
guest_gadget_start_only
wait_for 30 "the guest's use of the card" guest_works
refused "another ccid-gadget"
host_role_kill worker
wait_for 30 "the guest's use of the card" guest_works
refused "another worker"
host_bridge_die
host_bridge_start
wait_for 30 "the guest's use of the card" guest_works
refused "another bridge"
host_bridge_stop
host_bridge_start
wait_for 30 "the guest's use of the card" guest_works
refused "the bridge, started again"
card_remove
sleep 2
card_insert
wait_for 30 "the guest's use of the card" guest_works
refused "the card, put in again"
assert_equal "wrong PINs at the card" 2 "$(tries_at_card)"

echo "the right PIN on the host"
host_verifies
what="after it"
guest_tries 9000 "0020008106$(hex "$right")"
guest_tries 63C2 "002400810c$(hex "$wrong$right")"
guest_tries 9000 "002400810c$(hex "$right$right")"
assert_equal "tries at the card" 6 "$(tries_at_card)"

echo "the resetting code, which has three tries, too"
guest_tries 63C2 "002c00810e$(hex "11111111$right")"
guest_tries 63C1 "002c00810e$(hex "11111111$right")"
guest_tries 6900 "002c00810e$(hex "87654321$right")"
assert_equal "tries at the card" 8 "$(tries_at_card)"
what="the PIN itself"
guest_tries 9000 "0020008106$(hex "$right")"

echo "the audit log"
guest_exchange escape 0102 expect any >/dev/null
lines=$(audit_lines "verification .* result=(verified|wrong|blocked|failed|rejected|lost) ")
assert_equal "lines of what reached the card" "$(($(tries_at_card) - 1))" "$lines"
assert_equal "of them right" 3 "$(audit_lines "verification command=[a-z]* reference=81 result=verified .*guest=\"vm\"")"
assert_equal "the wrong ones, with what is left" 3 \
	"$(audit_lines "verification command=[a-z-]* reference=81 result=wrong tries=2 sw=63C2 guest=\"vm\"")"
assert "refused ones" [ "$(audit_lines "verification .* result=refused tries=1 ")" -ge 15 ]
assert "opened cards" [ "$(audit_lines "card-opened protocol=T1 guest=\"vm\" reader=")" -ge 5 ]
assert "the session's policy" [ "$(audit_lines "session-open .*pin-guard=1 guest=\"vm\"")" -ge 3 ]
for pin in "$right" "$wrong"; do
	assert_equal "a PIN in a log of ours" "" \
		"$(grep -l -i -a -E "$pin|$(hex "$pin")" "$RESULTS"/{host-bridge,guest-gadget}.log || true)"
done
assert_no_stuck_task
assert_kernel_quiet
