# SPDX-License-Identifier: BSD-3-Clause
#
# vsock between a host and its guest, as README.md prints it. Most machines that run tests have no
# /dev/vhost-vsock, so the host is a guest, too, and its guest is emulated in an emulation: minutes.
# Not one of the tests of tests/run for that reason; by hand, after one of those,
#     tests/vm/scenario tests/vm/by-hand/vsock.sh
#
# Host:    the card, and the bridge, whose socket ssh -R puts into the first guest.
# Guest:   the host of this trial: vhost_vsock, QEMU, the first of the README's two commands.
# Guest 2: in that one: ccid-gadget, pcscd, the second command.
# Asserts: the card answers in guest 2, counted at the card, and what it said came over vsock.

# block_after TEXT: the README's indented block after the line that has this text
block_after()
{
	awk -v text="$1" 'index($0, text) { found = 1 }
		found && /^    / { print substr($0, 5); printed = 1 }
		printed && !/^    / { exit }' "$TOP/README.md"
}

# Every command of a scenario, with patience.
guest()
{
	printf '\n$ %s\n' "$1" >>"$RESULTS/guest$GUEST-commands.log"
	guest_within 240 "$1" | tee -a "$RESULTS/guest$GUEST-commands.log"
}

commands=$(block_after "**Over vsock**" | sed 's/ *#.*//')
assert_equal "the README's commands" 2 "$(grep -c '^socat .*VSOCK' <<<"$commands")"

GUEST_MEMORY=3G
GUEST_SHARES=("machine=/usr" "image=$VM/bookworm")
cp "$TOP/configs/host/bridge.conf" "$TOP/configs/guest/gadget.conf" "$RESULTS/"
host_pcscd_start
card_start "$VPCD_PORT:t1"
process_start host-bridge "$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "$RESULTS/bridge.conf"
guest_boot

echo "the first guest becomes a host"
ssh-keygen -q -t ed25519 -N '' -f /run/ssh-key
cp /run/ssh-key.pub "$RESULTS/"
guest_within 120 '
	mkdir -p -m 0700 /root/.ssh /run/sshd /run/ccid-bridge
	cp /results/ssh-key.pub /root/.ssh/authorized_keys
	ssh-keygen -q -A
	$(command -v sshd)
	modprobe vhost_vsock
	mkdir -p /nested/usr /nested/dev /nested/proc /nested/tmp /nested/build /nested/image /nested/results
	ln -s usr/lib usr/lib64 usr/bin /nested/
	for folder in dev proc build image results; do mount --rbind /$folder /nested/$folder; done
	mount --bind /machine /nested/usr' || fail "a host in the guest"
process_start host-ssh ssh -N -p "$(guest_port 22)" -i /run/ssh-key -o ExitOnForwardFailure=yes \
	-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -L 7100:127.0.0.1:7100 \
	-R /run/ccid-bridge/vm1.sock:/run/ccid-bridge/vm1.sock root@127.0.0.1
wait_for 20 "the bridge's socket in the guest" guest_try "test -S /run/ccid-bridge/vm1.sock"
guest_start vsock-host "$(head -n 1 <<<"$commands")"

echo "its guest boots"
guest_start qemu "chroot /nested qemu-system-x86_64 -accel tcg -cpu max -smp 1 -m 768 -machine q35 \
	-nodefaults -no-user-config -display none -no-reboot -kernel /image/vmlinuz -initrd /image/initrd \
	-append \"console=ttyS0 quiet net.ifnames=0 mitigations=off no5lvl nokaslr cryptomgr.notests panic=-1\" \
	-serial file:/results/guest2-console.log \
	-drive file=/image/root.squashfs,format=raw,if=none,id=root,readonly=on,file.locking=off \
	-device virtio-blk-pci,drive=root -netdev user,id=net,hostfwd=tcp:127.0.0.1:7100-:7000 \
	-device virtio-net-pci,netdev=net,romfile= -device vhost-vsock-pci,guest-cid=3 \
	-virtfs local,path=/build,mount_tag=build,security_model=none,readonly=on \
	-virtfs local,path=/results,mount_tag=results,security_model=none"
wait_for 900 "the second guest" grep -q -s "guest-init: ready" "$RESULTS/guest2-console.log"

echo "the reader in it"
on_guest 2 guest_within 120 'modprobe vmw_vsock_virtio_transport && mkdir -p -m 0700 /run/ccid-gadget &&
	modprobe dummy_hcd' || fail "modules in the second guest"
on_guest 2 guest_start vsock-guest "$(tail -n 1 <<<"$commands")"
on_guest 2 guest_start pcscd "pcscd --foreground --info"
wait_for 120 "pcscd" on_guest 2 guest_try "test -S /run/pcscd/pcscd.comm"
on_guest 2 guest_start gadget "/build/gadget/ccid-gadget -c /results/gadget.conf"
wait_for 300 "the card" on_guest 2 guest_try "/build/tests/pcsc/watch --until present --timeout 20"
before=$(apdus_at_card)
assert "APDUs" on_guest 2 guest_within 120 "/build/tests/pcsc/exchange --wait 60 loop 10"
assert "they reached the card" [ "$(apdus_at_card)" -ge $((before + 10)) ]
on_guest 2 guest "ss -H --vsock state established"
assert "they came over vsock" on_guest 2 guest_try "ss -H --vsock state established | grep -q '2:7816'"
