# SPDX-License-Identifier: BSD-3-Clause
#
# A PIN and keys that can be told from anything else, sent through everything, and then looked for.
#
# Host:    ccid-bridge on tcp:// with keys, later on ipc:// without; it logs all that it can.
# Guest:   ccid-gadget, likewise. A program sends the PIN: in VERIFY, as text and as BCD, and as data
#          that the card sends back. Each process is killed while a VERIFY runs, the link is cut, and
#          processes end by SIGSEGV and SIGABRT where core dumps are asked for, to a file and to a
#          program.
# Asserts: the search finds the PIN in the program that sends it, in a file and in a core file, as a
#          control. It finds it in no log or other file, and no process of ours leaves a core file: in the
#          guest wherever its kernel puts them (a bridge is started there for that, too), on the host if
#          its kernel puts them into a process's folder; if it doesn't, that is said. With keys, nothing of the PIN is in the
#          memory of front, core, monitor, worker, prober, gadget or maker a moment later, nothing of the
#          secret that the two static keys make, and of each private key and each key of the session
#          only the one copy at each end that is in use, locked into memory. Without keys, where nanomsg
#          has it in clear, the same, but for the last bytes that a connection read. What is not looked
#          for: keys of one handshake (its ephemeral ones, and what is derived before the session's),
#          which nobody outside can know.
#
# Limit: 240

WIRE_PORT=7817
CORES=/run/cores
bridge=$HOST_PROGRAMS/host-bridge/ccid-bridge

bridge_listens()
{
	ss -H -l -t -n "sport = :$WIRE_PORT" | grep -q .
}

wire_start()
{
	process_start wire socat "TCP-LISTEN:$TUNNEL_PORT,bind=127.0.0.1,fork,reuseaddr" "$1"
	wait_for 10 "the wire" tunnel_listens
}

# All of it, with the connections that it has forked for.
wire_cut()
{
	pkill -KILL -P "${PROCESSES[wire]}" || true
	process_kill wire
}

keyed_configs()
{
	cat >"$RESULTS/bridge.conf" <<-END
		listen = { "tcp://127.0.0.1:$WIRE_PORT" }
		key-file = "$SECRETS/bridge.key"
		log-level = debug
		guest "vm" { key = "$guest_key" readers = { "*" } }
	END
	cat >"$RESULTS/gadget.conf" <<-END
		bridge = "tcp://10.0.2.2:$TUNNEL_PORT"
		bridge-key = "$bridge_key"
		key-file = "/secrets/guest.key"
		log-level = debug
		reader "Virtual PCD 0 00 00" {}
	END
}

plain_configs()
{
	rm "$RESULTS/bridge.conf"
	host_bridge_config 'readers = { "*" }'
	echo 'log-level = debug' >>"$RESULTS/bridge.conf"
	guest_gadget_config
	echo 'log-level = debug' >>"$RESULTS/gadget.conf"
}

# Core dumps are asked for. The children have the limits and the folder of the first process.
bridge_start()
{
	mkdir -p "$CORES"
	process_start host-bridge bash -c "cd $CORES; ulimit -c unlimited; exec $bridge -c $RESULTS/bridge.conf"
	wait_for 10 "the bridge" "${1:-bridge_listens}"
}

socket_there()
{
	test -S "$HOST_RUN/vm.sock"
}

gadget_start()
{
	guest_try "ulimit -c unlimited; true"
	guest_start gadget "prlimit --core=unlimited /build/gadget/ccid-gadget -c /results/gadget.conf"
}

all_works()
{
	guest_try "/build/tests/pcsc/exchange --wait 15 select"
}

# What the last APDU left is overwritten by nothing that we do: it has to be gone.
settle()
{
	guest_send verify
	guest_send verify-bcd
	guest_send echo
	guest_send verify
	guest_exchange select >/dev/null
	sleep 1
}

# search_ours: what is in the memory of our processes, but for the keys that are in use.
search_ours()
{
	local role pid
	for role in front monitor worker; do
		for pid in $(host_role "$role"); do
			search_host "$pid" | sed "s/^/$role: /"
		done
	done
	search_host "${PROCESSES[host-bridge]}" | sed "s/^/core: /"
	search_guest "$(guest_program_pid gadget)" | sed "s/^/gadget: /"
	search_guest "$(guest 'pgrep -x ccid-gadget-usb')" | sed "s/^/maker: /"
}

