# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# How the cost grows: with readers that are used at the same time in one guest, and with guests on
# one bridge. For both the host's pcscd is started again with a reader for each.
#
# The guests are players (tests/relay-client) on the host, which speak to the bridge as ccid-gadget
# does and have no USB: four emulated machines would measure how they share the processors. They
# use a reader each, as fast as they get answers.
#
# What is measured goes to $RESULTS/readers, "WAY MS COUNT us us us ..." for each program, and to
# $RESULTS/guests, "COUNT us us us ..." for each player: the times at which its answers came.

READER_COUNTS=(1 2 4 8)
READER_DELAYS=(0 10) # ms, of a round trip
GUEST_COUNTS=(1 2 4)
READERS_MAX=8
GUESTS_MAX=4

# reader_ports: those of the cards, of which each has a vpcd of its own
reader_ports()
{
	seq "$VPCD_PORT" 2 $((VPCD_PORT + 2 * READERS_MAX - 1))
}

# A driver that makes a reader of each copy of vpcd: see tests/card/many-vpcd.c.
many_readers_config()
{
	local port number=0
	export MANY_VPCD=$HOST_RUN
	for port in $(reader_ports); do
		port=$(printf '0x%X' "$port")
		cp "$VM/vpcd/libifdvpcd.so" "$MANY_VPCD/$port.so"
		printf 'FRIENDLYNAME "Reader %s"\nDEVICENAME /dev/null:%s\n' "$((number++))" "$port"
		printf 'LIBPATH %s\nCHANNELID %s\n' "$HOST_PROGRAMS/tests/card/libmany-vpcd.so" "$port"
	done >"$RESULTS/reader.conf"
}

readers_start()
{
	local cards
	bench_gadget_stop
	host_pcscd_stop
	card_stop
	many_readers_config
	bench_host_pcscd_start
	mapfile -t cards < <(reader_ports | sed 's/$/:t1/')
	card_start "${cards[@]}"
}

# transmit_on WAY COUNT: in the guest, on so many readers at the same time. The gate opens when all are
# ready.
transmit_on()
{
	local environment=
	[ "$1" = d ] || environment=PCSCLITE_CSOCK_NAME=$FORWARDED/counted
	guest_within 300 "
		rm -f /run/gate /run/ready
		mkfifo /run/gate
		touch /run/ready
		for reader in \$(seq 0 $(($2 - 1))); do
			$environment $BENCH_GUEST/bench-transmit --reader \$reader --gate /run/gate \
				$READERS_APDUS:0:0 2>>/run/ready &
		done
		until [ \$(grep -c ready /run/ready) = $2 ]; do
			sleep 0.1
			[ -n \"\$(jobs -r)\" ] || { cat /run/ready; exit 1; }
		done
		sleep 0.5
		exec 9>/run/gate
		wait
		! grep -v ready /run/ready"
}

# measure_readers WAY MS COUNT
measure_readers()
{
	local lines
	lines=$(transmit_on "$1" "$3") || fail "$3 readers, $1: $lines"
	[ "$(wc -l <<<"$lines")" = "$3" ] || fail "$3 readers, $1: $lines"
	sed "s/^0 0 /$1 $2 $3 /" <<<"$lines" >>"$RESULTS/readers"
}

# measure_all_readers WAY
measure_all_readers()
{
	local delay count
	for delay in "${READER_DELAYS[@]}"; do
		wires_delay "$delay"
		for count in "${READER_COUNTS[@]}"; do
			measure_readers "$1" "$delay" "$count"
		done
	done
	wires_delay 0
}

# Way e comes first, while the relay has none of the cards: it resets those that it lets go.
bench_readers()
{
	stage "Readers at the same time"
	readers_start
	if [ -n "$READERS_FORWARDED" ]; then
		measure_all_readers e
	fi
	bench_gadget_start "$RELAY_WIRE_PORT" "$READERS_MAX" 'reader "*" {}'
	measure_all_readers d
}

# player NUMBER: when each of its answers came, in one line. The first ones come at the pace of a session
# that begins, and aren't among them.
player()
{
	{
		printf '%s\n' "reader Reader $1*" "wait present" connect
		perl -e 'print "transmit 80100000\n" x $ARGV[0]' "$((PLAYER_APDUS + 100))"
	} | "$HOST_PROGRAMS/tests/relay-client/relay-client" --limit 60 --key-file "/run/player$1.key" \
		--bridge-key "$host_key" "tcp://127.0.0.1:$RELAY_PORT" "player$1" 2>>"$RESULTS/players.log" |
		perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC -ne '
			push @us, int(1e6 * clock_gettime(CLOCK_MONOTONIC)) if /^transmit: ok.* 9000$/;
			END { print "@us[100 .. $#us]\n" }'
}

# measure_guests COUNT
measure_guests()
{
	local number players=() lines
	for number in $(seq 0 $(($1 - 1))); do
		player "$number" >"$RESULTS/player$number" &
		players+=($!)
	done
	wait "${players[@]}"
	for number in $(seq 0 $(($1 - 1))); do
		[ "$(wc -w <"$RESULTS/player$number")" = "$PLAYER_APDUS" ] ||
			fail "player $number of $1 had $(wc -w <"$RESULTS/player$number") answers"
		sed "s/^/$1 /" "$RESULTS/player$number" >>"$RESULTS/guests"
	done
}

bench_guests()
{
	local count
	stage "Guests on one bridge"
	bench_gadget_stop
	for count in "${GUEST_COUNTS[@]}"; do
		measure_guests "$count"
	done
}
