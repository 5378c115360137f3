# SPDX-License-Identifier: BSD-3-Clause
#
# The use that README.md describes, with the tunnel that it prints and the sample configurations as they
# are; then over vsock, and without a tunnel, with the commands and the lines that it prints for these.
#
# Host:    the sample bridge.conf; ssh -R joins the bridge's socket to one in the guest.
# Guest:   sshd; the sample gadget.conf; what the README prints where there is no systemd.
# Asserts: the host's card is there; after the tunnel broke and was opened again it is there again; and by
#          keys, which only the two commands have made.

# block_after TEXT: the README's indented block after the line that has this text
block_after()
{
	awk -v text="$1" 'index($0, text) { found = 1 }
		found && /^    / { print substr($0, 5); printed = 1 }
		printed && !/^    / { exit }' "$TOP/README.md"
}

cp "$TOP/configs/host/bridge.conf" "$TOP/configs/guest/gadget.conf" "$RESULTS/"
sockets=$(sed -n 's/^    ssh -N -R \([^ ]*\) root@vm1 .*/\1/p' "$TOP/README.md")
assert_equal "the README's tunnel" /run/ccid-gadget/bridge.sock:/run/ccid-bridge/vm1.sock "$sockets"
by_hand=$(block_after "**Without systemd**")
assert_equal "the README's commands without systemd" 3 "$(wc -l <<<"$by_hand")"

host_pcscd_start
card_start "$VPCD_PORT:t1"
rmdir "$HOST_RUN"/ 2>/dev/null || true
process_start host-bridge "$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "$RESULTS/bridge.conf"
wait_for 10 "the bridge's socket" test -S "$HOST_RUN/vm1.sock"

guest_boot
ssh-keygen -q -t ed25519 -N '' -f /run/ssh-key
cp /run/ssh-key.pub "$RESULTS/"
guest_within 60 "
	mkdir -p -m 0700 /root/.ssh /run/sshd
	cp /results/ssh-key.pub /root/.ssh/authorized_keys
	ssh-keygen -q -A
	$(block_after "What is left in the guest of a tunnel" | grep StreamLocal)
	\$(command -v sshd)
	$(head -n 2 <<<"$by_hand")" || fail "sshd in the guest"
guest_start gadget "/build/gadget/$(tail -n 1 <<<"$by_hand") -c /results/gadget.conf"
guest_pcscd_start

tunnel_start()
{
	process_start host-ssh ssh -N -p "$(guest_port 22)" -i /run/ssh-key -o ExitOnForwardFailure=yes \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-R "$sockets" root@127.0.0.1
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

echo "vsock, looped back in the guest: the host's end of it is there, too"
process_kill host-ssh
commands=$(block_after "**Over vsock**" | sed 's/ *#.*//; s/VSOCK-CONNECT:2:/VSOCK-CONNECT:1:/')
assert_equal "the README's commands" 2 "$(grep -c '^socat .*VSOCK' <<<"$commands")"
guest_try 'modprobe vsock_loopback && mkdir -p /run/ccid-bridge && rm -f /run/ccid-gadget/bridge.sock'
process_start host-ssh-vsock ssh -N -p "$(guest_port 22)" -i /run/ssh-key -o ExitOnForwardFailure=yes \
	-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
	-R /run/ccid-bridge/vm1.sock:/run/ccid-bridge/vm1.sock root@127.0.0.1
wait_for 10 "the bridge's socket in the guest" guest_try "test -S /run/ccid-bridge/vm1.sock"
guest_start vsock-host "$(head -n 1 <<<"$commands")"
guest_start vsock-guest "$(tail -n 1 <<<"$commands")"
wait_for 20 "the card again" guest_try "/build/tests/pcsc/watch --until present --timeout 5"
guest_exchange loop 10 >/dev/null
assert "they came over vsock" guest_try "ss -H --vsock state established | grep -q ':7816'"

echo "keys in the place of the tunnel"
process_kill host-ssh-vsock
guest_stop_program gadget >/dev/null
host_bridge_stop
ip address add 192.168.122.1/32 dev lo # that of the README, as libvirt has it
mount -t tmpfs tmpfs /usr/local/etc    # where this build has its configuration
mkdir /usr/local/etc/ccid-relay
guest_try 'mkdir -p /usr/local/etc/ccid-relay'
# The commands that the README prints, without its remarks.
commands=$(block_after "On the host and in the guest" | sed 's/ *#.*//')
assert_equal "the README's commands" "ccid-bridge genkey
ccid-gadget genkey" "$commands"
bridge_key=$(PATH=$HOST_PROGRAMS/host-bridge:$PATH sh -c "$(head -n 1 <<<"$commands")")
guest_key=$(guest "PATH=/build/gadget:\$PATH; $(tail -n 1 <<<"$commands")")
block_after 'The two public keys go into' | sed "s,the guest's public key,$guest_key," \
	>"$RESULTS/bridge.conf"
block_after 'and `/etc/ccid-relay/gadget.conf`' | sed "s,the bridge's public key,$bridge_key," \
	>"$RESULTS/gadget.conf"
process_start host-bridge "$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "$RESULTS/bridge.conf"
guest_gadget_start_only
wait_for 20 "the card again" guest_try "/build/tests/pcsc/watch --until present --timeout 5"
guest_exchange loop 10 >/dev/null
assert "they came over TCP" [ -n "$(ss -H -t -n state established 'src 192.168.122.1:7816')" ]
assert_kernel_quiet
