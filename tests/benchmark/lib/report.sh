# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What becomes of the measures: tables and JSON.

# bench_report [JSON-FILE]
bench_report()
{
	"$TOP/tests/benchmark/report" "$RESULTS" "${1:-$RESULTS/bench.json}"
	"$TOP/tests/benchmark/check-json" "${1:-$RESULTS/bench.json}" || fail "the JSON is not what it should be"
}
