# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Two guests of one bridge, each with an endpoint and a tunnel of its own: vm, which is what every
# function is about that does not say otherwise, and vm2 (on_guest 2).

both_guests()
{
	on_guest 1 "$@"
	on_guest 2 "$@"
}

# two_guests_config OPTIONS [OPTIONS-OF-THE-SECOND]: the bridge's configuration.
two_guests_config()
{
	cat >"$RESULTS/bridge.conf" <<END
listen = { "ipc://$HOST_RUN/vm.sock", "ipc://$HOST_RUN/vm2.sock" }
guest "vm" {
	auth = none
	$1
}
guest "vm2" {
	auth = none
	${2:-$1}
}
END
}

# two_guests_host_start PORT:ATR...: the host with these cards and that configuration.
two_guests_host_start()
{
	host_pcscd_start
	card_start "$@"
	host_bridge_start
	both_guests host_tunnel_start
}

# two_guests_start PORT:ATR...: the host, both guests, and a reader in the pcscd of each.
two_guests_start()
{
	two_guests_host_start "$@"
	both_guests guest_boot_begin
	both_guests guest_boot_end
	both_guests guest_gadget_start
	both_guests guest_pcscd_start
	both_guests wait_for 15 "the reader in the guest's pcscd" guest_lists_reader
}
