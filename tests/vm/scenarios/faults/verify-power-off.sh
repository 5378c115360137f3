# SPDX-License-Identifier: BSD-3-Clause
#
# The guest loses its power in the middle of a VERIFY, and boots again.
#
# Host:    a card, the bridge; QEMU is killed at ten moments. A call or a reply that is on its way then
#          arrives when the guest has booted again, or never.
# Guest:   a program sends a VERIFY that takes two seconds; after the boot another asks for a
#          signature.
# Asserts: the card counts one VERIFY at most each time; the relay works again and the signature is
#          refused.
#
# Limit: 600

relay_start_proxied t1

victim_kill()
{
	guest_stop
}

victim_back()
{
	guest_boot
	guest_load_usb
	guest_tunnel_start
	guest_gadget_start_only
	guest_pcscd_start
}

# It went down with the guest, and had sent one.
verify_calls()
{
	echo 1
}

verify_ended()
{
	:
}

verify_rounds
