# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Whether memory grows with the number of APDUs.

# memory_now APDUS: a measure for each process, after so many
memory_now()
{
	snapshot | awk -v apdus="$1" '{ print "memory apdus=" apdus " process=" $1 " rss_kib=" $3 }' \
		>>"$RESULTS/measures"
}

# Longest command and longest response first: what is kept for those isn't growth.
bench_memory()
{
	local part
	stage "Memory over $MEMORY_APDUS APDUs"
	transmit_by d 3:0:65000 3:65000:0 "$((MEMORY_APDUS / 100)):0:0" >/dev/null
	memory_now 0
	for part in $(seq 10); do
		transmit_by d "$((MEMORY_APDUS / 10)):0:0" >/dev/null
		memory_now $((part * MEMORY_APDUS / 10))
	done
}
