# SPDX-License-Identifier: BSD-3-Clause
#
# What can be tried against a bridge with keys on tcp://, while a guest works.
#
# Host:    a bridge with the key of one guest. wiretap, on the way, writes down what passes, repeats
#          it, changes its order and damages it; key-attacker and bad-peer come from beside.
#          So does a second guest that has got hold of the first one's key.
# Guest:   uses the card all the time.
# Asserts: of each attack: no APDU but the guest's reaches the card, and each of those once; none takes
#          longer than two seconds; core's and the front's memory is bounded; the log says what it was,
#          in a few lines that have nothing of it.
#
# Limit: 240

TAP_PORT=7816
BRIDGE_PORT=7817
KEYS=/run/keys
TAP=/run/wiretap
RECORD=/run/recorded

programs=$HOST_PROGRAMS/tests
attack_endpoint=tcp://127.0.0.1:$BRIDGE_PORT

bridge_listens()
{
	ss -H -l -t -n "sport = :$BRIDGE_PORT" | grep -q .
}

bridge_start()
{
	process_start host-bridge "$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "$RESULTS/bridge.conf"
	wait_for 10 "the bridge on tcp://" bridge_listens
}

bridge_core()
{
	echo "${PROCESSES[host-bridge]}"
}

bridge_front()
{
	host_role front
}

tap()
{
	"$programs/card/card-ctl" "$TAP" "$@" >>"$RESULTS/wiretap.log"
}

# tap_count KEY
tap_count()
{
	"$programs/card/card-ctl" "$TAP" state | sed -n "s/.* $1=\([0-9]*\).*/\1/p"
}

tap_reached()
{
	[ "$(tap_count "$1")" -ge "$2" ]
}

# tap_until KEY COUNT SECONDS: so many more frames had this done to them.
tap_until()
{
	local wanted=$(($(tap_count "$1") + $2))
	wait_for "$3" "$2 frames $1" tap_reached "$1" "$wanted"
}

# tampered KEY COUNT RULE...: a rule of the wiretap, until it was used so often.
tampered()
{
	local key=$1 count=$2
	shift 2
	tap "$@"
	tap_until "$key" "$count" 40
	tap pass
}

attacker()
{
	timeout 60 "$programs/relay-client/key-attacker" "$attack_endpoint" "$@" | tee -a "$RESULTS/attacker.log"
}

# answers: of the last attack by key-attacker
answers()
{
	tail -n 1 "$RESULTS/attacker.log" | sed -n 's/.*answers=\([0-9]*\).*/\1/p'
}

# said LINE MAXIMUM: the bridge's log has it, and not more often.
said()
{
	assert_contains "the bridge's log" "$1" "$(cat "$RESULTS/host-bridge.log")"
	assert_at_most "lines with '$1'" "$2" "$(log_count host-bridge "$1")"
}

# Somebody who has the guest's key, and wants its session for eight seconds.
second_guest()
{
	local log=$RESULTS/second-guest.log
	! "$programs/relay-client/relay-client" --limit 8 --key-file "$KEYS/guest.key" \
		--bridge-key "$bridge_key" "$attack_endpoint" vm <<<'wait session' >"$log" 2>&1
}

guest_connects()
{
	guest_try "/build/tests/pcsc/exchange --wait 15 loop 3"
}

mkdir -m 0700 "$KEYS"
bridge_key=$("$HOST_PROGRAMS/host-bridge/ccid-bridge" genkey "$KEYS/bridge.key")
guest_key=$("$HOST_PROGRAMS/host-bridge/ccid-bridge" genkey "$KEYS/guest.key")
cat >"$RESULTS/bridge.conf" <<END
listen = { "$attack_endpoint" }
key-file = "$KEYS/bridge.key"
log-level = debug
guest "vm" { key = "$guest_key" readers = { "*" } }
END
cat >"$RESULTS/gadget.conf" <<END
bridge = "tcp://10.0.2.2:$TAP_PORT"
bridge-key = "$bridge_key"
key-file = "/keys/guest.key"
log-level = debug
reader "Virtual PCD 0 00 00" {}
END

