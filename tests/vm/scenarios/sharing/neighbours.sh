# SPDX-License-Identifier: BSD-3-Clause
#
# A guest works while its neighbour on the same bridge is in all kinds of trouble.
#
# Host:    two readers with a card each; the bridge shows one to each guest: to the first exclusively, to
#          the second with share = transaction. bad-peer attacks the first one's endpoint.
# Guests:  both ask for every reader. The second sends 200 APDUs each time: alone; while the first works,
#          has its reader exclusively, is in an APDU of 30 s, is frozen in it; when its daemon is killed,
#          it is attacked, and when all of it is killed in mid-APDU.
# Asserts: each guest has its own reader and no other. Of the second one no APDU fails, none is lost or
#          repeated, and none takes longer than two seconds; the times are printed side by side. The first
#          one works again after all that it can survive.
#
# Limit: 300

apdus=200
table=

apdus_of_card()
{
	grep -c "card=$1 ev=apdu-begin" "$RESULTS/card.log" || true
}

# measure WHAT: the second guest's APDUs, while WHAT is so
measure()
{
	local before output times
	before=$(apdus_of_card 1)
	output=$(on_guest 2 guest_within 90 "/build/tests/pcsc/exchange --wait 15 loop $apdus") ||
		fail "$1: the second guest's APDUs: $output"
	assert_equal "$1: APDUs at its card" "$apdus" "$(($(apdus_of_card 1) - before))"
	times=$(sed -n 's/.* ms-median=\([0-9.]*\) ms-p99=\([0-9.]*\) ms-max=\([0-9.]*\).*/\1 \2 \3/p' \
		<<<"$output")
	# shellcheck disable=SC2086 # three words
	table+=$(printf '%-44s %9s %9s %9s' "$1" $times)$'\n'
	times=${times##* }
	assert_at_most "$1: ms of the slowest APDU" 2000 "${times%.*}"
}

# first_begins NAME STEP...: a program in the first guest, whose APDU is at the card now
first_begins()
{
	before=$(apdus_of_card 0)
	guest_start "$1" "/build/tests/pcsc/exchange --wait 30 ${*:2}"
	wait_for 30 "the APDU of $1" first_sends
}

first_sends()
{
	[ "$(apdus_of_card 0)" -gt "$before" ]
}

first_works()
{
	wait_for 60 "the first guest's card after: $1" \
		guest_try "/build/tests/pcsc/exchange --wait 15 --disposition unpower loop 1"
}

# Which card it has is seen by where its APDUs arrive.
sees_one()
{
	wait_for 20 "a reader" guest_lists_reader
	assert_equal "readers on the bus of guest ${GUEST:-1}" 1 \
		"$(guest 'cat /sys/bus/usb/devices/*/bInterfaceClass' | grep -c -x 0b)"
}

attack_first()
{
	while :; do
		bad_peer "ipc://$HOST_RUN/vm.sock" type || true
		bad_peer "ipc://$HOST_RUN/vm.sock" storm 100 || true
		bad_peer "ipc://$HOST_RUN/vm.sock" garbage 20 || true
		bad_peer "ipc://$HOST_RUN/vm.sock" half 20 || true
	done
}

two_guests_config 'readers = { "Virtual PCD 0 00 00" } share = exclusive' \
	'readers = { "Virtual PCD 0 00 01" }'
both_guests guest_gadget_config 'reader "*" {}'
two_guests_host_start "$VPCD_PORT:t1" "$((VPCD_PORT + 1)):t1"
on_guest 2 guest_boot
on_guest 2 guest_gadget_start
on_guest 2 guest_pcscd_start
on_guest 2 wait_for 15 "the reader in the second guest's pcscd" guest_lists_reader
measure "alone"

guest_boot
guest_gadget_start
guest_pcscd_start
wait_for 15 "the reader in the first guest's pcscd" guest_lists_reader
sees_one
on_guest 2 sees_one
first_works "its start"
measure "the other is idle"

first_begins load loop 100000
measure "the other works"
guest_kill_program load

first_begins owner loop 1 + sleep 600000
measure "the other has its reader exclusively"
guest_kill_program owner
first_works "the exclusive use"

first_begins stuck delay 30000
measure "the other's card is in an APDU of 30 s"
kill -STOP "$(guest_pid)"
measure "the other is frozen in it"
# Longer than the lease: the bridge gives it up.
wait_for 30 "the end of the frozen one's session" log_has host-bridge "vm: session closed"
measure "the other is frozen, and given up"
kill -CONT "$(guest_pid)"
first_works "the frost"

first_begins cut delay 10000
guest_kill_program gadget
measure "the other's daemon was killed"
guest_gadget_start_only
first_works "the death of its daemon"

attack_first &
process_adopt attacks $!
wait_for 10 "the first attack" log_has bad-peer " done"
measure "the other's endpoint is attacked"
assert "they go on" process_runs attacks
process_kill attacks
first_works "the attacks"

first_begins killed delay 10000
guest_stop
measure "the other was killed in an APDU"

on_guest 2 sees_one
printf '%-44s %9s %9s %9s\n' "ms of $apdus APDUs each, while" median p99 max
echo "$table"
on_guest 2 assert_no_stuck_task
on_guest 2 assert_kernel_quiet