# nothing_but_keys WHAT: in their memory, with the keys of the session that they have now. Those who need
# a key have it once, where it is locked.
nothing_but_keys()
{
	local found key count
	session_patterns "${PROCESSES[host-bridge]}" "$(guest_program_pid gadget)" >"$SECRETS/session"
	count=$(wc -l <"$SECRETS/session")
	assert "the keys of the session are known" [ "$count" -ge 2 ]
	PATTERNS=$(mktemp "$SECRETS/with-session-XXXXXX")
	cat "$SECRETS/patterns" "$SECRETS/session" >"$PATTERNS"
	found=$(search_ours)
	found=$(but_for "$found" '^core: .* locked: bridge-key-bytes at')
	found=$(but_for "$found" '^gadget: .* locked: guest-key-bytes at')
	for key in $(seq "$count"); do
		found=$(but_for "$found" "^core: .* locked: session-key-$key at")
		found=$(but_for "$found" "^gadget: .* locked: session-key-$key at")
	done
	nothing_in "front, core, monitor, worker, gadget and maker$1, but the keys in use, which are locked" "$found"
}

# but_for FOUND PATTERN: the lines without one that is expected, which must be there.
but_for()
{
	assert_equal "$2" 1 "$(grep -c -E -- "$2" <<<"$1" || true)"
	grep -v -E -- "$2" <<<"$1" || true
}

# mid_verify WHAT COMMAND...: while a VERIFY runs at the card.
mid_verify()
{
	local what=$1 before program
	shift
	before=$(apdus_at_card 'cla=00 ins=20')
	card_ctl delay 1500 >/dev/null
	guest_within 30 "/build/tests/pcsc/exchange --wait 15 apdu \$(cat /secrets/verify) expect any \
		>/dev/null 2>&1" >/dev/null 2>&1 &
	program=$!
	verify_comes()
	{
		[ "$(apdus_at_card 'cla=00 ins=20')" -gt "$before" ]
	}
	wait_for 20 "$what: VERIFY at the card" verify_comes
	"$@"
	card_ctl delay 0 >/dev/null
	wait "$program" || true
	wait_for 40 "$what: the guest's use of the card" all_works
	echo "$what, and all works again"
}

cut_link()
{
	wire_cut
	wire_start "$wire"
}

kill_core()
{
	host_bridge_die
	bridge_start
}

# end_core SIGNAL
end_core()
{
	kill "-$1" "${PROCESSES[host-bridge]}"
	process_end host-bridge || true
	wait_for 20 "the end of the bridge's other processes" no_host_role
	bridge_start
}

# end_role ROLE SIGNAL
end_role()
{
	# shellcheck disable=SC2046 # one or more
	kill "-$2" $(host_role "$1")
}

end_gadget()
{
	guest_signal gadget "$1"
	guest_end gadget >/dev/null
	gadget_start
}

# guest_cores PATTERN: where the guest's kernel puts core dumps
guest_cores()
{
	guest "mkdir -p /tmp/cores; rm -f /tmp/cores/*; echo '$1' >/proc/sys/kernel/core_pattern"
}

