# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Sequences of SELECT, VERIFY, SIGN that programs run against each other (the step `rounds` of
# tests/pcsc/exchange), and what the card's log says of them.

# The number of the last line of the card's log, to look at what comes after it.
card_log_mark()
{
	tail -n 1 "$RESULTS/card.log" | sed -n 's/^seq=\([0-9]*\) .*/\1/p'
}

# sequences_after MARK: a line for each APDU of a sequence at the card, its INS; a SIGN with the size
# that says whose sequence it is.
sequences_after()
{
	sed -n 's/^seq=\([0-9]*\) .* ev=apdu-begin .* ins=\(A4\|20\|30\) p1=\(..\) p2=\(..\) .*/\1 \2 \3\4/p' \
		"$RESULTS/card.log" | awk -v mark="$1" '$1 > mark { print $2 == "30" ? $2 " " $3 : $2 }'
}

# sequences_broken MARK: how many APDUs were not where they belong, that is A4, 20, 30, A4, ...
sequences_broken()
{
	sequences_after "$1" | awk '
		BEGIN { next_of["A4"] = "20"; next_of["20"] = "30"; next_of["30"] = "A4"; want = "A4" }
		$1 != want { broken++ }
		{ want = next_of[$1] }
		END { print broken + 0 }'
}

# sequences_of MARK BYTES: how many were signed with that size.
sequences_of()
{
	sequences_after "$1" | grep -c -x "30 $(printf '%04X' "$2")" || true
}

# sequences_turns MARK: how often the card went from one to another.
sequences_turns()
{
	sequences_after "$1" | awk '$1 == "30" { if (last != "" && $2 != last) turns++; last = $2 }
		END { print turns + 0 }'
}

# longest_wait LOG: of the rounds in that log of the results folder, in whole ms.
longest_wait()
{
	sed -n 's/.* ms-max=\([0-9]*\)\..*/\1/p' "$RESULTS/$1.log" | sort -n | tail -n 1
}
