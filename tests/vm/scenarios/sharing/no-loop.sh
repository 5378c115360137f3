# SPDX-License-Identifier: BSD-3-Clause
#
# Host and guest are the same machine: its bridge doesn't show a guest what its ccid-gadget has made.
#
# Host:    a card, the bridge with two guests, of which one is asked for here.
# Guest:   the reader, from the host; and a ccid-bridge of its own, to which a client connects, as a
#          guest of this guest would.
# Asserts: that bridge shows the client no reader in six seconds, and says why; the host's bridge, asked in
#          the same way, shows one.

host_bridge_config
echo 'guest "other" { auth = none readers = { "*" } }' >>"$RESULTS/bridge.conf"
relay_start t1
cat >"$RESULTS/inner.conf" <<'END'
listen = { "ipc:///run/ccid-bridge/inner.sock" }
guest "inner" { auth = none readers = { "*" } }
END
guest_start inner-bridge "/build/host-bridge/ccid-bridge -c /results/inner.conf"
wait_for 10 "the inner bridge's socket" guest_try "test -S /run/ccid-bridge/inner.sock"

assert_fails "a reader is shown" guest_try "printf 'wait reader\n' |
	/build/tests/relay-client/relay-client --limit 6 ipc:///run/ccid-bridge/inner.sock inner"
assert "the reason" log_has guest-inner-bridge "made by this machine's ccid-gadget, not shown to guests"
assert_equal "said once" 1 "$(log_count guest-inner-bridge "not shown to guests")"
assert "the host's bridge shows one" eval "printf 'wait reader\n' |
	$HOST_PROGRAMS/tests/relay-client/relay-client --limit 6 ipc://$HOST_RUN/vm.sock other"
assert_kernel_quiet
