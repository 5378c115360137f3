# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A guest whose kernel is a program of this machine: User Mode Linux, made by image/uml. It has the
# root image, the shares, the addresses and the agent of any other first guest, one processor, and
# Debian's programs; its kernel is Debian's source, built for this. Instructions run at full speed,
# which they don't under emulation; each system call and each change of process costs some
# microseconds of the host's kernel instead. There is no second one of it.

# The folder of image/uml, for a guest of this kind.
GUEST_UML=

# uml_processor: the one that is the guest's; nothing if there are no two
uml_processor()
{
	[ "$(nproc --all)" = 1 ] || echo $(($(nproc --all) - 1))
}

# All that runs on this side, from now on: not on the guest's processor. What wakes the other side up
# on another processor costs several times as much on a virtual machine, and at times it does and at
# times it doesn't.
uml_leave_processor()
{
	local guest
	guest=$(uml_processor)
	[ -z "$guest" ] || taskset -c -p "0-$((guest - 1))" $$ >/dev/null
}

# The guest's network card, with this side's address; port 7000 and 7001 as QEMU forwards them.
uml_network()
{
	local port
	ip tuntap add uml0 mode tap
	ip address add 10.0.2.2/24 dev uml0
	ip link set uml0 up
	for port in 7000 7001; do
		socat -t 3600 "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr" "TCP:10.0.2.15:$port" &
	done
}

# The shares as guest-init reads them, one per line: folders of this machine.
uml_shares()
{
	local share
	for share in "results=$RESULTS" "build=$(programs_of "$GUEST_SUITE")" "${GUEST_SHARES[@]}" \
		"lib/modules=$GUEST_UML/modules/lib/modules"; do
		echo "share:$share"
	done
}

# The memory is a file in TMPDIR, and what the kernel keeps beside it is in uml_dir.
guest_start_uml()
{
	local image=$VM/$GUEST_SUITE shares processor run=()
	mapfile -t shares < <(uml_shares)
	processor=$(uml_processor)
	[ -z "$processor" ] || run=(taskset -c "$processor")
	uml_network
	mkdir -p /run/uml
	TMPDIR=/dev/shm "${run[@]}" "$GUEST_UML/linux" mem="$GUEST_MEMORY" uml_dir=/run/uml/ \
		ubd0r="$image/root.squashfs" initrd="$image/initrd" guest.uml quiet dummy_hcd.num=10 \
		con=null con0=null,fd:1 vec0:transport=tap,ifname=uml0,depth=64,gro=1 "${shares[@]}" \
		</dev/null >"$RESULTS/guest-console.log" 2>"$RESULTS/qemu.log" &
	GUEST_PIDS[1]=$!
}