# guest_dumps: how many core files the guest has; they are removed then.
guest_dumps()
{
	guest "sleep 0.5
		find /tmp/cores -type f -size +0 | wc -l
		rm -f /tmp/cores/*"
}

# A prober lives for as long as another program has the card for itself.
search_prober()
{
	local program
	host_exchange --share exclusive connect + sleep 20000 >/dev/null &
	program=$!
	process_kill host-bridge
	wait_for 20 "the end of the bridge's other processes" no_host_role
	bridge_start
	wait_for 10 "a prober" host_role prober >/dev/null
	nothing_in "prober" "$(search_host "$(host_role prober)")"
	kill "$program"
	wait_for 40 "the guest's use of the card" all_works
}

# host_dumps: the core files of the host, if its kernel writes any in a folder of the process's own
host_dumps()
{
	find "$CORES" -type f
	find / -maxdepth 1 -type f -name '*core*' -newer "$SECRETS/patterns"
}

# A program that has a PIN and does nothing about it leaves a core file, in which it is found.
host_dump_control()
{
	local pattern program
	pattern=$(cat /proc/sys/kernel/core_pattern)
	case $pattern in
	[\|/]* | '')
		echo "not looked for: core files of the host, whose kernel gives them to '$pattern'"
		return
		;;
	esac
	(cd "$CORES" && ulimit -c unlimited && exec "$HOST_EXCHANGE" --wait 15 apdu "$(cat "$SECRETS/echo")" \
		+ sleep 20000 >/dev/null 2>&1) &
	program=$!
	host_has_pin()
	{
		[ -n "$(search_host "$program" 2>/dev/null)" ]
	}
	wait_for 10 "the program's memory" host_has_pin
	sleep 0.5
	kill -SEGV "$program"
	wait "$program" || true
	assert_equal "core files of a program that isn't hardened" 1 "$(host_dumps | wc -l)"
	assert_contains "that core file" "pin at" "$(search_host "$(host_dumps)")"
	rm "$(host_dumps)"
}

# bridge_in_guest PATTERN: a bridge in the guest, whose kernel dumps as it is told here. It has a key, and
# no guest yet, and so no monitor and no worker; what they do about dumps they do as these two.
bridge_in_guest()
{
	# [e]: the shell that looks for it has this text, too.
	local front="pgrep -f -- '--internal-rol[e] front'"
	guest "mkdir -p -m 0700 /run/dumped"
	guest_start bridge "prlimit --core=unlimited /build/host-bridge/ccid-bridge -c /results/dumped.conf"
	wait_for 10 "front in the guest" guest_try "$front >/dev/null"
	guest "sleep 0.5; kill -SEGV \$($front)"
	assert_equal "core files of front, to $1" 0 "$(guest_dumps)"
	guest_signal bridge SEGV
	guest_end bridge >/dev/null
	assert_equal "core files of core, to $1" 0 "$(guest_dumps)"
	guest "rm -rf /run/dumped"
}

secrets_make
bridge_key=$("$bridge" genkey "$SECRETS/bridge.key")
guest_key=$("$bridge" genkey "$SECRETS/guest.key")
{
	key_patterns bridge-key "$SECRETS/bridge.key"
	key_patterns guest-key "$SECRETS/guest.key"
	shared_pattern "$SECRETS/guest.key" "$bridge_key"
} >>"$SECRETS/patterns"
keyed_configs
cat >"$RESULTS/dumped.conf" <<END
listen = { "ipc:///run/dumped/vm.sock", "tcp://127.0.0.1:$WIRE_PORT" }
key-file = "/secrets/bridge.key"
guest "vm" { key = "$guest_key" readers = { "*" } }
END
host_pcscd_start
card_start "$VPCD_PORT:t1"
bridge_start
wire=TCP:127.0.0.1:$WIRE_PORT
wire_start "$wire"
GUEST_SHARES+=("secrets=$SECRETS")
guest_boot
guest_load_usb
gadget_start
guest_pcscd_start
wait_for 15 "the reader in the guest's pcscd" guest_lists_reader

echo "the search finds what is there"
guest "/build/tests/pcsc/exchange --wait 15 apdu \$(cat /secrets/echo) + sleep 20000 >/dev/null 2>&1 &
	echo \$! >/run/sender.pid
	sleep 2"
assert_contains "the program that sent the PIN" "pin at" "$(search_guest "$(guest_program_pid sender)")"
guest "kill \$(cat /run/sender.pid)"
cp "$SECRETS/echo" "$SECRETS/guest.key" /run/
assert_contains "a file with an APDU as text" "pin-hex at" "$(search_host /run/echo)"
assert_contains "a file with a key" "guest-key-text at" "$(search_host /run/guest.key)"
assert_contains "core, which needs its key" "bridge-key-bytes at" \
	"$(search_host "${PROCESSES[host-bridge]}")"

echo "with keys"
settle
nothing_but_keys ""
assert_equal "swap in the guest" "" "$(guest "swapon --show")"

mid_verify "the link was cut" cut_link
mid_verify "front was killed" host_role_kill front
mid_verify "worker was killed" host_role_kill worker
mid_verify "core was killed" kill_core
mid_verify "gadget was killed" end_gadget KILL
nothing_but_keys ", after that"
search_prober

echo "core dumps"
for pattern in "/tmp/cores/file.%p" "|/usr/bin/tee /tmp/cores/piped.%p"; do
	guest_cores "$pattern"
	guest_try "exec 2>/dev/null; ulimit -c unlimited; sleep 10 & kill -SEGV \$!; wait \$! || true"
	assert_equal "core files of a program that has no secrets, to $pattern" 1 "$(guest_dumps)"
	mid_verify "gadget ended by SIGSEGV" end_gadget SEGV
	assert_equal "core files of gadget, to $pattern" 0 "$(guest_dumps)"
	bridge_in_guest "$pattern"
done
host_dump_control
for role in front monitor worker; do
	mid_verify "$role ended by SIGABRT" end_role "$role" ABRT
done
mid_verify "core ended by SIGSEGV" end_core SEGV
assert_equal "core files of the bridge" "" "$(host_dumps)"

echo "without keys"
guest_stop_program gadget >/dev/null
process_stop host-bridge
wire_cut
plain_configs
bridge_start socket_there
wire=UNIX-CONNECT:$HOST_RUN/vm.sock
wire_start "$wire"
guest_tunnel_start
gadget_start
settle
found=$(search_ours)
echo "without keys there is in nanomsg's buffers: ${found:-nothing}"
nothing_in "core, monitor, worker and maker" "$(grep -E '^(core|monitor|worker|maker): ' <<<"$found" || true)"

chmod 0600 "$RESULTS"/*
guest "dmesg >/results/guest-dmesg.txt"
nothing_in "$(find "$RESULTS" -type f | wc -l) files with logs and whatever else was written" \
	"$(find "$RESULTS" "$CORES" "$HOST_RUN" -type f -exec cat {} + >/run/all; search_host /run/all)"
assert_no_stuck_task
assert_kernel_quiet
