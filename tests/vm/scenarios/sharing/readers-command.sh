# SPDX-License-Identifier: BSD-3-Clause
#
# The readers command on both sides.
#
# Host:    pcscd with no, two and four readers, with odd names too; a bridge with two guests in its
#          configuration, of which one comes. Bridge and gadget are killed and started again.
# Guest:   wants one reader by name, then all; the card is used, pulled and put back.
# Asserts: each reader, its card and its ATR are what opensc-tool, sysfs and the card say, in the text
#          and in the JSON, which another program reads; who has the card is known while it has it; no
#          daemon is one line and exit status 1; silent clients, and fifty at once, cost a working guest
#          nothing, and are all answered or dropped.
#
# Limit: 240

one_line()
{
	[ "$(wc -l <<<"$1")" = 1 ]
}

# no_daemon WHAT COMMAND...: fails with 1 and says in one line what to type.
no_daemon()
{
	local what=$1 output status=0
	shift
	output=$("$@" 2>&1) || status=$?
	assert_equal "$what: exit status" 1 "$status"
	assert "$what: one line" one_line "$output"
	assert_contains "$what" "no daemon answers at" "$output"
	assert_contains "$what" "start it" "$output"
}

echo "no bridge, no pcscd, no readers"
host_bridge_config 'readers = { "*" }'
cat >>"$RESULTS/bridge.conf" <<'END'
guest 'other "vm"' {
	auth = none
	readers = { "*0 00 01" }
}
END
no_daemon "no bridge" host_bridge readers
host_bridge_start
ask_bridge readers
assert_shows "no pcscd" pcscd false
assert_shows "no pcscd" readers 0
assert_contains "no pcscd" "pcscd does not answer" "$(host_bridge readers)"
host_reader_config 0
host_pcscd_start
wait_for 10 "pcscd" bridge_says readers pcscd true
assert_shows "no reader" readers 0
assert_shows "schema" schema 1
assert_contains "no reader" "no readers" "$(host_bridge readers)"
assert "UTC" grep -q -E '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$' <<<"$(answer time)"
host_pcscd_stop

echo "two readers, one card, no guest"
host_reader_config 1
host_pcscd_start
card_start "$VPCD_PORT:t1"
wait_for 10 "the card" bridge_says readers readers.0.card present
atr=$(host_atr)
assert_shows "readers" readers 2
assert_shows "first" readers.0.name "Virtual PCD 0 00 00"
assert_shows "its ATR" readers.0.atr "$atr"
assert_shows "its guests" readers.0.guests 1
assert_shows "its guest" readers.0.guests.0.name vm
assert_shows "who is not there" readers.0.guests.0.connected false
assert_shows "second" readers.1.name "Virtual PCD 0 00 01"
assert_shows "its card" readers.1.card absent
assert_shows "its ATR" readers.1.atr null
assert_shows "its guests" readers.1.guests 2
assert_shows "its other guest" readers.1.guests.1.name 'other "vm"'
text=$(host_bridge readers)
assert_equal "lines" 3 "$(wc -l <<<"$text")"
assert "the first line" grep -q -E "^READER  +STATE  +PIN PAD  +ATR  +GUESTS\$" <<<"$text"
assert "the second" grep -q -E "^Virtual PCD 0 00 00  card present  no       $atr  vm \(not connected\)\$" <<<"$text"
assert "the third" grep -q -F 'other "vm" (not connected)' <<<"$text"

echo "exclusive use by a program of the host"
"$HOST_EXCHANGE" --wait 15 --share exclusive delay 3000 >/dev/null 2>&1 &
exclusive=$!
wait_for 10 "exclusive" bridge_says readers readers.0.exclusive true
assert_contains "exclusive" "in use exclusively" "$(host_bridge readers)"
wait "$exclusive" || true
wait_for 10 "free again" bridge_says readers readers.0.exclusive false

echo "a guest without a bridge"
guest_boot
guest_load_usb 2
guest_gadget_config
no_daemon "no gadget" guest_gadget readers
guest_gadget_start_only
wait_for 10 "the gadget's answer" gadget_says readers connected false
assert_shows "places" readers 1
assert_shows "pattern" readers.0.pattern "Virtual PCD 0 00 00"
assert_shows "state" readers.0.state waiting
assert_shows "no host's reader" readers.0.host_reader null
assert_shows "no device" readers.0.usb null
text=$(guest_gadget readers)
assert_contains "text" "no connection to the bridge" "$text"
assert_contains "text" "waiting for the host" "$text"

