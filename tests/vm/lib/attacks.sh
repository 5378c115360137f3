# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A hostile peer beside a guest that works: bad-peer attacks, and the APDUs of the guest's program are
# counted and timed meanwhile. A scenario sets attack_endpoint, that of the guest itself.

attack_round=0

more_apdus()
{
	[ "$(apdus_at_card)" -gt "$1" ]
}

# load_start [APDUS]: comes back when the guest's program has begun; load_end NAME waits for its
# end.
load_start()
{
	attack_round=$((attack_round + 1))
	before=$(apdus_at_card)
	guest_start "round-$attack_round" "/build/tests/pcsc/exchange --wait 15 loop ${1:-120}"
	wait_for 15 "the guest's APDUs" more_apdus "$before"
	assert_at_most "APDUs before the attack" $((${1:-120} / 2)) "$(($(apdus_at_card) - before))"
}

load_end()
{
	local slowest sent
	assert_equal "$1: exit status of the guest's program" 0 "$(guest_end "round-$attack_round" 25)"
	sent=$(sed -n 's/.* apdus=\([0-9]*\).*/\1/p' "$RESULTS/guest-round-$attack_round.log")
	assert_equal "$1: APDUs at the card" "$sent" "$(($(apdus_at_card) - before))"
	slowest=$(sed -n 's/.* ms-max=\([0-9]*\)\..*/\1/p' "$RESULTS/guest-round-$attack_round.log")
	echo "$1: $sent APDUs of the good guest, the slowest took $slowest ms"
	assert_at_most "$1: ms of the slowest APDU" 2000 "$slowest"
}

# bad_peer ENDPOINT ATTACK [COUNT]
bad_peer()
{
	timeout 30 "$HOST_PROGRAMS/tests/relay-client/bad-peer" "$@" >>"$RESULTS/bad-peer.log" 2>&1
}

# attack ATTACK [COUNT]: at the endpoint of the guest that works
attack()
{
	load_start
	assert "$1 gets through" bad_peer "$attack_endpoint" "$@"
	load_end "$1"
}

# ---- attacks of any length: the guest works until they are over ----

# memory_of PID: resident, kB
memory_of()
{
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

# cpu_of PID: ms of CPU time
cpu_of()
{
	awk '{ print ($14 + $15) * 10 }' "/proc/$1/stat"
}

# work_start: the guest's program uses the card until work_end.
work_start()
{
	attack_round=$((attack_round + 1))
	rm -f "$RESULTS/work-is-over"
	before=$(apdus_at_card)
	guest_start "round-$attack_round" "/build/tests/pcsc/exchange --wait 15 until /results/work-is-over"
	wait_for 15 "the guest's APDUs" more_apdus "$before"
}

# work_end NAME: it has gone on all the time, and the card has seen each of its APDUs once and no other.
work_end()
{
	assert "$1: the guest works to the end" guest_runs "round-$attack_round"
	touch "$RESULTS/work-is-over"
	load_end "$1"
}

# A process may be another one after the attack: a front that died has a successor.
# under_attack NAME COMMAND...: the guest works meanwhile; core and front, by bridge_core and
# bridge_front, are weighed before and after.
under_attack()
{
	local name=$1 core front cpu
	shift
	cpu=$(cpu_of "$(bridge_core)")
	core=$(memory_of "$(bridge_core)")
	front=$(memory_of "$(bridge_front)")
	work_start
	assert "$name gets through" "$@"
	work_end "$name"
	echo "$name: kB of core $core -> $(memory_of "$(bridge_core)")," \
		"of the front $front -> $(memory_of "$(bridge_front)")," \
		"ms of core's CPU $(($(cpu_of "$(bridge_core)") - cpu))"
	assert_at_most "$name: kB that core has grown by" 2048 "$(($(memory_of "$(bridge_core)") - core))"
	assert_at_most "$name: kB that the front has grown by" 8192 \
		"$(($(memory_of "$(bridge_front)") - front))"
}
