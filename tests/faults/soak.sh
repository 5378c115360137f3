# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The scenario behind tests/soak: three guests use a card each while everything that can fail fails.
#
# Host:    three readers; the bridge; a proxy on each guest's way; and a dealer of faults, by a
#          seed.
# Guests:  a real one (vm), and two that relay-client plays (c1, c2). Each sends APDUs that are
#          never the same, and notes what becomes of each.
# Asserts: after each fault all three get on within a minute; an APDU that was answered reached the
#          card once, one that failed once at most, and one that can't have been sent not at all;
#          descriptors and memory of each daemon stay what they were.
#
# From the environment: SOAK_SECONDS, SOAK_SEED. Prints a line "check NAME: ok|FAILED" for each.

soak_end=$((SECONDS + SOAK_SECONDS))
RANDOM=$SOAK_SEED
GUESTS=(vm c1 c2)

# What a guest's programs wait for at most after a fault, in s. The lease, a new session, the USB
# reader and pcscd in an emulated guest are in it.
PATIENCE=60

# What a daemon may have more of at the end of its life than at the beginning.
RSS_GROWTH=4096 # KiB
DESCRIPTOR_GROWTH=8

reader_of()
{
	case $1 in
	vm) echo "Virtual PCD 0 00 00" ;;
	c1) echo "Virtual PCD 0 00 01" ;;
	c2) echo "Virtual PCD 1 00 00" ;;
	esac
}

card_of()
{
	case $1 in
	vm) echo 0 ;;
	c1) echo 1 ;;
	c2) echo 2 ;;
	esac
}

# proxied GUEST COMMAND...: to the proxy of this guest
proxied()
{
	LINK_SOCKET=/run/link-$1.sock link "${@:2}"
}

# ---- loads ----

# apdu NUMBER: an ECHO that nobody else sends, of 9 to 207 bytes
apdu()
{
	local size=$((9 + $1 * 37 % 199))
	printf '8014%04X%02X%016X%0*d00' $(($1 % 65536)) "$size" "$1" $(((size - 8) * 2)) 0
}

# note GUEST APDU OUTCOME
note()
{
	echo "$2 $3" >>"$RESULTS/load-$1"
}

done_apdus()
{
	grep -c ' ok$' "$RESULTS/load-$1" || true
}

# One life of relay-client, until it is killed, gives up or the soak is over.
client_life()
{
	local line sent word out in pid status=0
	coproc CLIENT { exec "$HOST_PROGRAMS/tests/relay-client/relay-client" --limit "$PATIENCE" \
		"ipc:///run/link-$1" "$1" 2>>"$RESULTS/client-$1.log"; }
	echo "$CLIENT_PID" >"$RESULTS/client-$1.pid"
	pid=$CLIENT_PID
	# Copies: the shell closes its own when the program ends, and may reuse the numbers.
	exec {out}>&"${CLIENT[1]}" {in}<&"${CLIENT[0]}"
	eval "exec ${CLIENT[1]}>&-"
	word=start
	while [ ! -e "$RESULTS/stop" ]; do
		if [ "$word" != ok ]; then
			printf 'wait session\nwait present\nconnect\n' >&"$out" || break
			for line in 1 2 3; do
				read -r -u "$in" line || break 2
			done
			word=ok
		fi
		load_number=$((load_number + 1))
		sent=$(apdu "$load_number")
		echo "transmit $sent" >&"$out" || break
		if ! read -r -u "$in" line; then
			note "$1" "$sent" unknown
			break
		fi
		word=$(sed -n 's/^transmit: \(ok\) T=. .*/\1/p; s/^transmit: \([a-z ]*[a-z]\).*/\1/p' \
			<<<"$line" | head -n 1)
		[ "$word" != ok ] || [ "${line##* }" = "${sent:10:-2}9000" ] || word=mangled
		note "$1" "$sent" "${word// /-}"
	done
	exec {out}>&- {in}<&-
	wait "$pid" || status=$?
	# 137: it was killed, as one of the faults. Anything else but 0 is its own doing.
	[ "$status" = 0 ] || [ "$status" = 137 ] || note "$1" "$(apdu 0)" "gave-up"
}

client_load()
{
	trap '' PIPE
	trap - ERR
	set +e
	load_number=0
	while [ ! -e "$RESULTS/stop" ]; do
		client_life "$1"
	done
}

