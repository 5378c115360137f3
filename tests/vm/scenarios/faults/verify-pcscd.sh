# SPDX-License-Identifier: BSD-3-Clause
#
# The host's pcscd is killed at ten moments of a VERIFY.
#
# Host:    kill -9 of pcscd, and a new start; its socket stays behind as it would.
# Guest:   a program sends a VERIFY that takes two seconds, ten times; another asks for a signature.
# Asserts: the card counts no more VERIFYs than were sent; each call ends within ten seconds; the
#          relay works again and the signature is refused.
#
# Limit: 300

relay_start_proxied t1

victim_kill()
{
	process_kill host-pcscd
}

victim_back()
{
	host_pcscd_start
}

verify_rounds
