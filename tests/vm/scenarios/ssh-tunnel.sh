# SPDX-License-Identifier: BSD-3-Clause
#
# The use that README.md describes, with the files and the tunnel that it prints.
#
# Host:    the README's bridge.conf; ssh -R joins the bridge's socket to one in the guest.
# Guest:   sshd; the README's gadget.conf; modprobe dummy_hcd; ccid-gadget.
# Asserts: the host's card is there; after the tunnel broke and was opened again it is there again.

# printed FILE: the text between the README's "cat >...FILE" and END
printed()
{
	sed -n "\\,cat >.*/$1 <<,,/^    END/p" "$TOP/README.md" | sed '1d;$d;s/^    //'
}

printed bridge.conf >"$RESULTS/bridge.conf"
printed gadget.conf >"$RESULTS/gadget.conf"
assert_contains "the README's file" 'guest "vm1"' "$(cat "$RESULTS/bridge.conf")"

host_pcscd_start
card_start "$VPCD_PORT:t1"
rmdir "$HOST_RUN"/ 2>/dev/null || true
process_start host-bridge "$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "$RESULTS/bridge.conf"
wait_for 10 "the bridge's socket" test -S "$HOST_RUN/vm1.sock"

guest_boot
ssh-keygen -q -t ed25519 -N '' -f /run/ssh-key
cp /run/ssh-key.pub "$RESULTS/"
guest_within 60 '
	mkdir -p -m 0700 /root/.ssh /run/sshd
	cp /results/ssh-key.pub /root/.ssh/authorized_keys
	ssh-keygen -q -A
	echo StreamLocalBindUnlink yes >>/etc/ssh/sshd_config
	$(command -v sshd)
	mkdir -p -m 0700 /run/ccid-gadget
	modprobe dummy_hcd' || fail "sshd in the guest"
guest_gadget_start_only
guest_pcscd_start

tunnel_start()
{
	process_start host-ssh ssh -N -p "$(guest_port 22)" -i /run/ssh-key -o ExitOnForwardFailure=yes \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-R /run/ccid-gadget/bridge.sock:/run/ccid-bridge/vm1.sock root@127.0.0.1
}

tunnel_start
guest_exchange loop 10 >/dev/null
assert_equal "ATR in the guest" "$(host_atr)" "$(guest_atr)"

echo "the tunnel breaks"
process_kill host-ssh
wait_for 20 "an empty reader" guest_try "/build/tests/pcsc/watch --until empty --timeout 5"
tunnel_start
wait_for 20 "the card again" guest_try "/build/tests/pcsc/watch --until present --timeout 5"
guest_exchange loop 10 >/dev/null
assert_kernel_quiet
