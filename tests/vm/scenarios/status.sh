# SPDX-License-Identifier: BSD-3-Clause
#
# status and log-level, on both sides.
#
# Host:    one card; the bridge is killed once.
# Guest:   sends APDUs, one of them slow; the port is reset; the card is pulled under a command.
# Asserts: each counter moves by what the card's log, the guest's program and the bus have, on both sides
#          alike; JSON has all members before anything has happened; after log-level debug each process
#          that runs already logs more (core, front, monitor, worker, gadget, its maker), and no longer
#          after log-level info; nobody but root may set it.
#
# Limit: 180

# both: asks both sides; $gadget and $bridge are their answers
both()
{
	ask_gadget status
	gadget=$ANSWER
	ask_bridge status
	bridge=$ANSWER
}

of_gadget()
{
	ANSWER=$gadget
	answer "$1"
}

of_bridge()
{
	ANSWER=$bridge
	answer "$1"
}

# assert_between WHAT LEAST MOST VALUE
assert_between()
{
	[ "$4" -ge "$2" ] || fail "$1: $4 is less than $2"
	assert_at_most "$1" "$3" "$4"
}

utc='^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$'
reader=readers.0
used=guests.0.readers.0

echo "before anybody is there"
host_start t1
ask_bridge status
assert_shows "schema" schema 1
assert_shows "pid" pid "${PROCESSES[host-bridge]}"
assert_shows "configuration" config "$RESULTS/bridge.conf"
assert_shows "endpoints" endpoints 1
assert_shows "front" endpoints.0.listening true
assert_shows "restarts" endpoints.0.restarts 0
assert_shows "guests" guests 1
assert_shows "a guest that never came" guests.0.since null
assert_shows "its readers" guests.0.readers 0
assert_shows "its reconnects" guests.0.reconnects 0
assert "times in UTC" grep -q -E "$utc" <<<"$(answer since)"
assert_contains "text" "not connected" "$(host_bridge status)"
guest_boot
guest_gadget_start
wait_for 20 "a session" gadget_says status bridge.connected true
assert_shows "reader" readers 1
assert_shows "no APDU yet" "$reader.calls.apdus" 0
assert_shows "latency of none" "$reader.calls.latency_us.p99" 0
assert_shows "reconnects" bridge.reconnects 0
wait_for 10 "no driver" gadget_says status "$reader.driver" false
guest_pcscd_start
wait_for 15 "the reader in the guest's pcscd" guest_lists_reader
wait_for 10 "the driver" gadget_says status "$reader.driver" true

echo "APDUs and bytes"
both
before_gadget=$(of_gadget "$reader.calls.apdus")
before_card=$(apdus_at_card)
bytes_sent=$(of_gadget "$reader.calls.bytes_sent")
bytes_received=$(of_gadget "$reader.calls.bytes_received")
guest_exchange loop 20 >/dev/null
card=$(($(apdus_at_card) - before_card))
assert_equal "APDUs at the card" 20 "$card"
both
assert_equal "APDUs, gadget" "$card" "$(($(of_gadget "$reader.calls.apdus") - before_gadget))"
assert_equal "APDUs on both sides" "$(of_gadget "$reader.calls.apdus")" "$(of_bridge "$used.calls.apdus")"
# As the card's log has them: len is that of the command, and of the answer.
sum_of()
{
	grep "ev=$1 " "$RESULTS/card.log" | tail -n 20 | sed -n 's/.* len=\([0-9]*\).*/\1/p' | awk '{ n += $1 } END { print n }'
}
assert_equal "bytes sent" "$(sum_of apdu-begin)" "$(($(of_gadget "$reader.calls.bytes_sent") - bytes_sent))"
assert_equal "bytes received" "$(sum_of apdu-end)" "$(($(of_gadget "$reader.calls.bytes_received") - bytes_received))"
assert_equal "bytes on both sides" "$(of_gadget "$reader.calls.bytes_sent")" "$(of_bridge "$used.calls.bytes_sent")"

echo "a slow one: latency and time extensions"
extensions=$(of_gadget "$reader.time_extensions")
guest_exchange delay 3000 >/dev/null
both
assert_between "longest, ms" 3000 20000 "$(($(of_gadget "$reader.calls.latency_us.max") / 1000))"
assert_between "longest at the bridge, ms" 3000 20000 "$(($(of_bridge "$used.calls.latency_us.max") / 1000))"
assert_between "time extensions" 2 8 "$(($(of_gadget "$reader.time_extensions") - extensions))"
assert_contains "text" "time extensions" "$(guest_gadget status)"

echo "a USB reset"
assert_equal "none yet" 0 "$(of_gadget "$reader.usb_resets")"
guest_try "usbreset 0e0f:0004"
wait_for 10 "it is counted" gadget_says status "$reader.usb_resets" 1

