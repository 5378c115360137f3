# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The link as a scenario wants it: link-proxy (tests/faults) in place of the tunnel's host end, and
# what is asked of a relay that goes over it.

LINK_SOCKET=/run/link.sock

link_start()
{
	process_start link-proxy "$HOST_PROGRAMS/tests/faults/link-proxy" "$TUNNEL_PORT" \
		"$HOST_RUN/vm.sock" "$LINK_SOCKET"
	wait_for 10 "the proxy's control socket" test -S "$LINK_SOCKET"
}

# link COMMAND [ARGUMENT]: see tests/faults/proxy-control.h. The proxy's state goes to its log.
link()
{
	"$HOST_PROGRAMS/tests/card/card-ctl" "$LINK_SOCKET" "$@" >>"$RESULTS/link-proxy.log" ||
		fail "the proxy refuses: $*"
}

# link_is KEY=VALUE: for wait_for and assert
link_is()
{
	"$HOST_PROGRAMS/tests/card/card-ctl" "$LINK_SOCKET" state | grep -q -w -F -- "$1"
}

# relay_start over the proxy.
relay_start_proxied()
{
	host_pcscd_start
	card_start "$VPCD_PORT:${1:-t1}"
	host_bridge_start
	link_start
	guest_boot
	guest_gadget_start
	guest_pcscd_start
	wait_for 15 "the reader in the guest's pcscd" guest_lists_reader
}

# exchange_counted WHAT ARGUMENT...: the program in the guest succeeds, and as many APDUs reached
# the card as it says that it has sent: for the steps loop, sizes and sweep.
exchange_counted()
{
	local what=$1 before output sent
	shift
	before=$(apdus_at_card)
	output=$(guest_within 60 "/build/tests/pcsc/exchange --wait 15 $*") ||
		fail "$what: the exchange in the guest: $output"
	sent=$(sed -n 's/.* apdus=\([0-9]*\).*/\1/p' <<<"$output" | awk '{ n += $1 } END { print n }')
	echo "$what: $sent APDUs in" \
		"$(sed -n 's/.* seconds=\([0-9.]*\).*/\1/p' <<<"$output" | awk '{ s += $1 } END { print s }') s"
	assert_equal "$what: APDUs at the card" "$sent" "$(($(apdus_at_card) - before))"
}

# ms_since TIME: TIME as from date +%s%3N
ms_since()
{
	echo $(($(date +%s%3N) - $1))
}
