# SPDX-License-Identifier: BSD-3-Clause
#
# What is left of root once ccid-gadget has started, and what becomes of the rest when one half dies.
#
# Host:    a card, the bridge.
# Guest:   ccid-gadget as in the README; the tunnel's socket, root's with mode 0600, is made anew; the
#          half that is root is killed, then the other one.
# Asserts: what talks to the network, and to the card, is an ordinary user without capabilities, all
#          threads of it; the other half has two capabilities and no network; the new socket is used
#          at once, and its folder is open to nobody else; without the one half the other ends, with
#          status 1 and no reader on the bus; without the other, the one removes all there is.
#
# Limit: 120

assert_nobody()
{
	local set
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		assert_equal "$1: $set" 0000000000000000 "$(status_of "$2" "$set")"
	done
	assert_equal "$1: user" "65534 65534 65534 65534" "$(status_of "$2" Uid)"
	assert_equal "$1: group" "65534 65534 65534 65534" "$(status_of "$2" Gid)"
	assert_equal "$1: groups" "" "$(status_of "$2" Groups | tr -d ' ')"
	assert_equal "$1: no new privileges" 1 "$(status_of "$2" NoNewPrivs)"
}

relay_start t1
daemon=$(guest 'cat /run/gadget.pid')
maker=$(guest 'pgrep -x ccid-gadget-usb')
assert_nobody daemon "$daemon"
assert_equal "the other half's capabilities: SYS_ADMIN, CHOWN" 0000000000200001 "$(status_of "$maker" CapEff)"
assert_equal "and its bounds" 0000000000200001 "$(status_of "$maker" CapBnd)"
assert_equal "its descriptors: 0, 1, 2, lock, daemon, folder, its changes, lock" 8 \
	"$(guest "ls /proc/$maker/fd | wc -l")"
assert_fails "a file of FunctionFS is kept" guest_try "ls -l /proc/$maker/fd | grep -E '/ep[0-9]'"
assert_fails "ep0 can be opened again" guest_try "
	for fd in /proc/$daemon/fd/*; do
		case \$(readlink \$fd) in
		/ep0) setpriv --reuid 65534 --regid 65534 --clear-groups sh -c \": <>\$fd\" && exit 0 ;;
		esac
	done
	exit 1"
guest_exchange loop 3 >/dev/null

echo "the tunnel's socket, anew"
assert_equal "the folder" "0 65534 710" "$(guest 'stat -c "%u %g %a" /run/ccid-gadget')"
guest_signal tunnel TERM
guest_end tunnel >/dev/null
guest_try 'umask 0177; pkill socat -x; rm -f /run/ccid-gadget/bridge.sock; sleep 0.3'
guest_start tunnel "umask 0177; exec socat UNIX-LISTEN:/run/ccid-gadget/bridge.sock,fork TCP:10.0.2.2:7816"
wait_for 10 "it is handed over" guest_try \
	'[ "$(stat -c "%u %a" /run/ccid-gadget/bridge.sock)" = "65534 600" ]'
guest_exchange loop 3 >/dev/null

echo "the half that is root is killed"
guest_try "kill -KILL $maker"
assert_equal "exit status" 1 "$(guest_end gadget)"
assert "its word" log_has guest-gadget "the process that makes USB devices has ended"
assert_fails "a reader on the bus" guest_has_usb_reader
assert_no_stuck_task
wait_for 20 "pcscd forgets the old reader" guest_lists_no_reader
guest_gadget_start_only
wait_for 20 "the reader, anew" guest_lists_reader
guest_exchange loop 3 >/dev/null

echo "the other half is killed"
maker=$(guest 'pgrep -x ccid-gadget-usb')
guest_kill_program gadget
wait_for 10 "the end of the half that is root" guest_try "! kill -0 $maker"
assert_equal "nothing in configfs" "" "$(guest 'ls /sys/kernel/config/usb_gadget')"
assert_fails "a reader on the bus" guest_has_usb_reader
assert_no_stuck_task
assert_kernel_quiet
