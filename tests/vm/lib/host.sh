# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The host side of a scenario: a real pcscd with Debian's vpcd driver instead of reader hardware,
# ccid-bridge, and the host's end of the tunnel. All of it in /run and /usr/lib/pcsc/drivers of the
# scenario's own mount namespace: the pcscd and the readers of the machine are never touched.

HOST_RUN=/run/ccid-bridge
HOST_PROGRAMS=$(programs_of bookworm)
TUNNEL_PORT=7816

# vpcd listens on this port and the next for the cards of its two slots. More readers need a copy of
# the driver: it keeps its state by slot number only.
VPCD_PORT=35963

# The driver folder is hidden so that this pcscd leaves real readers alone.
host_isolate()
{
	mount -t tmpfs -o mode=0755 tmpfs /run
	mkdir -m 0700 "$HOST_RUN"
	mkdir /run/pcscd
	mount -t tmpfs tmpfs /usr/lib/pcsc/drivers
}

# host_reader_config [COUNT]: COUNT copies of the driver, two readers each; 1 by default.
host_reader_config()
{
	local copy port driver
	for copy in $(seq 0 $((${1:-1} - 1))); do
		port=$(printf '0x%X' $((VPCD_PORT + 2 * copy)))
		driver=$HOST_RUN/libifdvpcd-$copy.so
		cp "$VM/vpcd/libifdvpcd.so" "$driver"
		printf 'FRIENDLYNAME "Virtual PCD %s"\nDEVICENAME /dev/null:%s\n' "$copy" "$port"
		printf 'LIBPATH %s\nCHANNELID %s\n' "$driver" "$port"
	done >"$RESULTS/reader.conf"
}

# host_pcscd_start [OPTION...]
host_pcscd_start()
{
	[ -e "$RESULTS/reader.conf" ] || host_reader_config
	process_start host-pcscd pcscd --foreground --info --config "$RESULTS/reader.conf" "$@"
	wait_for 10 "the host's pcscd" test -S /run/pcscd/pcscd.comm
}

host_pcscd_stop()
{
	process_stop host-pcscd || true
}

# A killed pcscd leaves its socket behind, and a new one takes the wait above for granted.
host_pcscd_kill()
{
	process_kill host-pcscd
	rm -f /run/pcscd/pcscd.comm
}

# host_bridge_config [GUEST-OPTION...]: writes the bridge's configuration; all readers by default.
host_bridge_config()
{
	local option
	[ $# -gt 0 ] || set -- 'readers = { "*" }'
	{
		echo "listen = { \"ipc://$HOST_RUN/vm.sock\" }"
		echo 'guest "vm" {'
		echo '	auth = none'
		for option in "$@"; do
			echo "	$option"
		done
		echo '}'
	} >"$RESULTS/bridge.conf"
}

host_bridge_start()
{
	[ -e "$RESULTS/bridge.conf" ] || host_bridge_config
	process_start host-bridge "$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "$RESULTS/bridge.conf"
	wait_for 10 "the bridge's socket" test -S "$HOST_RUN/vm.sock"
}

host_bridge_stop()
{
	process_stop host-bridge
}

host_bridge_kill()
{
	process_kill host-bridge
	rm -f "$HOST_RUN/vm.sock"
}

# host_role ROLE: the process of the bridge that has it.
host_role()
{
	pgrep -f -- "--internal-role $1( |\$)"
}

# host_role_kill ROLE: waits for it first; core may just be starting it.
host_role_kill()
{
	local pids
	wait_for 10 "the bridge's $1" host_role "$1" >/dev/null
	pids=$(host_role "$1")
	# shellcheck disable=SC2086 # one or more
	kill -KILL $pids
}

no_host_role()
{
	! pgrep -f -- "--internal-role" >/dev/null
}

# Kills the bridge's main process, and waits like systemd (KillMode=control-group, the default)
# until the rest of the service has ended: a worker that lost its core resets its card first.
host_bridge_die()
{
	process_kill host-bridge
	wait_for 20 "the end of the bridge's other processes" no_host_role
}

# That of the guest: the second one has the next.
tunnel_port()
{
	echo $((TUNNEL_PORT + ${GUEST:-1} - 1))
}

tunnel_listens()
{
	ss -H -l -t -n "sport = :$(tunnel_port)" | grep -q .
}

# The host's end of the guest's byte-stream tunnel; killing it is a cut link.
host_tunnel_start()
{
	process_start "host-tunnel$GUEST" socat \
		"TCP-LISTEN:$(tunnel_port),bind=127.0.0.1,fork,reuseaddr" \
		"UNIX-CONNECT:$HOST_RUN/vm$GUEST.sock"
	wait_for 10 "the tunnel's host end" tunnel_listens
}

# All of the host side, with one card: host_start [ATR].
host_start()
{
	host_pcscd_start
	card_start "$VPCD_PORT:${1:-t1}"
	host_bridge_start
	host_tunnel_start
}
