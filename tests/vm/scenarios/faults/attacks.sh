# SPDX-License-Identifier: BSD-3-Clause
#
# A hostile peer does to the bridge's sockets all that is known to hurt nanomsg.
#
# Host:    a bridge with two guests, each with a socket of its own. bad-peer aborts nanomsg, leaves
#          zombies, passes descriptors, announces gigabytes, greets by halves: at the socket of the
#          good guest, as somebody on the host might who reaches it, and again and again at the
#          other.
# Guest:   the good one uses the card all the time.
# Asserts: attacked itself, no APDU of it takes longer than two seconds, none is lost or repeated,
#          and its card never goes away. When the other one is attacked its front isn't touched.
#          core lives.
#
# Limit: 300

cat >"$RESULTS/bridge.conf" <<END
listen = { "ipc://$HOST_RUN/vm.sock", "ipc://$HOST_RUN/hostile.sock" }
guest "vm" {
	auth = none
	readers = { "*" }
}
guest "hostile" {
	auth = none
	readers = { "no such reader" }
}
END
relay_start t1
guest_exchange loop 3 >/dev/null
guest_watch_start guest-watch --timeout 280
wait_for 15 "the card in the guest" watch_saw guest-watch present
core=${PROCESSES[host-bridge]}

# front_of NAME: the process that has the network's side of this socket
front_of()
{
	pgrep -f -- "--internal-role front .*/$1.sock"
}

attack_endpoint=ipc://$HOST_RUN/vm.sock
front=$(front_of vm)
attack type
assert_fails "nanomsg aborts: the attack is what it was" [ "$front" = "$(front_of vm)" ]
attack publisher
attack storm 500
attack descriptors 20
attack oversize
attack half 50
attack garbage 50

front=$(front_of vm)
load_start 300
hostile=$(front_of hostile)
for _ in 1 2 3; do
	bad_peer "ipc://$HOST_RUN/hostile.sock" type || true
	bad_peer "ipc://$HOST_RUN/hostile.sock" storm 200 || true
	bad_peer "ipc://$HOST_RUN/hostile.sock" garbage 20 || true
done
load_end "another socket"
assert_equal "its front is the same" "$front" "$(front_of vm)"
assert_fails "the other one's front was hit" [ "$hostile" = "$(front_of hostile)" ]

assert "core lives" alive "$core"
assert_equal "the card never went" 1 "$(grep -c 'event=state' "$RESULTS/guest-watch.log")"
guest_exchange loop 10 >/dev/null
assert_no_stuck_task
assert_kernel_quiet
