# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Host, guest and the five ways between a program and a card.
#
# Two cards of one kind are in the two readers of one vpcd: the relay has the first, a and e use the
# second. So neither waits for a transaction of the other, or finds its card reset.
#
#     10.0.2.2:7816   ccid-bridge, tcp:// with keys        7815   the same by way of bench-wire
#     10.0.2.2:7818   socat to the host's pcscd            7817   the same by way of bench-wire
#     10.0.2.2:7820   bench-echo
#
# All of these listen at every address, and the network is this run's own.
#
# What is measured goes to $RESULTS/measures, a line each: a name, and what is known of it.

BENCH_HOST=$HOST_PROGRAMS/tests/benchmark
BENCH_GUEST=/build/tests/benchmark
FIRST_READER="Virtual PCD 0 00 00"
SECOND_READER="Virtual PCD 0 00 01"
RELAY_PORT=7816
RELAY_WIRE_PORT=7815
PCSCD_PORT=7818
PCSCD_WIRE_PORT=7817
ECHO_PORT=7820
CONTROL_PORT_OFFSET=100
FORWARDED=/run/forwarded

# What a run has how much of. bench_choose QUICK
bench_choose()
{
	BENCH_QUICK=no
	SIZES_ROUNDS=20 SIZES_COUNT=15 SIZES_LONG_COUNT=5
	ENDPOINT_ROUNDS=6
	COST_APDUS=1000
	IDLE_SECONDS=60
	DELAY_APDUS=50 DELAY_RUNS=3
	MEMORY_APDUS=100000
	READERS_FORWARDED=yes READERS_APDUS=200
	PLAYER_APDUS=5000
	if [ -n "$1" ]; then
		BENCH_QUICK=yes
		SIZES_ROUNDS=4 SIZES_COUNT=10 SIZES_LONG_COUNT=3
		ENDPOINT_ROUNDS=0
		COST_APDUS=200
		IDLE_SECONDS=5
		DELAYS=(1 10 50) DELAY_APDUS=10 DELAY_RUNS=1
		MEMORY_APDUS=1000
		READERS_FORWARDED='' READER_DELAYS=(10) READERS_APDUS=40
		PLAYER_APDUS=1000
	fi
}

# The guest is a User Mode Linux. What listens here is reached at an address of its network card.
bench_choose_uml()
{
	GUEST_UML=$VM/uml
	uml_leave_processor
}

# stage TEXT: what comes next, and after how many seconds of measuring
stage()
{
	say "$(printf '%4d s  ' "$SECONDS")$*"
}

# measure NAME KEY=VALUE...
measure()
{
	echo "$*" >>"$RESULTS/measures"
}

listens()
{
	ss -H -l -t -n "sport = :$1" | grep -q .
}

# serve NAME PORT COMMAND...: in the background, until it listens at this port
serve()
{
	local name=$1 port=$2
	shift 2
	process_start "$name" "$@"
	wait_for 10 "$name" listens "$port"
}

# Without --info, with which pcscd and libccid write a line for each APDU.
bench_host_pcscd_start()
{
	[ -e "$RESULTS/reader.conf" ] || host_reader_config
	process_start host-pcscd pcscd --foreground --config "$RESULTS/reader.conf"
	wait_for 10 "the host's pcscd" test -S /run/pcscd/pcscd.comm
}

bench_guest_pcscd_start()
{
	guest_start pcscd "pcscd --foreground"
	wait_for 10 "the guest's pcscd" guest_try "test -S /run/pcscd/pcscd.comm"
}

# player_sections: the guests of bench_guests, with a key each
player_sections()
{
	local number key
	for number in $(seq 0 $((GUESTS_MAX - 1))); do
		key=$("$HOST_PROGRAMS/host-bridge/ccid-bridge" genkey "/run/player$number.key")
		echo "guest \"player$number\" { key = \"$key\" readers = { \"*\" } }"
	done
}

