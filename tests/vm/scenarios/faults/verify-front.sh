# SPDX-License-Identifier: BSD-3-Clause
#
# The front is killed at ten moments of a VERIFY.
#
# Host:    kill -9 of the process that has the network; core starts another.
# Guest:   a program sends a VERIFY that takes two seconds, ten times; another asks for a signature.
# Asserts: the card counts no more VERIFYs than were sent; each call ends within ten seconds; the
#          relay works again and the signature is refused. Every VERIFY succeeds: what is
#          lost on the way is sent again.
#
# Limit: 300

VERIFY_DISPOSITION=reset
VERIFY_OUTCOME=9000
relay_start_proxied t1

victim_kill()
{
	host_role_kill front
}

victim_back()
{
	: # core's work
}

verify_rounds
