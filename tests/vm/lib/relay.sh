# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Both sides together: the relay as it is in use, and what scenarios ask of it again and again.

# Where the SCard programs are, for the host and in the guest.
HOST_EXCHANGE=$HOST_PROGRAMS/tests/pcsc/exchange
HOST_WATCH=$HOST_PROGRAMS/tests/pcsc/watch

# relay_start [ATR]: host with one card, guest, gadget, the guest's pcscd with the reader in it.
relay_start()
{
	host_start "${1:-t1}"
	guest_boot
	guest_gadget_start
	guest_pcscd_start
	wait_for 15 "the reader in the guest's pcscd" guest_lists_reader
}

guest_lists_reader()
{
	[ -n "$(guest_readers)" ]
}

guest_lists_no_reader()
{
	! guest_lists_reader
}

guest_lacks_reader()
{
	[ -z "$(guest_readers)" ]
}

# guest_exchange ARGUMENT...: the SCard program in the guest; its output and status.
guest_exchange()
{
	guest "/build/tests/pcsc/exchange --wait 15 $*"
}

host_exchange()
{
	"$HOST_EXCHANGE" --wait 15 "$@"
}

# The ATR that a program on the host gets from the first reader, as guest_atr prints it.
host_atr()
{
	opensc-tool --atr | tr -d ': \n' | tr a-f A-F
}

# APDUs that began at the card: apdus_at_card [PATTERN], for example 'cla=00 ins=20'.
apdus_at_card()
{
	grep -c "ev=apdu-begin .*${1:-}" "$RESULTS/card.log" || true
}

# guest_watch_start NAME ARGUMENT...: watch in the guest, its lines with this machine's time in
# $RESULTS/NAME.log.
guest_watch_start()
{
	local name=$1
	shift
	guest_within 300 "/build/tests/pcsc/watch $*" </dev/null 2>&1 | with_time >"$RESULTS/$name.log" &
	process_adopt "$name" $!
}

host_watch_start()
{
	local name=$1
	shift
	"$HOST_WATCH" "$@" </dev/null 2>&1 | with_time >"$RESULTS/$name.log" &
	process_adopt "$name" $!
}

# watch_time NAME STATE: when that watch last saw this state of a card, in ms since 1970; empty if
# it did not.
watch_time()
{
	grep "event=state .* state=[^ ]*$2" "$RESULTS/$1.log" | tail -n 1 | sed -n 's/^\([0-9]*\)\.\([0-9]*\) .*/\1\2/p'
}

watch_saw()
{
	[ -n "$(watch_time "$1" "$2")" ]
}
