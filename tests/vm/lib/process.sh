# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The programs that a scenario runs beside itself on the host, each under a name that is also the
# name of its log, $RESULTS/NAME.log. What still runs at the end dies with the namespace.

declare -A PROCESSES=()

# process_start NAME COMMAND...
process_start()
{
	local name=$1
	shift
	! process_runs "$name" || fail "$name runs already"
	"$@" </dev/null >>"$RESULTS/$name.log" 2>&1 &
	PROCESSES[$name]=$!
}

# process_adopt NAME PID: a pipeline that was started already.
process_adopt()
{
	PROCESSES[$1]=$2
}

process_runs()
{
	[ -n "${PROCESSES[$1]:-}" ] && alive "${PROCESSES[$1]}"
}

# process_end NAME: waits for a process that ends by itself; the status is its exit status.
process_end()
{
	local pid=${PROCESSES[$1]}
	wait_for "${2:-10}" "the end of $1" dead "$pid"
	unset "PROCESSES[$1]"
	wait "$pid"
}

# process_stop NAME: SIGTERM; the status is its exit status.
process_stop()
{
	kill -TERM "${PROCESSES[$1]}"
	process_end "$1"
}

# process_kill NAME: SIGKILL, whatever it was doing.
process_kill()
{
	kill -KILL "${PROCESSES[$1]}"
	process_end "$1" || true
}

# Passes lines through with the time (seconds since 1970, this clock) in front. Guest and host
# programs that are read through it can be compared.
with_time()
{
	perl -MTime::HiRes=time -ne 'BEGIN { $| = 1 } printf "%.3f %s", time, $_'
}
