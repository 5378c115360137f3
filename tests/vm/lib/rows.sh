# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A table of failures, row by row: what the guest's driver and its programs see of each, how long it
# lasts, and what reaches the card. rows_start first; then each row is begun by row NAME and ended
# by row_end APDUS.
#
# Two programs look on in the guest all the time: watch, for what pcscd makes of the reader, and
# usbmon, for the messages on the bus.

rows_start()
{
	usbmon_start
	guest_watch_start guest-watch --timeout 280
	wait_for 15 "the card in the guest" watch_saw guest-watch present
}

lines_of()
{
	[ -e "$1" ] && wc -l <"$1" || echo 0
}

# row NAME
row()
{
	row=$1
	row_apdus=$(apdus_at_card)
	row_watch=$(lines_of "$RESULTS/guest-watch.log")
	row_failures=$(usbmon_failures | wc -l)
	row_extensions=$(usbmon_extensions | wc -l)
	row_fault=$(date +%s%3N)
}

# The fault happens now: what the row is timed from.
row_now()
{
	row_fault=$(date +%s%3N)
}

# An APDU of this row has reached the card: for wait_for.
row_apdu_begun()
{
	[ "$(apdus_at_card)" -gt "$row_apdus" ]
}

# row_host NAME STEP LINE...: the SCard program on the host, which has come to its step STEP
row_host()
{
	process_start "$1" "$HOST_EXCHANGE" --wait 15 "${@:3}"
	wait_for 15 "$row: $2 on the host" log_has "$1" "$2: ok"
}

# What watch has printed of the reader since the row began, in one line: "removed added empty
# present".
row_states()
{
	tail -n "+$((row_watch + 1))" "$RESULTS/guest-watch.log" |
		sed -n 's/.*event=\(added\|removed\) .*/\1/p; s/.*event=state .* state=\([^ ]*\).*/\1/p' |
		tr '\n' ' '
}

# row_saw STATES: a pattern for the words of row_states, in their order
row_saw()
{
	grep -q -E -- "$1" <<<"$(row_states)"
}

# row_failed FAILURE: the driver had this answer in this row, see usbmon_failures.
row_failed()
{
	usbmon_failures | tail -n "+$((row_failures + 1))" | grep -q -E -- "$1"
}

row_assert_failed()
{
	wait_for 5 "$row: '$1' on the bus" row_failed "$1"
}

row_extensions()
{
	echo $(($(usbmon_extensions | wc -l) - row_extensions))
}

# The card is in use again in the guest: what the row's recovery is.
row_recovers()
{
	wait_for "${1:-30}" "$row: the guest's use of the card" \
		guest_try "/build/tests/pcsc/exchange --wait 10 select"
	row_recovery=$(ms_since "$row_fault")
}

# row_end APDUS: so many reached the card in this row, with the one of row_recovers.
row_end()
{
	assert_equal "$row: APDUs at the card" "$1" "$(($(apdus_at_card) - row_apdus))"
	echo "$row: $1 APDUs at the card, used again after $row_recovery ms, $(row_extensions)" \
		"time extensions, failures on the bus:" \
		"$(usbmon_failures | tail -n "+$((row_failures + 1))" | sort | uniq -c |
			awk '{ print $1 "x" $2 "/" $3 "/" $4 }' | xargs)," \
		"pcscd saw: $(row_states)"
}
