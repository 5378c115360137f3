# SPDX-License-Identifier: BSD-3-Clause
#
# Gadget and bridge over tcp://, each known by its key.
#
# Host:    ccid-bridge on tcp://, with the guest's key; socat on the way writes down what passes.
# Guest:   ccid-gadget with the bridge's key; then with a key that the bridge doesn't know; then
#          with another bridge's; then with the right ones again. ccid-bridge is killed meanwhile.
# Asserts: first contact works, and nothing of it can be read on the way; a wrong key on either side
#          gets no reader, and one line on each side; nobody gets in without a key; what a key file
#          must be; no private key is in any log.

WIRE_PORT=7817
HOST_KEY=/run/bridge.key
guest_program=/build/gadget/ccid-gadget

# gadget_config BRIDGE-KEY KEY-FILE
gadget_config()
{
	{
		echo "bridge = \"tcp://10.0.2.2:$TUNNEL_PORT\""
		echo "bridge-key = \"$1\""
		echo "key-file = \"$2\""
		echo 'reader "Virtual PCD 0 00 00" {}'
	} >"$RESULTS/gadget.conf"
}

# bridge_config AUTHENTICATION: the line of the guest that says who it is
bridge_config()
{
	{
		echo "listen = { \"tcp://127.0.0.1:$WIRE_PORT\" }"
		echo "key-file = \"$HOST_KEY\""
		echo "guest \"vm\" { $1 readers = { \"*\" } }"
	} >"$RESULTS/bridge.conf"
}

bridge_listens()
{
	ss -H -l -t -n "sport = :$WIRE_PORT" | grep -q .
}

bridge_start()
{
	process_start host-bridge "$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "$RESULTS/bridge.conf"
	wait_for 10 "the bridge on tcp://" bridge_listens
}

# refused WHERE COMMAND...: the exit status is 78, and the reason is in $RESULTS/WHERE.log.
refused()
{
	local name=$1 status=0
	shift
	"$@" >"$RESULTS/$name.log" 2>&1 || status=$?
	assert_equal "exit status of '$*'" 78 "$status"
}

restart_gadget()
{
	guest_stop_program gadget >/dev/null
	mv "$RESULTS/guest-gadget.log" "$RESULTS/guest-gadget-$1.log"
	guest_gadget_start_only
}

guest_connected()
{
	log_has guest-gadget "connected to tcp://10.0.2.2:$TUNNEL_PORT"
}

host_key=$("$HOST_PROGRAMS/host-bridge/ccid-bridge" genkey "$HOST_KEY")
assert_equal "pubkey on the host" "$host_key" \
	"$("$HOST_PROGRAMS/host-bridge/ccid-bridge" pubkey "$HOST_KEY")"
assert_equal "mode of a key file" 600 "$(stat -c %a "$HOST_KEY")"
assert_fails "genkey over a key that is there" \
	"$HOST_PROGRAMS/host-bridge/ccid-bridge" genkey "$HOST_KEY"

host_pcscd_start
card_start "$VPCD_PORT:t1"
guest_boot
guest_load_usb
guest_key=$(guest "$guest_program genkey /run/gadget.key")
other_key=$(guest "$guest_program genkey /run/other.key")
assert_equal "pubkey in the guest" "$guest_key" "$(guest "$guest_program pubkey /run/gadget.key")"
assert_fails "the same key twice" [ "$guest_key" = "$other_key" ]

echo "first contact"
bridge_config "key = \"$guest_key\""
bridge_start
process_start wire socat -v "TCP-LISTEN:$TUNNEL_PORT,bind=127.0.0.1,fork,reuseaddr" \
	"TCP:127.0.0.1:$WIRE_PORT"
wait_for 10 "the wire" tunnel_listens
gadget_config "$host_key" /run/gadget.key
guest_gadget_start_only
guest_pcscd_start
wait_for 15 "the reader in the guest's pcscd" guest_lists_reader
guest_exchange loop 5 >/dev/null
assert_equal "the card's ATR" "$(host_atr)" "$(guest_atr)"
assert "the wire was in use" test -s "$RESULTS/wire.log"
assert_equal "the reader's name on the wire" 0 "$(grep -a -c 'Virtual PCD' "$RESULTS/wire.log" || true)"

echo "a guest's key that the bridge doesn't have"
gadget_config "$host_key" /run/other.key
restart_gadget good
wait_for 10 "the guest's word" log_has guest-gadget "this machine's key is not in its configuration"
wait_for 10 "the host's word" log_has host-bridge "its key is not in the configuration"
sleep 3
assert_equal "it is said in the guest" 1 "$(log_count guest-gadget 'no answer from')"
assert_equal "it is said on the host" 1 "$(log_count host-bridge 'its key is not in the configuration')"
assert_fails "a connection" guest_connected
assert_fails "a reader" guest_has_usb_reader

echo "another bridge's key"
gadget_config "$other_key" /run/gadget.key
restart_gadget unknown
wait_for 10 "the guest's word" log_has guest-gadget "bridge-key is not its key"
wait_for 10 "the host's word" log_has host-bridge "its bridge-key is not this bridge's key"
sleep 3
assert_equal "it is said in the guest" 1 "$(log_count guest-gadget 'no answer from')"
assert_equal "it is said on the host" 1 "$(log_count host-bridge "its bridge-key is not")"
assert_fails "a connection" guest_connected

echo "the right ones again, and a bridge that is killed"
gadget_config "$host_key" /run/gadget.key
restart_gadget astray
guest_exchange loop 5 >/dev/null
host_bridge_die
bridge_start
wait_for 30 "the guest's use of the card" guest_try "/build/tests/pcsc/exchange --wait 15 loop 5"

echo "key files, and tcp:// without keys"
process_stop host-bridge
chmod 640 "$HOST_KEY"
refused mode "$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "$RESULTS/bridge.conf" check-config
assert "the reason" log_has mode "others may read or write it"
chmod 600 "$HOST_KEY"
bridge_config "auth = none"
refused plain "$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "$RESULTS/bridge.conf"
assert "the reason" log_has plain "everybody on the network could use the cards; give it a key"
printf 'bridge = "tcp://10.0.2.2:1"\nauth = none\nreader "*" {}\n' >"$RESULTS/plain.conf"
refused plain-gadget "$HOST_PROGRAMS/gadget/ccid-gadget" -c "$RESULTS/plain.conf"
assert "the reason" log_has plain-gadget "everybody on the network could be the bridge"

assert_fails "the host's private key in a log" grep -r -a -l -F -f "$HOST_KEY" "$RESULTS"
for key in gadget other; do
	assert_equal "a private key of the guest in a log" "" \
		"$(guest "test -s /run/$key.key || echo no key
			grep -r -a -l -F -f /run/$key.key /results || true")"
done
assert_no_stuck_task
assert_kernel_quiet
