# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The same work over a longer wire, by the relay and by the forwarded socket of pcscd: a short APDU,
# and whole runs of programs. bench-wire makes the wire longer, in the same way for both; see there
# for what a delay is.
#
# Both ways show each program one reader. What is measured goes to $RESULTS/delays, a line each:
# "MS WAY WORK us us us ...".

DELAYS=(0 1 10 50) # ms, of a round trip
PROGRAMS=(pkcs11-tool opensc-tool gpg)

# What a program is asked, and what it says if all is well.
declare -A PROGRAM_COMMAND=(
	[pkcs11-tool]="pkcs11-tool -L"
	[opensc-tool]="opensc-tool --name"
	[gpg]="gpg --card-status"
)
declare -A PROGRAM_SAYS=(
	[pkcs11-tool]="Virtual PCD"
	[opensc-tool]="OpenPGP card"
	[gpg]="Name of cardholder: Smart Relay"
)

# wires_delay MS: that of both wires
wires_delay()
{
	wire_tell "$RELAY_WIRE_PORT" "delay $(($1 * 1000))" >/dev/null
	wire_tell "$PCSCD_WIRE_PORT" "delay $(($1 * 1000))" >/dev/null
}

# What programs of way e need to know beside pcscd's socket: which of the two readers.
programs_prepare()
{
	cat >"$RESULTS/opensc.conf" <<-END
		app default {
			ignored_readers = "$FIRST_READER";
		}
	END
	guest_try "
		mkdir -p -m 0700 /run/gnupg-d /run/gnupg-e
		echo disable-ccid >/run/gnupg-d/scdaemon.conf
		printf 'disable-ccid\nreader-port \"%s\"\n' '$SECOND_READER' >/run/gnupg-e/scdaemon.conf"
}

# environment_of WAY
environment_of()
{
	echo "export GNUPGHOME=/run/gnupg-$1"
	[ "$1" = d ] || echo "export OPENSC_CONF=/results/opensc.conf \
		PCSCLITE_CSOCK_NAME=$FORWARDED/counted"
}

# run_program WAY COUNT PROGRAM: how long each run took, us; fails if one doesn't say what it should.
# GnuPG's daemons are started again for each run, which is part of it.
run_program()
{
	guest_within 300 "$(environment_of "$1")
		end_daemons()
		{
			while pkill -KILL -x scdaemon || pkill -KILL -x gpg-agent; do sleep 0.05; done
		}
		for i in \$(seq $2); do
			end_daemons
			start=\${EPOCHREALTIME/./}
			${PROGRAM_COMMAND[$3]} >/run/program.log 2>&1
			end=\${EPOCHREALTIME/./}
			if ! grep -q -F '${PROGRAM_SAYS[$3]}' /run/program.log; then
				cat /run/program.log
				exit 1
			fi
			echo \$((end - start))
		done
		end_daemons"
}

wire_port_of()
{
	case $1 in
	d) echo "$RELAY_WIRE_PORT" ;;
	e) echo "$PCSCD_WIRE_PORT" ;;
	esac
}

# measure_program MS WAY PROGRAM
measure_program()
{
	local port turns times
	port=$(wire_port_of "$2")
	turns=$(wire_count "$port" turns)
	times=$(run_program "$2" "$DELAY_RUNS" "$3") || fail "$3, $2, $1 ms: $times"
	turns=$(($(wire_count "$port" turns) - turns))
	echo "$1 $2 $3 $(xargs <<<"$times")" >>"$RESULTS/delays"
	[ "$1" != "${DELAYS[0]}" ] || measure programs "way=$2 program=$3" \
		"command=$(tr ' ' _ <<<"${PROGRAM_COMMAND[$3]}") runs=$DELAY_RUNS turns=$turns"
}

# measure_delay MS: both ways take turns
measure_delay()
{
	local way program us
	wires_delay "$1"
	for way in d e; do
		us=$(forwarded=counted transmit_by "$way" "$DELAY_APDUS:0:0" | cut -d' ' -f3-)
		echo "$1 $way apdu $us" >>"$RESULTS/delays"
	done
	for program in "${PROGRAMS[@]}"; do
		for way in d e; do
			measure_program "$1" "$way" "$program"
		done
	done
}

bench_delays()
{
	local program way delay said
	stage "Whole programs: once, so that all is in memory"
	programs_prepare
	for program in "${PROGRAMS[@]}"; do
		for way in d e; do
			said=$(run_program "$way" 1 "$program") || fail "$program by way $way: $said"
		done
	done
	for delay in "${DELAYS[@]}"; do
		stage "A wire with a round trip of $delay ms more"
		measure_delay "$delay"
	done
	wires_delay 0
}
