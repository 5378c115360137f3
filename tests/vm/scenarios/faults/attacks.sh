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

more_apdus()
{
	[ "$(apdus_at_card)" -gt "$1" ]
}

# load_start [APDUS]: comes back when the guest's program has begun; load_end NAME waits for its
# end.
load_start()
{
	round=$((round + 1))
	before=$(apdus_at_card)
	guest_start "round-$round" "/build/tests/pcsc/exchange --wait 15 loop ${1:-120}"
	wait_for 15 "the guest's APDUs" more_apdus "$before"
	assert_at_most "APDUs before the attack" $((${1:-120} / 2)) "$(($(apdus_at_card) - before))"
}

load_end()
{
	local slowest sent
	assert_equal "$1: exit status of the guest's program" 0 "$(guest_end "round-$round" 25)"
	sent=$(sed -n 's/.* apdus=\([0-9]*\).*/\1/p' "$RESULTS/guest-round-$round.log")
	assert_equal "$1: APDUs at the card" "$sent" "$(($(apdus_at_card) - before))"
	slowest=$(sed -n 's/.* ms-max=\([0-9]*\)\..*/\1/p' "$RESULTS/guest-round-$round.log")
	echo "$1: $sent APDUs of the good guest, the slowest took $slowest ms"
	assert_at_most "$1: ms of the slowest APDU" 2000 "$slowest"
}

# bad_peer SOCKET ATTACK [COUNT]
bad_peer()
{
	timeout 30 "$HOST_PROGRAMS/tests/relay-client/bad-peer" "ipc://$HOST_RUN/$1.sock" "${@:2}" \
		>>"$RESULTS/bad-peer.log" 2>&1
}

# attack ATTACK [COUNT]: at the good guest's own socket
attack()
{
	load_start
	assert "$1 gets through" bad_peer vm "$@"
	load_end "$1"
}

round=0
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
	bad_peer hostile type || true
	bad_peer hostile storm 200 || true
	bad_peer hostile garbage 20 || true
done
load_end "another socket"
assert_equal "its front is the same" "$front" "$(front_of vm)"
assert_fails "the other one's front was hit" [ "$hostile" = "$(front_of hostile)" ]

assert "core lives" alive "$core"
assert_equal "the card never went" 1 "$(grep -c 'event=state' "$RESULTS/guest-watch.log")"
guest_exchange loop 10 >/dev/null
assert_no_stuck_task
assert_kernel_quiet
