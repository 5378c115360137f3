# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What an APDU costs beside time: round trips, counted by bench-wire between guest and host;
# processor time and memory of each process that has to do with it; and what all of it costs when
# nothing happens.

# wire_tell PORT LINE: to the bench-wire at this port; prints what it has counted
wire_tell()
{
	local wire line
	exec {wire}<>"/dev/tcp/127.0.0.1/$(($1 + CONTROL_PORT_OFFSET))"
	echo "$2" >&"$wire"
	read -r line <&"$wire"
	exec {wire}>&-
	echo "$line"
}

# wire_count PORT KEY: what it has counted so far
wire_count()
{
	wire_tell "$1" counts | sed -n "s/.*\b$2=\([0-9]*\).*/\1/p"
}

# turns_of PORT WAY COUNT: round trips of a program that sends COUNT APDUs
turns_of()
{
	local before
	before=$(wire_count "$1" turns)
	transmit_by "$2" "$3:0:0" >/dev/null
	echo $(($(wire_count "$1" turns) - before))
}

# The round trips of the APDUs alone: of two programs, the second of which sends more of them.
measure_round_trips()
{
	local way=$1 port=$2 few many
	few=$(turns_of "$port" "$way" 100)
	many=$(turns_of "$port" "$way" "$((100 + COST_APDUS))")
	measure round_trips "way=$way apdus=$COST_APDUS turns=$((many - few))"
}

# cpu_of PID...: nanoseconds that they have had, in the shell of the guest or of the host
# shellcheck disable=SC2016 # for either shell
CPU_OF='cpu_of()
{
	local pid
	for pid in "$@"; do
		cat /proc/$pid/task/*/schedstat 2>/dev/null || true
	done | awk "{ n += \$1 } END { printf \"%.0f\\n\", n }"
}
memory_of()
{
	local pid
	for pid in "$@"; do
		sed -n "s/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p" /proc/$pid/status
	done | awk "\$1 > n { n = \$1 } END { print n + 0 }"
}'
eval "$CPU_OF"

HOST_PROCESSES=(core front worker monitor pcscd)

# pids_of NAME: on the host
pids_of()
{
	case $1 in
	core) echo "${PROCESSES[host-bridge]}" ;;
	pcscd) echo "${PROCESSES[host-pcscd]}" ;;
	*) host_role "$1" || true ;;
	esac
}

# snapshot: a line "NAME CPU-NS RSS-KIB" for each process, at this moment
snapshot()
{
	local name pids
	for name in "${HOST_PROCESSES[@]}"; do
		mapfile -t pids < <(pids_of "$name")
		echo "$name $(cpu_of "${pids[@]}") $(memory_of "${pids[@]}")"
	done
	guest_within 20 "$CPU_OF
		for name in gadget pcscd; do
			pid=\$(cat /run/\$name.pid)
			echo guest-\$name \$(cpu_of \$pid) \$(memory_of \$pid)
		done"
}

# used NAME BEFORE AFTER KEY=VALUE...: a measure for each process, of two snapshots
used()
{
	local name=$1 before=$2 after=$3
	shift 3
	awk -v name="$name" -v rest="$*" '
		NR == FNR { cpu[$1] = $2; next }
		{ print name, rest, "process=" $1, "cpu_us=" ($2 - cpu[$1]) / 1000, "rss_kib=" $3 }
	' <(echo "$before") <(echo "$after") >>"$RESULTS/measures"
}

measure_processes()
{
	local before
	transmit_by d 10:0:0 >/dev/null
	before=$(snapshot)
	transmit_by d "$COST_APDUS:0:0" >/dev/null
	used cost "$before" "$(snapshot)" "apdus=$COST_APDUS"
}

# measure_idle INTERRUPT: nobody uses the card, and pcscd has had time to power it off
measure_idle()
{
	local before frames frames_down
	sleep 7
	frames=$(wire_count "$RELAY_WIRE_PORT" up-messages)
	frames_down=$(wire_count "$RELAY_WIRE_PORT" down-messages)
	before=$(snapshot)
	sleep "$IDLE_SECONDS"
	used idle "$before" "$(snapshot)" "interrupt=$1 seconds=$IDLE_SECONDS"
	measure idle_wire "interrupt=$1 seconds=$IDLE_SECONDS" \
		"frames=$(($(wire_count "$RELAY_WIRE_PORT" up-messages) - frames))" \
		"frames_down=$(($(wire_count "$RELAY_WIRE_PORT" down-messages) - frames_down))"
}

# What a driver asks beside APDUs.
measure_driver()
{
	local turns seconds
	guest_stop_program pcscd >/dev/null
	turns=$(wire_count "$RELAY_WIRE_PORT" turns)
	seconds=$SECONDS
	guest_within 60 "$BENCH_GUEST/bench-driver $COST_APDUS" >"$RESULTS/driver"
	turns=$(($(wire_count "$RELAY_WIRE_PORT" turns) - turns))
	# PowerOn and PowerOff are a call each.
	measure driver "commands=$((3 * COST_APDUS)) turns=$turns seconds=$((SECONDS - seconds))"
	bench_guest_pcscd_start
	wait_for 30 "the reader again" readers_are 1
}

bench_costs()
{
	stage "Round trips, processor time and memory"
	guest_stop_program reader >/dev/null
	bench_gadget_stop
	bench_gadget_start "$RELAY_WIRE_PORT" 1 "reader \"$FIRST_READER\" {}"
	measure_processes
	measure_round_trips d "$RELAY_WIRE_PORT"
	forwarded=counted measure_round_trips e "$PCSCD_WIRE_PORT"
	measure_driver
	stage "Idle, with an interrupt endpoint and without"
	measure_idle yes
	bench_gadget_stop
	bench_gadget_start "$RELAY_WIRE_PORT" 1 "reader \"$FIRST_READER\" { interrupt = no }"
	measure_idle no
	bench_gadget_stop
	bench_gadget_start "$RELAY_WIRE_PORT" 1 "reader \"$FIRST_READER\" {}"
}
