# SPDX-License-Identifier: BSD-3-Clause
#
# The bridge's main process is killed at ten moments of a VERIFY.
#
# Host:    kill -9 of ccid-bridge, and a new start as by systemd, after the rest of it has ended.
# Guest:   a program sends a VERIFY that takes two seconds, ten times; another asks for a signature.
# Asserts: the card counts no more VERIFYs than were sent; each call ends within ten seconds; the
#          relay works again and the signature is refused.
#
# Limit: 300

relay_start_proxied t1

victim_kill()
{
	host_bridge_die
}

victim_back()
{
	host_bridge_start
}

verify_rounds
