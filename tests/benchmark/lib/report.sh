# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What becomes of the measures: tables, JSON and plots.

# bench_report [JSON-FILE]
bench_report()
{
	"$TOP/tests/benchmark/report" "$RESULTS" "${1:-$RESULTS/bench.json}"
	"$TOP/tests/benchmark/check-json" "${1:-$RESULTS/bench.json}" || fail "the JSON is not what it should be"
	gnuplot -e "folder='$RESULTS'" "$TOP/tests/benchmark/plots.gnuplot" >"$RESULTS/gnuplot.log" 2>&1 ||
		fail "gnuplot can't draw"
	echo "Plots: $RESULTS/*.svg"
}
