# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The parts of tests/bench, in the order in which they are used.

. "$TOP/tests/benchmark/lib/setup.sh"
. "$TOP/tests/benchmark/lib/sizes.sh"
. "$TOP/tests/benchmark/lib/endpoints.sh"
. "$TOP/tests/benchmark/lib/costs.sh"
. "$TOP/tests/benchmark/lib/delays.sh"
. "$TOP/tests/benchmark/lib/memory.sh"
. "$TOP/tests/benchmark/lib/parallel.sh"
. "$TOP/tests/benchmark/lib/report.sh"
