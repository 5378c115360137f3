# SPDX-License-Identifier: BSD-3-Clause
#
# A session traced on both sides at once, and read back with tshark.
#
# Host:    ccid-bridge, traced; its log says when.
# Guest:   ccid-gadget, traced four times: without data, with it, by a client that is stopped, and by one
#          that is killed. opensc-tool asks for the ATR and sends a long answer's APDU; a program sends a
#          PIN that can be told from anything else, in VERIFY and in data that comes back; ccid-conformance
#          sends and reads in parts.
# Asserts: tshark names the messages and APDUs and finds none malformed; the lengths are those of the
#          APDUs at the card; each call that carries an APDU has the same number, the same header, length
#          and status word on both sides, and they are in order; the PIN is in the traces with data and in
#          no other; those who may not trace are refused, and no file is left or overwritten; a full disk
#          is said; a killed client leaves a file that can be read; one that doesn't read costs the gadget
#          no memory and the guest no time, and its file says how much it lacks.
#
# Limit: 200

# host_trace NAME [OPTION...]
host_trace()
{
	local name=$1
	shift
	process_start "$name" "$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "$RESULTS/bridge.conf" trace \
		"$RESULTS/$name.pcapng" "$@"
	wait_for 10 "the trace $name" test -s "$RESULTS/$name.pcapng"
}

# refused WHAT WORDS COMMAND...: it fails, says so, and leaves no file.
refused()
{
	local what=$1 words=$2 output status=0
	shift 2
	output=$("$@" 2>&1) || status=$?
	assert_equal "$what: exit status" 1 "$status"
	assert_contains "$what" "$words" "$output"
}

# Of each command: the number of its call (or what the comment is without one), length, CLA INS P1 P2.
commands_of()
{
	read_back "$1" -Y 'usbccid.bMessageType == 0x6f && usbccid.dwLength > 0' -T fields \
		-e frame.comment -e usbccid.dwLength -e iso7816.apdu.cla -e iso7816.apdu.ins \
		-e iso7816.apdu.p1 -e iso7816.apdu.p2 | sed 's/^call=\([0-9]*\)[^\t]*/\1/'
}

# The last part of each response: number and status word.
answers_of()
{
	read_back "$1" -Y 'frame.comment contains "SW="' -T fields -e frame.comment |
		sed 's/^call=\([0-9]*\); SW=\(....\).*/\1 \2/'
}

# Of each answer with data: the number of its call, and its length, of all its parts.
lengths_of()
{
	read_back "$1" -Y 'usbccid.bMessageType == 0x80 && usbccid.dwLength > 0' -T fields -e frame.comment \
		-e usbccid.dwLength | sed 's/^call=\([0-9]*\)[^\t]*/\1/' |
		awk '{ sum[$1] += $2 } END { for (call in sum) print call, sum[call] }' | sort -n
}

rss_of_gadget()
{
	guest "sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' /proc/\$(cat /run/gadget.pid)/status"
}

secrets_make
GUEST_SHARES+=("secrets=$SECRETS")
relay_start t1

echo "who may not trace, and where not"
control=$HOST_RUN/control.sock
guest_control=/run/ccid-gadget/control.sock
chmod 0711 "$HOST_RUN"
chmod 0666 "$control"
guest_try "chmod 0711 /run/ccid-gadget; chmod 0666 $guest_control"
gadget_user=$(guest "stat -c %u /proc/\$(cat /run/gadget.pid)")
refused "another user in the guest" "for root and" guest "setpriv --reuid=12345 --regid=12345 \
	--clear-groups /build/gadget/ccid-gadget --socket $guest_control trace /tmp/x.pcapng 2>&1"
refused "the gadget's user, with data" "for root only" guest "setpriv --reuid=$gadget_user \
	--regid=$gadget_user --clear-groups /build/gadget/ccid-gadget --socket $guest_control \
	trace /tmp/x.pcapng --with-data 2>&1"
refused "another user" "for root and" setpriv --reuid=12345 --regid=12345 --clear-groups \
	"$HOST_PROGRAMS/host-bridge/ccid-bridge" --socket "$control" trace /tmp/x.pcapng
chmod 0660 "$control"
assert_fails "a file of those who were refused" test -e /tmp/x.pcapng
echo "here" >"$RESULTS/there.pcapng"
refused "a file that is there" "is there already" host_bridge trace "$RESULTS/there.pcapng"
assert_equal "what was there" "here" "$(cat "$RESULTS/there.pcapng")"
mkdir -p "$RESULTS/full"
mount -t tmpfs -o size=4k none "$RESULTS/full"
head -c 4096 /dev/zero >"$RESULTS/full/zeros" || true
refused "a full disk" "No space left" host_bridge trace "$RESULTS/full/x.pcapng"
umount "$RESULTS/full"
refused "a folder that isn't" "No such file" host_bridge trace /nowhere/x.pcapng

