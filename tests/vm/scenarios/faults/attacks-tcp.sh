# SPDX-License-Identifier: BSD-3-Clause
#
# A hostile peer does to tcp:// all that is known to hurt nanomsg, and knows no key.
#
# Host:    a bridge that listens on an IPv4 and on an IPv6 address, with the key of one guest. bad-peer
#          greets as a publisher, leaves zombies, announces gigabytes, greets by halves, stays idle,
#          floods: at the address of the guest, and again and again at the other.
# Guest:   uses the card all the time.
# Asserts: no APDU of it takes longer than two seconds, none is lost or repeated, and its card never goes
#          away. No attack over TCP ends a front. core lives.
#
# Limit: 300

port=7817
attack_endpoint=tcp://127.0.0.1:$port
other_endpoint="tcp://[::1]:$port"

listens()
{
	[ "$(ss -H -l -t -n "sport = :$port" | wc -l)" = 2 ]
}

host_pcscd_start
card_start "$VPCD_PORT:t1"
guest_boot
guest_load_usb
bridge_key=$("$HOST_PROGRAMS/host-bridge/ccid-bridge" genkey /run/bridge.key)
guest_key=$(guest "/build/gadget/ccid-gadget genkey /run/gadget.key")
cat >"$RESULTS/bridge.conf" <<END
listen = { "$attack_endpoint", "$other_endpoint" }
key-file = "/run/bridge.key"
guest "vm" { key = "$guest_key" readers = { "*" } }
END
cat >"$RESULTS/gadget.conf" <<END
bridge = "tcp://10.0.2.2:$port"
bridge-key = "$bridge_key"
key-file = "/run/gadget.key"
reader "Virtual PCD 0 00 00" {}
END
process_start host-bridge "$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "$RESULTS/bridge.conf"
wait_for 10 "the bridge on both addresses" listens
guest_gadget_start_only
guest_pcscd_start
wait_for 15 "the reader in the guest's pcscd" guest_lists_reader
guest_exchange loop 3 >/dev/null
guest_watch_start guest-watch --timeout 280
wait_for 15 "the card in the guest" watch_saw guest-watch present
core=${PROCESSES[host-bridge]}

# front_of ADDRESS: the process that has the network's side of this address
front_of()
{
	pgrep -f -- "--internal-role front .*tcp://$1:$port"
}

front=$(front_of 127.0.0.1)
attack publisher
attack storm 500
attack oversize
attack half 50
attack idle 50
attack flood 20000
attack garbage 50
assert_equal "its front has lived through it all" "$front" "$(front_of 127.0.0.1)"

load_start 300
for _ in 1 2 3; do
	bad_peer "$other_endpoint" storm 200 || true
	bad_peer "$other_endpoint" oversize || true
	bad_peer "$other_endpoint" garbage 20 || true
done
load_end "another address"
assert_equal "its front is the same" "$front" "$(front_of 127.0.0.1)"
assert "bad-peer got through on IPv6" bad_peer "$other_endpoint" half 5

assert "core lives" alive "$core"
assert_equal "the card never went" 1 "$(grep -c 'event=state' "$RESULTS/guest-watch.log")"
guest_exchange loop 10 >/dev/null
assert_no_stuck_task
assert_kernel_quiet
