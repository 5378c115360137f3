# SPDX-License-Identifier: BSD-3-Clause
#
# The worker, and in turn the monitor, is killed at ten moments of a VERIFY.
#
# Host:    kill -9 of the process that has the card, and of the one that watches the readers; core
#          starts others. The monitor has lived for ten seconds each time: for core that is long
#          enough to take its death for an accident.
# Guest:   a program sends a VERIFY that takes two seconds, twenty times; another asks for a
#          signature.
# Asserts: the card counts no more VERIFYs than were sent; each call ends within ten seconds; the
#          relay works again and the signature is refused. When the monitor dies, every VERIFY
#          succeeds: nothing that it needs has died.
#
# Limit: 300

relay_start_proxied t1

victim_kill()
{
	host_role_kill "$VERIFY_NAME"
}

victim_back()
{
	: # core's work
}

monitor_is_old()
{
	[ "$(ps -o etimes= -p "$(host_role monitor)")" -gt 10 ]
}

for moment in "${VERIFY_MOMENTS[@]}"; do
	VERIFY_NAME=worker VERIFY_DISPOSITION=leave VERIFY_OUTCOME=
	verify_round "$moment"
	VERIFY_NAME=monitor VERIFY_DISPOSITION=reset VERIFY_OUTCOME=9000
	wait_for 20 "an old monitor" monitor_is_old
	verify_round "$moment"
done
verify_end
