# SPDX-License-Identifier: BSD-3-Clause
#
# The guest's daemon is killed at ten moments of a VERIFY.
#
# Host:    a card, the bridge.
# Guest:   a program sends a VERIFY that takes two seconds, ten times; another asks for a signature.
# Asserts: the card counts no more VERIFYs than were sent; each call ends within ten seconds; the
#          relay works again and the signature is refused.
#
# Limit: 300

relay_start_proxied t1

victim_kill()
{
	guest_kill_program gadget
}

victim_back()
{
	guest_gadget_start_only
}

verify_rounds
