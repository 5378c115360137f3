# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The scripted card (tests/card): its start, its commands, and its log, $RESULTS/card.log, which is
# where scenarios read what really reached the card.

CARD_SOCKET=/run/card.sock

# card_start PORT:ATR[:out]...: one card per argument, with the indices 0, 1, ...
card_start()
{
	local card cards=()
	for card in "$@"; do
		cards+=(--card "$card")
	done
	process_start card-messages "$HOST_PROGRAMS/tests/card/card" "${cards[@]}" \
		--log "$RESULTS/card.log" --control "$CARD_SOCKET"
	wait_for 10 "the card's control socket" test -S "$CARD_SOCKET"
	for card in "${!cards[@]}"; do
		[[ ${cards[$card]} != *:out ]] || return 0
	done
	wait_for 10 "pcscd's look at the card" log_has card "ev=connect"
}

card_stop()
{
	process_stop card-messages
}

# card_ctl [INDEX] COMMAND [ARGUMENT]: prints the card's answer.
card_ctl()
{
	"$HOST_PROGRAMS/tests/card/card-ctl" "$CARD_SOCKET" "$@"
}

card_insert()
{
	card_ctl insert >/dev/null
}

card_remove()
{
	card_ctl remove >/dev/null
}

# card_events EVENT: how many of these are in the log (apdu-begin, apdu-end, reset, power-on, ...).
card_events()
{
	grep -c -s -E "ev=$1( |\$)" "$RESULTS/card.log" || true
}

# card_time EVENT: when the last of these was, in seconds since 1970.
card_time()
{
	grep -F "ev=$1" "$RESULTS/card.log" | tail -n 1 | sed -n 's/.* t=\([0-9.]*\).*/\1/p'
}
