# SPDX-License-Identifier: BSD-3-Clause
#
# What the reader answers by itself, and what it can't.
#
# Host:    a card; then the link is frozen: nothing comes and nobody is told.
# Guest:   with the link frozen, programs connect, set parameters, ask for the status, disconnect with
#          the card powered off, and pcscd ends and starts again; usbmon listens on the bus.
# Asserts: on the bus, every GetSlotStatus (65), SetParameters (61) and IccPowerOff (63) was answered
#          while the link was frozen, within 500 ms; every IccPowerOn (62) within 5 s.

# answered_within TYPE MS
answered_within()
{
	local answers
	answers=$(usbmon_answers "$1")
	echo "type $1: $(wc -w <<<"$answers") answers, ms: $(sort -n <<<"$answers" | tail -n 3 | xargs)"
	assert "there was a command of type $1" [ -n "$answers" ]
	assert_lacks "type $1" never "$answers"
	assert_at_most "ms for type $1" "$2" "$(sort -n <<<"$answers" | tail -n 1)"
}

relay_start t1
guest_exchange loop 3 >/dev/null
usbmon_start
guest_try "/build/tests/pcsc/exchange --wait 5 connect + reset warm expect any" # powers it again
pkill -STOP socat
guest_try "/build/tests/pcsc/exchange status 20 + disconnect unpower expect any" || true
guest_try "/build/tests/pcsc/exchange connect expect any + status 20 expect any" || true
guest_stop_program pcscd >/dev/null
guest_pcscd_start
guest_try "opensc-tool --list-readers"
pkill -CONT socat
usbmon_stop

answered_within 65 500
answered_within 61 500
answered_within 63 500
answered_within 62 5000

wait_for 20 "the card again" guest_try "/build/tests/pcsc/watch --until present --timeout 5"
guest_exchange loop 3 >/dev/null
assert_no_stuck_task
assert_kernel_quiet
