# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What the ways cost in which a program can use FunctionFS endpoints (endpoint-ways.h): the bare reader
# uses one after the other, in turns.
#
# What is measured goes to $RESULTS/endpoints, "WAY COMMAND RESPONSE us us us ...".

ENDPOINT_WAYS=(plain threads mixed aio)
ENDPOINT_TASKS=(30:0:0 3:0:65000)

# bare_reader_start WAY
bare_reader_start()
{
	guest_stop_program reader >/dev/null
	wait_for 30 "the bare reader to go" readers_are 1
	guest_start reader "$BENCH_GUEST/bench-reader $1"
	wait_for 30 "the bare reader" readers_are 2
}

bench_endpoints()
{
	local round way
	for round in $(seq "$ENDPOINT_ROUNDS"); do
		stage "Endpoints: round $round of $ENDPOINT_ROUNDS"
		for way in "${ENDPOINT_WAYS[@]}"; do
			bare_reader_start "$way"
			transmit_by b "${ENDPOINT_TASKS[@]}" | sed "s/^/$way /" >>"$RESULTS/endpoints"
		done
	done
}
