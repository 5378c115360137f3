# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# How a scenario fails, and what it can ask. Everything ends in fail, which says what was expected
# and shows the end of each log, so that the reason is in the output of the run.

# How much of each log a failure shows.
FAIL_LINES=12

# What tells most comes first: who reads the output of a whole run may see the beginning only.
FAIL_FIRST=(guest-commands guest-gadget guest-pcscd host-bridge)

# show_log NAME
show_log()
{
	[ -s "$RESULTS/$1.log" ] || return 0
	echo "--- end of $1.log"
	tail -n "$FAIL_LINES" "$RESULTS/$1.log" | tr -d '\0'
}

show_logs()
{
	local log name
	for name in "${FAIL_FIRST[@]}"; do
		show_log "$name"
	done
	for log in "$RESULTS"/*.log; do
		name=$(basename "$log" .log)
		[[ " scenario ${FAIL_FIRST[*]} " = *" $name "* ]] || show_log "$name"
	done
}

# fail TEXT: ends the scenario.
fail()
{
	trap - ERR
	{
		echo "FAILED: $*"
		show_logs
	} >&2
	exit 1
}

# scenario_line LINENO: the line of the scenario whose command failed, or called what failed.
scenario_line()
{
	local frame
	for frame in "${!FUNCNAME[@]}"; do
		[ "${FUNCNAME[frame]}" != source ] || break
	done
	if [ "$frame" -gt 1 ]; then
		echo "${BASH_LINENO[frame - 1]}"
	else
		echo "$1"
	fi
}

# wait_for SECONDS WHAT COMMAND...: fails unless COMMAND succeeds in that time.
wait_for()
{
	local seconds=$1 what=$2
	shift 2
	until_true "$seconds" "$@" || fail "not within $seconds s: $what"
}

# assert WHAT COMMAND...
assert()
{
	local what=$1
	shift
	"$@" || fail "$what (status $? of: $*)"
}

# assert_fails WHAT COMMAND...
assert_fails()
{
	local what=$1
	shift
	! "$@" || fail "$what (succeeded: $*)"
}

# assert_equal WHAT EXPECTED ACTUAL
assert_equal()
{
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# assert_at_most WHAT LIMIT ACTUAL, whole numbers
assert_at_most()
{
	[ "$3" -le "$2" ] || fail "$1: at most $2, got $3"
}

# assert_contains WHAT TEXT ACTUAL
assert_contains()
{
	grep -q -F -- "$2" <<<"$3" || fail "$1: expected '$2' in:
$3"
}

# assert_lacks WHAT TEXT ACTUAL
assert_lacks()
{
	! grep -q -F -- "$2" <<<"$3" || fail "$1: did not expect '$2' in:
$3"
}

# log_has LOG TEXT: for wait_for and assert; LOG is a name in the results folder without .log.
log_has()
{
	grep -q -s -F -- "$2" "$RESULTS/$1.log"
}

# log_count LOG TEXT: how many lines have it.
log_count()
{
	grep -c -s -F -- "$2" "$RESULTS/$1.log" || true
}
