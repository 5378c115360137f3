# SPDX-License-Identifier: BSD-3-Clause
#
# The host's half of PIN entries and escapes, without a guest: what the bridge does to reader and card.
#
# Host:    the scripted PIN pad; the bridge; relay-client makes the calls that a gadget would make, and an
#          SCard program on the host is in the way.
# Asserts: a cancelled PIN entry is answered at once, and the card that accepts its PIN later is reset
#          before the next call reaches it, also when all calls have given up waiting for that; an entry
#          that waits for its turn is cancelled, too; a host program's transaction delays an entry and
#          does not fail it; a card that a host program has reset gets no PIN; a reader whose card is
#          in a transaction is shown, and its PIN pad as soon as it is known.
#
# Limit: 120

VERIFY=001E824803080402010904050000000020008008FFFFFFFFFFFFFFFF

client_start()
{
	coproc CLIENT { exec "$HOST_PROGRAMS/tests/relay-client/relay-client" --limit 60 \
		"ipc://$HOST_RUN/vm.sock" vm 2>>"$RESULTS/client-messages.log"; }
}

tell()
{
	echo "$*" >&"${CLIENT[1]}"
}

# expect RESULT [SECONDS]: the client's next line begins with it.
expect()
{
	local line=
	read -r -t "${2:-20}" line <&"${CLIENT[0]}" || fail "no answer, not '$1'"
	echo "  $line"
	[ "${line#"$1"}" != "$line" ] || fail "'$line', not '$1'"
}

# ask COMMAND = RESULT
ask()
{
	local all="$*"
	tell "${all%% = *}"
	expect "${all#* = }"
}

host_pin()
{
	"$HOST_EXCHANGE" --wait 5 --reader "Scripted*" "$@" >/dev/null
}

# An entry begins that hangs at the reader.
hanging_entry()
{
	local before
	before=$(pinpad_count "verify bT")
	pinpad_script "hang 9000"
	tell send-secure "$VERIFY"
	wait_for 5 "the entry at the reader" pinpad_is_beyond "verify bT" "$before"
}

pinpad_reader_config
host_pcscd_start

echo "a reader whose card is in a transaction"
host_pin begin + sleep 4000 + end &
program=$!
sleep 0.5
host_bridge_config 'readers = { "Scripted*" }' 'escape = yes'
host_bridge_start
client_start
ask wait session = wait: session
ask wait reader = wait: reader
ask wait no-pin-pad = wait: no-pin-pad after 0
ask wait pin-pad = wait: pin-pad
wait "$program" || fail "the host's program"

echo "a cancelled entry"
ask connect = connect: ok T=1
hanging_entry
tell cancel
expect "cancel: sent"
ask answer = transmit: cancelled
tell connect
sleep 1
verified=$(pinpad_count verified)
pinpad_go
expect "connect: ok T=1"
assert "the reader's entry ended with a verified PIN" pinpad_is_beyond verified "$verified"
assert "and the card was reset before the next call" pinpad_is_clean
ask transmit 00200080 = transmit: ok T=1 63C3

echo "a cleaner that has to wait, and an entry that waits, too"
hanging_entry
entries=$(pinpad_count "verify bT")
tell send-secure "$VERIFY"
tell cancel
expect "cancel: sent"
ask answer = transmit: cancelled
tell connect
expect "connect: card busy" 45
verified=$(pinpad_count verified)
pinpad_go
wait_for 10 "the entry's end" pinpad_is_beyond verified "$verified"
wait_for 10 "the card's reset, without any call" pinpad_is_clean
assert_equal "entries at the reader" "$entries" "$(pinpad_count 'verify bT')"
ask connect = connect: ok T=1

echo "a host program's transaction"
host_pin begin + sleep 2000 + end &
program=$!
sleep 0.5
ask secure "$VERIFY" = secure: ok T=1 9000
wait "$program" || fail "the host's program"
ask connect unpower = connect: ok T=1
pinpad_is_clean || fail "the card was reset"

echo "a card that somebody else has reset"
host_pin connect + reset warm || fail "the host's program"
before=$(pinpad_count "verify bT")
ask secure "$VERIFY" = secure: card reset
assert_equal "entries at the reader" "$before" "$(pinpad_count 'verify bT')"
ask connect = connect: ok T=1

echo "what is no PIN entry, and an escape"
ask secure 04 = secure: unsupported
ask secure 00 = secure: unsupported
pinpad_script "answer 0A0B0C"
ask escape 010203 = escape: ok T=1 0A0B0C
ask disconnect = disconnect: ok
wait_for 5 "the card's reset" pinpad_is_clean
ask secure "$VERIFY" = secure: not connected
ask escape 04 = escape: ok 9000