host_pcscd_start
card_start "$VPCD_PORT:t1"
bridge_start
process_start wiretap "$programs/faults/wiretap" "$TAP_PORT" "$BRIDGE_PORT" "$RECORD" "$TAP"
wait_for 10 "the wiretap" test -S "$TAP"
GUEST_SHARES+=("keys=$KEYS")
guest_boot
guest_load_usb

echo "the handshake, damaged in every position in both directions"
tap damage 1
guest_gadget_start_only
guest_pcscd_start
wait_for 15 "the reader in the guest's pcscd" guest_lists_reader
guest_exchange loop 3 >/dev/null
tap pass
assert "frames were damaged" [ "$(tap_count damaged)" -gt 400 ]
guest_watch_start guest-watch --timeout 230
wait_for 15 "the card in the guest" watch_saw guest-watch present
core=$(bridge_core)
front=$(bridge_front)
lines=$(wc -l <"$RESULTS/host-bridge.log")

under_attack "each frame again, and 20 older ones" tampered replayed 4000 replay 20
under_attack "frames out of order" tampered reordered 3 reorder 30
under_attack "every position damaged" tampered damaged 3000 damage 4
said "a frame was dropped that can't be decrypted, was here before" 3

under_attack "2,000 unknown keys" attacker strangers 2000 "$bridge_key"
assert_equal "answers to unknown keys" 0 "$(answers)"
said "its key is not in the configuration" 3

under_attack "a handshake for another bridge, 2,000 times" attacker astray 2000 "$KEYS/guest.key"
assert_equal "answers to handshakes for another bridge" 0 "$(answers)"
said "its bridge-key is not this bridge's key" 3

under_attack "what was recorded, to the bridge that heard it" attacker play "$RECORD"

under_attack "10,000 half handshakes" attacker half 10000 "$bridge_key" "$KEYS/guest.key"
said "was begun and not ended" 3
said "there were too many" 3

under_attack "300 connections that send a byte now and then" bad_peer "$attack_endpoint" slow 300
under_attack "450 idle connections" bad_peer "$attack_endpoint" idle 450
under_attack "700 idle connections" bad_peer "$attack_endpoint" idle 700
said "there are as many connections as it can have" 3
under_attack "10,000 half handshakes over 400 connections" \
	attacker half 10000 "$bridge_key" "$KEYS/guest.key" 400
under_attack "a second guest with the first one's key" second_guest
assert_contains "what the second guest was told" "another daemon of this guest has the session" \
	"$(cat "$RESULTS/second-guest.log")"
assert_equal "sessions of the second guest" 0 "$(grep -c -F 'session up' "$RESULTS/second-guest.log")"
said 'audit: event=session-contested guest="vm"' 3
under_attack "oversized frames" bad_peer "$attack_endpoint" oversize
assert_equal "the front has lived through it all" "$front" "$(bridge_front)"
assert "core lives" alive "$core"
assert_equal "the card never went" 1 "$(grep -c 'event=state' "$RESULTS/guest-watch.log")"
assert_at_most "lines in the bridge's log of all that" 60 \
	"$(($(grep -c -v -F 'vm: ' "$RESULTS/host-bridge.log") - lines))"

echo "what was recorded, to a bridge that was started anew"
cp "$RECORD" "$RECORD.old"
host_bridge_die
bridge_start
wait_for 30 "the guest's use of the card" guest_connects
under_attack "the recorded session" attacker play "$RECORD.old"
assert "a recorded handshake is answered" [ "$(answers)" -gt 0 ]

for key in bridge guest; do
	assert_fails "a private key in a log" grep -r -a -l -F -f "$KEYS/$key.key" "$RESULTS"
done
assert_no_stuck_task
assert_kernel_quiet