echo "the card is pulled under a command"
# pcscd learns of the reset when a command fails.
wait_for 20 "an APDU after the reset" guest_try "/build/tests/pcsc/exchange --wait 15 loop 1"
slow_is_at_card()
{
	[ "$(apdus_at_card "p1=0F p2=A0")" -gt 0 ] # ms, hexadecimal
}
guest_exchange delay 4000 >/dev/null 2>&1 &
slow=$!
wait_for 20 "the slow APDU at the card" slow_is_at_card
card_remove
wait "$slow" && fail "an APDU succeeded without a card"
errors()
{
	perl -MJSON::PP -0777 -e '
		my $calls = JSON::PP->new->utf8->decode(scalar <STDIN>)->{readers}[0]{calls}{errors};
		my $n = 0;
		$n += $_ for values %$calls;
		print $n, "\n"' <<<"$gadget"
}
both
assert_between "errors" 1 20 "$(errors)"
card_insert

echo "another bridge"
wait_for 20 "the card again" guest_try "/build/tests/pcsc/watch --until present --timeout 5"
ask_gadget status
before=$(answer bridge.sessions)
host_bridge_die
host_bridge_start
wait_for 30 "a new session" gadget_says status bridge.sessions "$((before + 1))"
assert_shows "reconnects" bridge.reconnects "$before"
ask_bridge status
assert_shows "the new bridge counts anew" guests.0.sessions 1

echo "log-level"
wait_for 20 "the card again" guest_try "/build/tests/pcsc/watch --until present --timeout 5"
# at_level LEVEL: on both sides, from now on
at_level()
{
	assert_equal "from now on, bridge" "$1" "$(host_bridge log-level "$1")"
	assert_equal "from now on, gadget" "$1" "$(guest_gadget log-level "$1")"
}
running()
{
	host_role front
	host_role monitor
	host_role worker
	guest 'pgrep -x ccid-gadget-usb'
}
# How many lines core, front, worker and monitor have that are for debug; then the gadget and its maker.
talk()
{
	local text
	for text in "transmit, " "frames from guests" "took pcscd" "pcscd has changed"; do
		log_count host-bridge "$text"
	done
	for text in "a driver may use the device" "asked to "; do
		log_count guest-gadget "$text"
	done
}
talked()
{
	local count
	for count in $(talk | head -n 4); do
		[ "$count" -gt 0 ] || return 1
	done
}
assert_equal "as configured" info "$(host_bridge log-level)"
guest_exchange loop 3 >/dev/null
those=$(running)
assert_equal "they are" 4 "$(wc -l <<<"$those")"
# level_of PROCESS...: how each has the level in its memory, and descriptors of it that are left
level_of='for process; do
	sed -n "s/^[^ ]* \([^ ]*\) .*ccid-log-level.*/\1/p" /proc/$process/maps
	ls -l /proc/$process/fd | grep ccid-log-level || true
done'
# shellcheck disable=SC2046 # one or more
assert_equal "front, monitor, worker can only read it" "r--s r--s r--s" \
	"$(sh -c "$level_of" - $(head -n 3 <<<"$those") | xargs)"
assert_equal "the maker, too" "r--s" "$(guest "set $(tail -n 1 <<<"$those"); $level_of")"
assert_equal "nothing at info" "0 0 0 0 0 0" "$(talk | xargs)"
at_level debug
ask_bridge status
assert_shows "said" log_level debug
guest_exchange loop 3 >/dev/null
assert_equal "the same processes, one level" "$those" "$(running)"
card_remove
wait_for 10 "each process of the bridge talks" talked
card_insert
wait_for 20 "the card again" guest_try "/build/tests/pcsc/watch --until present --timeout 5"
at_level info
guest_exchange loop 1 >/dev/null
before=$(talk)
guest_exchange loop 3 >/dev/null
card_remove
wait_for 10 "a change that is not told" guest_try "/build/tests/pcsc/watch --until empty --timeout 5"
assert_equal "silent again" "$before" "$(talk)"
at_level debug
host_pcscd_stop
host_reader_config 0
host_pcscd_start
wait_for 20 "no reader in the guest" guest_lacks_usb_reader
wait_for 10 "the maker talks" log_has guest-gadget "asked to remove it: done"
at_level info
before=$(log_count guest-gadget "asked to ")
assert_equal "the same maker" "$(tail -n 1 <<<"$those")" "$(guest 'pgrep -x ccid-gadget-usb')"
host_pcscd_stop
host_reader_config 1
host_pcscd_start
card_insert
wait_for 20 "a reader that is not told of" guest_has_usb_reader
assert_equal "a silent maker" "$before" "$(log_count guest-gadget "asked to ")"
assert_fails "no such level" host_bridge log-level loud 2>/dev/null
chmod 0666 "$HOST_RUN/control.sock"
chmod 0755 "$HOST_RUN"
# as_nobody REQUEST: what the bridge answers to somebody who may do nothing
as_nobody()
{
	setpriv --reuid nobody --regid nogroup --clear-groups \
		socat -t 5 - "UNIX-CONNECT:$HOST_RUN/control.sock" <<<"$1"
}
assert_equal "anybody may read" info "$(as_nobody log-level | json log_level)"
assert_contains "not anybody may write" "only root" "$(as_nobody "log-level debug")"
assert_equal "it is the same" info "$(host_bridge log-level)"

echo "again and again"
timeout 3 "$HOST_PROGRAMS/host-bridge/ccid-bridge" --socket "$HOST_RUN/control.sock" status --json --watch \
	>"$RESULTS/watch.json" || true
assert_between "one document a line" 2 4 "$(grep -c '^{"schema":1,.*}$' "$RESULTS/watch.json" || true)"
assert_kernel_quiet
