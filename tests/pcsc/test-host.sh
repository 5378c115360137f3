#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# test-host.sh CARD CARD-CTL EXCHANGE WATCH: the scripted card and the SCard programs against a real
# pcscd with the vpcd driver, without a guest. It shows that what the guest's tests stand on holds
# by itself, and that the programs notice a wrong answer.

set -eu

card=$1 card_ctl=$2 exchange=$3 watch=$4

# shellcheck source=tests/pcsc/own-pcscd.sh
. "$(dirname "$(readlink -f "$0")")/own-pcscd.sh"

fail()
{
	echo "FAILED: $*"
	cat "$work/pcscd.log" || true
	tail -n 20 "$work/card.log" || true
	exit 1
}

control()
{
	"$card_ctl" "$work/control" "$@" || fail "card-ctl $*"
}

# run ARGUMENT...: exchange must say that all went as expected.
run()
{
	"$exchange" --wait 10 --disposition unpower "$@" || fail "exchange $*"
}

# How many lines of the card's log match.
logged()
{
	grep -c -E "$1" "$work/card.log" || true
}

start()
{
	prepare_pcscd
	pcscd --foreground --config "$work/reader.conf" >"$work/pcscd.log" 2>&1 &
	"$card" --card 35963:dual --card 35964:t1:out --log "$work/card.log" \
		--control "$work/control" >"$work/card.out" 2>&1 &
	"$watch" --until present --timeout 10 || fail "no card in sight"
}

# Every APDU that the program sent reached the card once.
test_data()
{
	local sent before after
	before=$(logged 'ev=apdu-begin')
	run sweep 0 300 + sizes 4096 16384 65000 65526 + untouched + loop 500 \
		>"$work/data.out"
	cat "$work/data.out"
	sent=$(sed -n 's/.* apdus=\([0-9]*\) .*/\1/p' "$work/data.out" |
		awk '{ n += $1 } END { print n }')
	after=$(logged 'ev=apdu-begin')
	[ "$((after - before))" = "$sent" ] ||
		fail "$sent APDUs sent, $((after - before)) at the card"
}

test_protocols()
{
	local protocol
	for protocol in t0 t1; do
		run --protocol "$protocol" atr + sweep 250 260 |
			tee "$work/protocol.out"
		grep -q "protocol=$protocol " "$work/protocol.out" || fail "not $protocol"
	done
}

test_pin()
{
	run verify 000000 expect 63C2 + verify 123456 + sign + reset warm + \
		sign expect 6982 + verify 123456 + reset cold + sign expect 6982 + \
		verify expect 63C3
	[ "$(logged 'ev=apdu-begin .* ins=20 .* lc=6 ')" = 3 ] || fail "not 3 VERIFYs at the card"
	[ "$(logged 'ev=reset')" = 1 ] || fail "not 1 warm reset at the card"
}

# A test that can't fail is a defect.
test_mismatch_is_seen()
{
	control corrupt on
	"$exchange" loop 3 && fail "a wrong byte was not seen"
	run loop 3 expect mismatch + sizes response 257 expect mismatch
	control corrupt off
	"$exchange" verify 000000 && fail "a wrong PIN was not seen"
	run verify 123456
}

test_removal()
{
	local removed seen
	"$watch" --reader '*00 00' --until empty --timeout 5 >"$work/watch.out" &
	run delay 1000 + sleep 10
	(sleep 0.5; control remove) &
	run delay 20000 expect short + wait empty + loop 1 expect SCARD_W_REMOVED_CARD
	wait %3 || fail "the removal was not seen"
	cat "$work/watch.out"
	removed=$(sed -n 's/.* t=\([0-9.]*\) .* ev=remove.*/\1/p' "$work/card.log")
	seen=$(sed -n 's/^t=\([0-9.]*\) .*state=empty.*/\1/p' "$work/watch.out")
	awk "BEGIN { exit !($seen >= $removed && $seen - $removed < 1) }" ||
		fail "removed $removed, seen $seen"
	[ "$(logged 'ev=apdu-lost')" = 1 ] || fail "the APDU in flight was not logged as lost"
}

test_mute()
{
	control mute atr
	control insert
	"$watch" --until mute --timeout 5 || fail "a mute card was not seen as mute"
	control mute off
	run loop 3
}

test_second_reader()
{
	control 1 insert
	run --reader 'Virtual PCD 00 01' atr + loop 3
	[ "$(logged 'card=1 ev=apdu-begin')" = 3 ] || fail "not 3 APDUs at the second card"
}

start
test_data
test_protocols
test_pin
test_mismatch_is_seen
test_removal
test_mute
test_second_reader
echo "all as expected"