bench_bridge_start()
{
	host_key=$("$HOST_PROGRAMS/host-bridge/ccid-bridge" genkey /run/bridge.key)
	guest_key=$(guest "/build/gadget/ccid-gadget genkey /run/gadget.key")
	{
		echo "listen = { \"tcp://0.0.0.0:$RELAY_PORT\" }"
		echo "key-file = \"/run/bridge.key\""
		echo "guest \"vm\" { key = \"$guest_key\" readers = { \"*\" } }"
		player_sections
	} >"$RESULTS/bridge.conf"
	serve host-bridge "$RELAY_PORT" "$HOST_PROGRAMS/host-bridge/ccid-bridge" \
		-c "$RESULTS/bridge.conf"
}

# serve_pcscd NAME PORT: the host's pcscd socket, for the guest
serve_pcscd()
{
	serve "$1" "$2" socat "TCP-LISTEN:$2,fork,reuseaddr,nodelay" \
		UNIX-CONNECT:/run/pcscd/pcscd.comm
}

# forward_pcscd NAME PORT: the guest's end of it, with the socket $FORWARDED/NAME
forward_pcscd()
{
	guest_try "mkdir -p $FORWARDED"
	guest_start "forward-$1" \
		"socat UNIX-LISTEN:$FORWARDED/$1,fork,unlink-early TCP:10.0.2.2:$2,nodelay"
	wait_for 10 "the forwarded socket" guest_try "test -S $FORWARDED/$1"
}

# bench_gadget_config PORT READER-SECTION...
bench_gadget_config()
{
	local port=$1
	shift
	{
		echo "bridge = \"tcp://10.0.2.2:$port\""
		echo "bridge-key = \"$host_key\""
		echo 'key-file = "/run/gadget.key"'
		printf '%s\n' "$@"
	} >"$RESULTS/gadget.conf"
}

# readers_are COUNT: in the guest's pcscd
readers_are()
{
	[ "$(guest_readers | wc -l)" = "$1" ]
}

# In the guest's pcscd: the bare one may be there.
no_relay_reader()
{
	! guest_readers | grep -v -q -F "[Bare reader]"
}

# bench_gadget_start PORT COUNT READER-SECTION...: until pcscd has COUNT readers, all in all.
bench_gadget_start()
{
	local port=$1 count=$2
	shift 2
	bench_gadget_config "$port" "$@"
	guest_gadget_start_only
	wait_for 60 "$count readers in the guest's pcscd" readers_are "$count"
}

# Until pcscd has let go of its readers: a new one of the same name would be taken for the old one.
bench_gadget_stop()
{
	guest_stop_program gadget >/dev/null
	wait_for 30 "the relay's readers to go" no_relay_reader
}

# Everything for a to e, with the bare reader and the relay's plugged in.
bench_start()
{
	stage "Host and guest"
	measure run "quick=$BENCH_QUICK"
	bench_host_pcscd_start
	card_start "$VPCD_PORT:t1" "$((VPCD_PORT + 1)):t1"
	guest_boot
	guest_load_usb 10
	bench_bridge_start
	serve_pcscd pcscd-socket "$PCSCD_PORT"
	serve echo "$ECHO_PORT" "$BENCH_HOST/bench-echo" "$ECHO_PORT"
	serve relay-wire "$RELAY_WIRE_PORT" "$BENCH_HOST/bench-wire" "$RELAY_WIRE_PORT" \
		"$RELAY_PORT" "$((RELAY_WIRE_PORT + CONTROL_PORT_OFFSET))"
	serve pcscd-wire "$PCSCD_WIRE_PORT" "$BENCH_HOST/bench-wire" "$PCSCD_WIRE_PORT" \
		"$PCSCD_PORT" "$((PCSCD_WIRE_PORT + CONTROL_PORT_OFFSET))"
	forward_pcscd direct "$PCSCD_PORT"
	forward_pcscd counted "$PCSCD_WIRE_PORT"
	bench_guest_pcscd_start
	guest_start reader "$BENCH_GUEST/bench-reader"
	wait_for 30 "the bare reader" readers_are 1
	bench_gadget_start "$RELAY_PORT" 2 "reader \"$FIRST_READER\" {}"
	measure machine "cpus=$(nproc --all) accelerator=$(guest_accelerator | cut -d, -f1)" \
		"kernel=$(guest 'uname -r') load=$(cut -d' ' -f1 /proc/loadavg)"
}