# A program in the real guest sends twenty APDUs, and is started again.
guest_load()
{
	local number=0 steps sent output word
	trap - ERR
	set +e
	while [ ! -e "$RESULTS/stop" ]; do
		steps=() sent=()
		for _ in $(seq 20); do
			number=$((number + 1))
			sent+=("$(apdu "$number")")
			steps+=("apdu ${sent[-1]}" +)
		done
		unset "steps[-1]"
		output=$(guest_within "$PATIENCE" \
			"/build/tests/pcsc/exchange --wait 20 ${steps[*]}" 2>&1)
		echo "$output" | grep -v ': ok' >>"$RESULTS/load-vm.log"
		while read -r word; do
			note vm "${sent[0]}" "$word"
			sent=("${sent[@]:1}")
		done < <(sed -n 's/^apdu: ok .*/ok/p; s/^apdu: FAILED .*/failed/p' <<<"$output")
		# Without its last words nobody knows how far it came.
		grep -q '^exchange:' <<<"$output" || for word in "${sent[@]}"; do
			note vm "$word" unknown
		done
	done
}

# ---- faults ----

fault_worker()
{
	local pids
	mapfile -t pids < <(host_role worker)
	[ ${#pids[@]} = 0 ] || kill -KILL "${pids[RANDOM % ${#pids[@]}]}"
}

fault_monitor()
{
	host_role_kill monitor
}

fault_front()
{
	host_role_kill front
}

fault_core()
{
	host_bridge_die
	host_bridge_start
}

fault_pcscd_killed()
{
	host_pcscd_kill
	sleep "$((RANDOM % 3))"
	host_pcscd_start
}

fault_pcscd_restarted()
{
	host_pcscd_stop
	host_pcscd_start
}

fault_gadget()
{
	guest_kill_program gadget
	guest_gadget_start_only
}

fault_guest_pcscd()
{
	guest_kill_program pcscd
	guest_pcscd_start
}

fault_client()
{
	local name=c$((1 + RANDOM % 2))
	kill -KILL "$(cat "$RESULTS/client-$name.pid")" 2>/dev/null || true
}

fault_card()
{
	local card=$((RANDOM % 3))
	card_ctl "$card" remove >/dev/null
	sleep "$((RANDOM % 3)).5"
	card_ctl "$card" insert >/dev/null
}

fault_link()
{
	local name=${GUESTS[RANDOM % 3]}
	local kinds=(cut "drop 5" "duplicate 2" "reorder 3" "delay 300" dribble freeze shut)
	local kind=${kinds[RANDOM % ${#kinds[@]}]}
	fault="$fault ($name: $kind)"
	# shellcheck disable=SC2086 # a command and its argument
	proxied "$name" $kind
	sleep "$((1 + RANDOM % 12))"
	proxied "$name" pass
}

# Core and the gadget live longer than the others, so that it is seen what they become.
FAULTS=(worker worker worker monitor front front front pcscd_killed pcscd_restarted
	guest_pcscd client client card card card link link link link link link link link)

pick_fault()
{
	local n=$((RANDOM % 40))
	case $n in
	0) fault=core ;;
	1) fault=gadget ;;
	*) fault=${FAULTS[RANDOM % ${#FAULTS[@]}]} ;;
	esac
}

# ---- what is watched ----

# sample ROLE PID STATUS-FILE-TEXT DESCRIPTORS
sample_host()
{
	local pid=$2
	[ -n "$pid" ] && [ -r "/proc/$pid/status" ] || return 0
	echo "$1 $pid $(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status")" \
		"$(find "/proc/$pid/fd" -mindepth 1 2>/dev/null | wc -l)" >>"$RESULTS/samples"
}

sample()
{
	sample_host core "${PROCESSES[host-bridge]}"
	sample_host front "$(host_role front | head -n 1)"
	sample_host monitor "$(host_role monitor | head -n 1)"
	# shellcheck disable=SC2016 # for the guest's shell
	guest_within 20 'pid=$(cat /run/gadget.pid)
		echo "gadget $pid $(sed -n "s/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p" /proc/$pid/status)" \
			"$(ls /proc/$pid/fd | wc -l)"' >>"$RESULTS/samples" || true
}

# all_get_on: each guest has had an answer since the marks were set
marks_set()
{
	local name
	for name in "${GUESTS[@]}"; do
		mark[$name]=$(done_apdus "$name")
	done
}

all_get_on()
{
	local name
	for name in "${GUESTS[@]}"; do
		[ "$(done_apdus "$name")" -gt "$((mark[$name] + 2))" ] || return 1
	done
}

check()
{
	local name=$1
	shift
	if "$@"; then
		echo "check $name: ok"
	else
		echo "check $name: FAILED"
		soak_failed=1
	fi
}

# ---- the end ----

# The APDUs of each guest's notes against the card's log: perl knows FNV-1a.
apdus_are_right()
{
	perl "$TOP/tests/faults/soak-verdict" "$RESULTS/card.log" \
		"0=$RESULTS/load-vm" "1=$RESULTS/load-c1" "2=$RESULTS/load-c2"
}

# growth COLUMN LIMIT: prints, for each process that was seen three times, its first and last value
growth()
{
	awk -v column="$1" -v limit="$2" '
		{ key = $1 " " $2; n[key]++; if (n[key] == 2) first[key] = $column; last[key] = $column
		  if ($column > max[key]) max[key] = $column }
		END {
			for (key in n) if (n[key] >= 4) {
				printf "  %s: %d samples, %d at first, %d at the end, %d at most\n", key,
					n[key], first[key], last[key], max[key]
				if (last[key] > first[key] + limit) bad = 1
			}
			exit bad
		}' "$RESULTS/samples"
}

# ---- all of it ----

declare -A mark=()
soak_failed=0
host_reader_config 2
{
	echo "listen = { \"ipc://$HOST_RUN/vm.sock\", \"ipc://$HOST_RUN/c1.sock\"," \
		"\"ipc://$HOST_RUN/c2.sock\" }"
	for name in "${GUESTS[@]}"; do
		printf 'guest "%s" {\n\tauth = none\n\treaders = { "%s" }\n}\n' "$name" \
			"$(reader_of "$name")"
	done
} >"$RESULTS/bridge.conf"
host_pcscd_start
card_start "$VPCD_PORT:t1" "$((VPCD_PORT + 1)):t1" "$((VPCD_PORT + 2)):t1"
host_bridge_start
for name in "${GUESTS[@]}"; do
	listen=/run/link-$name
	[ "$name" != vm ] || listen=$TUNNEL_PORT
	process_start "link-$name" "$HOST_PROGRAMS/tests/faults/link-proxy" "$listen" \
		"$HOST_RUN/$name.sock" "/run/link-$name.sock"
	wait_for 10 "the proxy of $name" test -S "/run/link-$name.sock"
	card_ctl "$(card_of "$name")" delay 40 >/dev/null
done
guest_boot
guest_gadget_start
guest_pcscd_start
wait_for 15 "the reader in the guest's pcscd" guest_lists_reader

touch "$RESULTS"/load-{vm,c1,c2} "$RESULTS/recoveries"
guest_load &
loads=$!
client_load c1 &
loads="$loads $!"
client_load c2 &
loads="$loads $!"
marks_set
wait_for "$PATIENCE" "the first APDUs" all_get_on

faults=0
while [ "$SECONDS" -lt "$soak_end" ]; do
	pick_fault
	start=$(date +%s%3N)
	"fault_${fault%% *}"
	marks_set
	wait_for "$PATIENCE" "after $fault all guests to get on" all_get_on
	faults=$((faults + 1))
	recovery=$(ms_since "$start")
	echo "$fault: all get on after $recovery ms"
	echo "${fault%% *} $recovery" >>"$RESULTS/recoveries"
	sample
	sleep "$((RANDOM % 3)).$((RANDOM % 10))"
done

touch "$RESULTS/stop"
for load in $loads; do
	wait_for "$((2 * PATIENCE))" "the end of a load" dead "$load"
done
# Each from the beginning of its fault: what lasts (a link, a pulled card) is in it.
echo "$faults faults in $SOAK_SECONDS s, seed $SOAK_SEED"
awk '{ n[$1]++; sum[$1] += $2; if ($2 > max[$1]) max[$1] = $2 }
	END { for (kind in n) printf "  %s: %d times, all get on after %d ms, at most %d ms\n", kind,
		n[kind], sum[kind] / n[kind], max[kind] }' "$RESULTS/recoveries"
check "no APDU lost or repeated" apdus_are_right
echo "descriptors:"
check "descriptors" growth 4 "$DESCRIPTOR_GROWTH"
echo "resident memory, KiB:"
check "memory" growth 3 "$RSS_GROWTH"
check "no task stuck in the guest's kernel" assert_no_stuck_task
check "the guest's kernel has not complained" assert_kernel_quiet
assert "every check holds" [ "$soak_failed" = 0 ]