echo "the session"
guest_trace usb
guest_trace usb-data --with-data
guest_trace usb-killed
host_trace scard
host_trace scard-data --with-data
assert_equal "mode of the file" 600 "$(stat -c %a "$RESULTS/scard.pcapng")"
assert_contains "what --with-data says" "PINs" "$(cat "$RESULTS/guest-usb-data.log")"
assert_contains "what the log says" "PINs" "$(cat "$RESULTS/host-bridge.log")"
guest_exchange reset cold
guest "opensc-tool --atr && opensc-tool --send-apdu 00:A4:04:00:06:A0:00:00:00:01:01"
guest_send verify
guest_send echo
guest_exchange sizes both 10 250 5000
guest_kill_program usb-killed
# A driver that reads no long messages, as GnuPG's: long commands and answers are in parts on the bus.
conformance_run 1 --card scripted --case "'60,000 bytes both ways in full parts'"
guest_pcscd_start
guest_exchange select
assert_equal "exit status" 0 "$(guest_stop_program usb)"
guest_signal usb-data INT
assert_equal "exit status" 0 "$(guest_end usb-data)"
for name in scard scard-data; do
	kill -INT "${PROCESSES[$name]}"
	process_end "$name" || fail "$name ended with $?"
done

echo "what tshark says"
for name in usb usb-data usb-killed scard scard-data; do
	read_back $name.pcapng >"$RESULTS/$name.txt" || fail "$name.pcapng can't be read"
	assert_equal "malformed packets in $name" "" "$(read_back $name.pcapng -Y _ws.malformed)"
	for words in "GET DESCRIPTOR Response CONFIGURATION" "ICC Power On" "ATR, " "Select file" Verify \
		"Response APDU (to Verify)"; do
		assert_contains "$name" "$words" "$(cat "$RESULTS/$name.txt")"
	done
	assert_equal "packets without a name in $name" "" \
		"$(read_back $name.pcapng -Y 'usb.transfer_type == 3 && !usbccid' | head -n 3)"
done
assert_equal "lost packets" "" "$(read_back usb.pcapng -Y 'frame.drop_count > 0')"

commands_of scard.pcapng >"$RESULTS/commands-scard"
commands_of usb.pcapng >"$RESULTS/commands-usb"
answers_of scard.pcapng >"$RESULTS/answers-scard"
answers_of usb.pcapng >"$RESULTS/answers-usb"
for side in usb scard; do
	assert "calls in order" sort -n -u -c <(grep -o '^[0-9]*' "$RESULTS/commands-$side")
done
assert "there are many" [ "$(wc -l <"$RESULTS/commands-scard")" -gt 20 ]
assert_equal "status words, by call" "$(cat "$RESULTS/answers-scard")" "$(cat "$RESULTS/answers-usb")"
# The other driver's command is in parts on the bus, of which the first has no number yet.
while IFS= read -r line; do
	number=${line%%$'\t'*} rest=${line#*$'\t'}
	length=${rest%%$'\t'*}
	[ "$length" -gt 60000 ] || assert "call $number on the bus" grep -q -x -F -- "$line" "$RESULTS/commands-usb"
done <"$RESULTS/commands-scard"
assert "a long command" awk -F '\t' '$2 > 5000 { found = 1 } END { exit !found }' "$RESULTS/commands-scard"
assert "a long command, whole" awk -F '\t' '$2 > 5000 { found = 1 } END { exit !found }' "$RESULTS/commands-usb"
assert "a long answer, whole" [ -n "$(read_back usb.pcapng \
	-Y 'usbccid.bMessageType == 0x80 && usbccid.dwLength > 5000 && usbccid.bChainParameter == 0')" ]
for part in 1 3 2; do
	assert "an answer in parts ($part)" [ -n "$(read_back usb.pcapng -Y "usbccid.bChainParameter == $part")" ]
done
assert_equal "lengths of answers, by call" "$(lengths_of scard.pcapng)" "$(lengths_of usb.pcapng)"
assert_equal "lengths of the APDUs" \
	"$(sed -n 's/.*ev=apdu-begin .* len=\([0-9]*\).*/\1/p' "$RESULTS/card.log" | tail -n 5)" \
	"$(cut -f 2 "$RESULTS/commands-scard" | tail -n 5)"

echo "the PIN"
for name in usb usb-killed scard; do
	nothing_in "$name.pcapng" "$(search_host "$RESULTS/$name.pcapng")"
	nothing_in "what tshark makes of it" "$(read_back $name.pcapng -V >"$RESULTS/$name.verbose"
		search_host "$RESULTS/$name.verbose")"
done
for name in usb-data scard-data; do
	assert_contains "$name.pcapng" "pin at" "$(search_host "$RESULTS/$name.pcapng")"
done

echo "a client that does not read"
guest_exchange sizes both 65000 >/dev/null
before=$(rss_of_gadget)
guest_trace stopped --with-data
guest_signal stopped STOP
guest_exchange loop 30 60000
after=$(rss_of_gadget)
echo "memory of the gadget: $before kB before, $after kB after"
assert_at_most "memory that it costs, kB" 1500 $((after - before))
guest_signal stopped CONT
# Once what waited has gone, the next packet has room, and says how many had none.
lacks()
{
	guest_exchange select >/dev/null
	[ -n "$(read_back stopped.pcapng -Y 'frame.drop_count > 0')" ]
}
wait_for 20 "a packet that says what is missing" lacks
assert_equal "exit status" 0 "$(guest_stop_program stopped)"
tail -n 1 "$RESULTS/guest-stopped.log"
assert_contains "the client" "more came too fast" "$(cat "$RESULTS/guest-stopped.log")"
read_back stopped.pcapng >"$RESULTS/stopped.txt" || fail "stopped.pcapng can't be read"
assert_no_stuck_task
assert_kernel_quiet