echo "with the bridge"
host_tunnel_start
guest_tunnel_start
guest_pcscd_start
wait_for 20 "the reader" guest_lists_reader
ask_gadget readers
assert_shows "connected" connected true
assert_shows "places" readers 1
assert_shows "the host's reader" readers.0.host_reader "Virtual PCD 0 00 00"
assert_shows "state" readers.0.state plugged
assert_shows "card" readers.0.card present
assert_shows "ATR" readers.0.atr "$atr"
device=$(dirname "$(guest 'grep -l -x 0b /sys/bus/usb/devices/*/bInterfaceClass')")
assert_shows "serial number" readers.0.usb.serial "$(guest "cat ${device%:*}/serial")"
assert_shows "USB numbers" readers.0.usb.id "$(guest "cat ${device%:*}/idVendor ${device%:*}/idProduct" | paste -sd:)"
assert_shows "name" readers.0.usb.name "$(guest "cat $device/interface")"
assert_shows "port" readers.0.usb.udc "$(guest "cat /sys/kernel/config/usb_gadget/$(answer readers.0.usb.gadget)/UDC")"
assert "text" grep -q -E "^Virtual PCD 0 00 00  Virtual PCD 0 00 00  card (present|in use)  $atr  " <<<"$(guest_gadget readers)"
assert_equal "as the guest's programs see it" "$atr" "$(guest_atr)"
ask_bridge readers
assert_shows "the guest is there" readers.0.guests.0.connected true
assert_shows "the other is not" readers.1.guests.1.connected false

echo "in use"
guest_exchange delay 4000 >/dev/null &
user=$!
wait_for 10 "the guest has the card" bridge_says readers readers.0.guests.0.used true
assert_shows "open" readers.0.guests.0.open true
assert_shows "nobody has the other" readers.1.guests.0.open false
assert_contains "text" "vm (uses the card)" "$(host_bridge readers)"
ask_gadget readers
assert_shows "powered" readers.0.powered true
assert_contains "text" "card in use" "$(guest_gadget readers)"
wait "$user"

echo "the card is pulled and put back"
card_remove
wait_for 10 "no card at the bridge" bridge_says readers readers.0.card absent
wait_for 10 "no card at the gadget" gadget_says readers readers.0.card absent
assert_shows "no ATR" readers.0.atr null
assert_contains "text" "no card" "$(guest_gadget readers)"
card_insert
wait_for 10 "a card at the bridge" bridge_says readers readers.0.card present
wait_for 10 "a card at the gadget" gadget_says readers readers.0.card present
assert_shows "ATR" readers.0.atr "$atr"

echo "silent clients and fifty that ask, beside a working guest"
before=$(apdus_at_card)
guest_exchange loop 300 >"$RESULTS/guest-loop.log" &
loop=$!
for i in $(seq 10); do
	socat -u PIPE "UNIX-CONNECT:$HOST_RUN/control.sock" &
done
asking=()
for i in $(seq 50); do
	host_bridge readers --json >"$RESULTS/asked-$i.json" &
	asking+=($!)
done
for i in "${!asking[@]}"; do
	wait "${asking[i]}" || fail "client $((i + 1)) of 50 got no answer"
done
for i in $(seq 50); do
	assert_equal "answer $i" 2 "$(json readers <"$RESULTS/asked-$i.json")"
done
wait "$loop" || fail "the guest beside them"
assert_equal "APDUs at the card" 300 "$(($(apdus_at_card) - before))"

echo "kill -9, a second start, and the end"
host_bridge_die
assert "the dead one's socket" test -S "$HOST_RUN/control.sock"
no_daemon "dead bridge" host_bridge readers
host_bridge_start
wait_for 10 "the new one's answer" bridge_says readers readers.0.card present
assert_fails "a second bridge" host_bridge 2>"$RESULTS/second.log"
assert "the first one answers" bridge_says readers readers.0.card present
wait_for 20 "the guest" bridge_says readers readers.0.guests.0.connected true
guest_kill_program gadget
no_daemon "dead gadget" guest_gadget readers
guest_gadget_start_only
wait_for 20 "the new one's answer" gadget_says readers readers.0.card present
assert_equal "exit status" 0 "$(guest_stop_program gadget)"
assert_fails "the gadget's socket" guest_try "test -e /run/ccid-gadget/control.sock"
assert "exit status" host_bridge_stop
assert_fails "the bridge's socket" test -e "$HOST_RUN/control.sock"

echo "odd names, all readers"
host_pcscd_stop
host_reader_config 2
sed -i "s/Virtual PCD 0/Läser \\\\ {} '%s' <\&> 読/; s/Virtual PCD 1/bell\\a and \xE4/" "$RESULTS/reader.conf"
host_pcscd_start
host_bridge_start
guest_gadget_config 'reader "*" {}' 'reader "not there" {}'
guest_gadget_start_only
wait_for 20 "four readers" bridge_says readers readers 4
names=$(for i in 0 1 2 3; do answer "readers.$i.name"; done)
assert_contains "UTF-8" "Läser \\ {} '%s' <&> 読 00 00" "$names"
assert "a control character" grep -q $'^bell\a and' <<<"$names"
assert_equal "sorted" "$(LC_ALL=C sort <<<"$names")" "$names"
text=$(host_bridge readers)
assert_equal "lines" 5 "$(wc -l <<<"$text")"
assert_lacks "no control character on a terminal" $'\a' "$text"
wait_for 20 "a place for each, and one that waits" gadget_says readers readers 5
assert_shows "the one of the configuration" readers.0.pattern "not there"
assert_equal "sorted and aligned" 6 "$(guest_gadget readers | wc -l)"
wait_for 20 "two ports for four" gadget_says readers readers.4.state no-port
assert_contains "no port" "no virtual USB port" "$(guest_gadget readers)"

assert_no_stuck_task
assert_kernel_quiet
