# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Traces of the guest's gadget, and what tshark reads in them.

# Of what is secret in a session, where no more is needed: the PIN 93471856, in ASCII.
TRACE_MARKER=3933343731383536

# guest_trace NAME [OPTION...]: begins one in the guest, into $RESULTS/NAME.pcapng; NAME is the program's.
guest_trace()
{
	local name=$1
	shift
	guest_start "$name" "/build/gadget/ccid-gadget -c /results/gadget.conf trace /results/$name.pcapng $*"
	wait_for 10 "the trace $name" test -s "$RESULTS/$name.pcapng"
}

# read_back FILE ARGUMENT...
read_back()
{
	tshark -r "$RESULTS/$1" -d usbccid.subdissector,iso7816 "${@:2}" 2>>"$RESULTS/tshark.log"
}

# trace_is_fit_to_be_shown NAME WORDS...: ends the trace; tshark has a name for each of these in it, finds
# nothing malformed, and the marker is nowhere.
trace_is_fit_to_be_shown()
{
	local name=$1 said words
	shift
	assert_equal "exit status of the trace" 0 "$(guest_stop_program "$name")"
	said=$(read_back "$name.pcapng") || fail "$name.pcapng can't be read"
	assert_equal "malformed packets in $name" "" "$(read_back "$name.pcapng" -Y _ws.malformed)"
	assert_equal "packets without a name in $name" "" \
		"$(read_back "$name.pcapng" -Y 'usb.transfer_type == 3 && !usbccid' | head -n 3)"
	for words in "$@"; do
		assert_contains "$name" "$words" "$said"
	done
	assert_equal "markers in $name" 0 "$(perl -0777 -ne '
		BEGIN { $marker = pack "H*", shift }
		print scalar(() = /\Q$marker\E/g)' "$TRACE_MARKER" "$RESULTS/$name.pcapng")"
}
