# SPDX-License-Identifier: BSD-3-Clause
#
# The configuration of both sides chooses the reader.
#
# Host:    two readers with a card each; the bridge shows the guest only the second, then both.
# Guest:   wants one by pattern, with numbers of its own; then two; bad files.
# Asserts: the guest has exactly the readers that both sides name, with the card that is in them; USB
#          numbers and serial are those of the file; a bad file gives "file:line: what and why" and
#          exit status 78.

host_pcscd_start
card_start "$VPCD_PORT:t1" "$((VPCD_PORT + 1)):t0"
host_bridge_config 'readers = { "Virtual PCD 0 00 01" }'
host_bridge_start
host_tunnel_start
guest_boot
guest_load_usb 2
guest_tunnel_start
guest_gadget_config 'reader "Virtual*" { vendor = 0x1d50 product = 0x6141 serial = "A1" }'
guest_gadget_start_only
guest_pcscd_start
wait_for 15 "the reader" guest_lists_reader
assert_equal "readers" 1 "$(guest_readers | wc -l)"
assert "USB numbers" guest_try 'lsusb -d 1d50:6141'
assert_contains "serial number" "A1" "$(guest 'cat /sys/bus/usb/devices/*/serial')"
assert_equal "the second reader's card" "$(opensc-tool -r 1 --atr | tr -d ': \n' | tr a-f A-F)" "$(guest_atr)"

host_bridge_stop
host_bridge_config 'readers = { "*" }'
host_bridge_start
guest_stop_program gadget >/dev/null
guest_gadget_config 'reader "Virtual PCD 0 00 01" {}' 'reader "Virtual*" {}'
guest_gadget_start_only
two_readers()
{
	[ "$(guest_readers | wc -l)" = 2 ]
}
wait_for 20 "two readers" two_readers
guest_exchange --reader 0 loop 3 >/dev/null
guest_exchange --reader 1 loop 3 >/dev/null

# bad TEXT MESSAGE: the file with this line as its third is refused, with its place and this message
bad()
{
	printf 'bridge = "ipc:///run/x.sock"\nauth = none\n%s\nreader "*" {}\n' "$1" >"$RESULTS/bad.conf"
	local output status=0
	output=$("$HOST_PROGRAMS/gadget/ccid-gadget" --check-config -c "$RESULTS/bad.conf" 2>&1) ||
		status=$?
	assert_equal "exit status for '$1'" 78 "$status"
	assert_contains "'$1'" "$RESULTS/bad.conf:3: " "$output"
	assert_contains "'$1'" "$2" "$output"
}
bad 'colour = "red"' "no such option 'colour'"
bad 'bridge = "tcp://host:7816"' "a number, not a name"
bad 'bridge-key = "x"' "this is no public key"
bad 'bridge = "/run/x.sock"' "is no endpoint"
bad 'log-level = loud' "use error, warning, info or debug"
bad 'reader "a" { vendor = 0 }' "between 0x0001 and 0xffff"
bad 'reader "a" { udc = "usb0" }' "not a dummy controller"
status=0
"$HOST_PROGRAMS/gadget/ccid-gadget" -c /nonesuch 2>"$RESULTS/nonesuch.log" || status=$?
assert_equal "exit status without a file" 78 "$status"
assert "the reason" log_has nonesuch "/nonesuch: No such file"
assert_kernel_quiet
