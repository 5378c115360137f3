#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# For the tests between a real bridge and a real pcscd with the vpcd driver and the scripted card:
# sourced with the arguments of the test: CCID-BRIDGE RELAY-CLIENT CARD CARD-CTL EXCHANGE RAW-FRAME
# BAD-PEER OTHER-PCSCD. The test has a pcscd of its own (../pcsc/own-pcscd.sh), and functions to start,
# ask and judge.

# shellcheck disable=SC2034 # used by those that source this
bridge=$1 client=$2 card=$3 card_ctl=$4 exchange=$5 raw_frame=$6 bad_peer=$7 other_pcscd=$8

# shellcheck source=tests/pcsc/own-pcscd.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../pcsc/own-pcscd.sh"

fail()
{
	echo "FAILED: $*"
	echo "--- bridge"
	cat "$work/bridge.log" || true
	echo "--- card"
	tail -n 30 "$work/card.log" || true
	echo "--- pcscd"
	tail -n 10 "$work/pcscd.log" || true
	exit 1
}

# ---- the host ----

prepare()
{
	prepare_pcscd
	key=$("$bridge" genkey "$work/bridge.key") || fail "genkey: $key"
	# Shared, because pcscd resets the card of a worker that dies in a transaction: what is to be seen
	# here is what the bridge does.
	cat >"$work/bridge.conf" <<-END
		listen = { "ipc://$work/run/bridge.sock", "ipc://$work/run/other.sock" }
		log-level = debug
		guest "vm1" { auth = none share = shared readers = { "Virtual PCD 00 00" } }
		guest "vm2" { auth = none readers = { "Other*" } }
		guest "vm3" { auth = none share = shared readers = { "Virtual PCD 00 00" } }
		key-file = "$work/bridge.key"
		guest "keyed" { key = "$key" readers = { "Virtual PCD 00 00" } }
	END
	: >"$work/bridge.log"
}

start_pcscd()
{
	rm -f /run/pcscd/*
	pcscd --foreground --config "$work/reader.conf" >>"$work/pcscd.log" 2>&1 &
	pcscd_pid=$!
}

start_card()
{
	"$card" --card 35963:dual --log "$work/card.log" --control "$work/control" \
		>"$work/card.out" 2>&1 &
}

start_bridge()
{
	"$bridge" -c "$work/bridge.conf" >>"$work/bridge.log" 2>&1 &
	bridge_pid=$!
}

# stop_bridge SIGNAL: the exit status is left in $bridge_status.
stop_bridge()
{
	kill "-$1" "$bridge_pid"
	bridge_status=0
	wait "$bridge_pid" 2>>"$work/shell.log" || bridge_status=$?
}

control()
{
	"$card_ctl" "$work/control" "$@" >/dev/null || fail "card-ctl $*"
}

role_pids()
{
	pgrep -f -- "--internal-role $1 " || true
}

# How many lines of the card's log match.
logged()
{
	grep -c -E "$1" "$work/card.log" || true
}

said()
{
	grep -c -F "$1" "$work/bridge.log" || true
}

# until SECONDS COMMAND...: tries again until it succeeds.
until_true()
{
	local limit=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$limit" ] || fail "waited in vain: $*"
		sleep 0.02
	done
}

is_logged()
{
	[ "$(logged "$1")" = "$2" ]
}

# ---- the guest ----

start_guest()
{
	coproc guest { exec "$client" "ipc://$work/run/bridge.sock" vm1 2>>"$work/guest.log"; }
	# shellcheck disable=SC2154 # set by coproc
	guest_pid=$guest_PID
}

# The end of its input makes the guest say goodbye.
end_guest()
{
	local input=${guest[1]}
	exec {input}>&-
	wait "$guest_pid" || fail "relay-client ended with $?"
}

tell()
{
	echo "$*" >&"${guest[1]}"
}

# expect RESULT: the guest's next line begins with it.
expect()
{
	local line=
	read -r -t 25 line <&"${guest[0]}" || fail "no answer, not '$1'"
	[ "${line#"$1"}" != "$line" ] || fail "'$line', not '$1'"
}

# ask COMMAND = RESULT
ask()
{
	local all="$*"
	tell "${all%% = *}"
	expect "${all#* = }"
}

# now: milliseconds of a clock that nobody sets.
now()
{
	local up rest
	read -r up rest </proc/uptime
	echo $((${up%.*} * 1000 + 10#${up#*.} * 10))
}

# ask_within MILLISECONDS COMMAND = RESULT
ask_within()
{
	local limit=$1 start took
	shift
	start=$(now)
	ask "$@"
	took=$(($(now) - start))
	echo "  $* after $took ms"
	[ "$took" -le "$limit" ] || fail "that took $took ms"
}

# Of all processes that core has started.
nothing_is_left()
{
	[ -z "$(role_pids front)$(role_pids monitor)$(role_pids worker)$(role_pids cleaner)" ]
}

verify="transmit 0020000106313233343536"
looking="transmit 00A4040000"
verified='ev=reset verified=1'
