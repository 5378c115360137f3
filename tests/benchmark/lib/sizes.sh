# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# How long an APDU takes, by size, in each of the five ways. They take turns in short rounds, so that
# whatever else happens on the machine happens to all of them.

# COMMAND:RESPONSE, bytes of data
SIZES=(0:0 0:256 0:4096 0:65000 4096:0)

# transmit_by WAY ARGUMENT...: the measuring program, in this way
transmit_by()
{
	local way=$1
	shift
	case $way in
	a) "$BENCH_HOST/bench-transmit" --transaction --reader "$SECOND_READER" "$@" ;;
	b) guest_within 120 "$BENCH_GUEST/bench-transmit --reader '*Bare*' $*" ;;
	c) guest_within 120 "$BENCH_GUEST/bench-echo 10.0.2.2 $ECHO_PORT $*" ;;
	d) guest_within 600 "$BENCH_GUEST/bench-transmit --reader '*Virtual PCD*' $*" ;;
	e) guest_within 120 "PCSCLITE_CSOCK_NAME=$FORWARDED/${forwarded:-direct} \
		$BENCH_GUEST/bench-transmit --transaction --reader '$SECOND_READER' $*" ;;
	esac
}

sizes_tasks()
{
	local size count
	for size in "${SIZES[@]}"; do
		count=$SIZES_COUNT
		[ "${size#*:}" -le 4096 ] || count=$SIZES_LONG_COUNT
		echo "$count:$size"
	done
}

bench_sizes()
{
	local round way tasks
	mapfile -t tasks < <(sizes_tasks)
	for round in $(seq "$SIZES_ROUNDS"); do
		stage "Sizes: round $round of $SIZES_ROUNDS"
		for way in a b c d e; do
			transmit_by "$way" "${tasks[@]}" | sed "s/^/$way /" >>"$RESULTS/samples"
		done
	done
}
