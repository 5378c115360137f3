# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What becomes of the measures: tables and JSON.

# bench_report [JSON-FILE]
bench_report()
{
	"$TOP/tests/benchmark/report" "$RESULTS" ${1:+"$1"}
}
