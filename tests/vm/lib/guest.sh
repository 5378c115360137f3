# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The guest: boots a virtual machine from the images of image/build and runs commands in it through
# the agent. Works only inside the namespace of enter_namespace, since its ports are fixed.
#
# Uses RESULTS, the folder of this run: the guest has it as /results, its console is logged there in
# guest-console.log and all commands with their output in guest-commands.log.
# The guest also sees the programs of the build as /build and GUEST_SHARES, a list of TAG=FOLDER,
# as /TAG, all of them read-only.

GUEST_SUITE=bookworm
GUEST_SHARES=()
GUEST_MEMORY=1G
GUEST_PID=

agent_port=7000
shell_port=7001

# /dev/kvm alone means little: without vmx or svm it exists but hangs. kvm-unusable remembers that
# a guest did not reach its init under KVM.
guest_accelerator()
{
	if [ -w /dev/kvm ] && grep -q -w -E 'vmx|svm' /proc/cpuinfo && ! [ -e "$VM/kvm-unusable" ]; then
		echo kvm
	else
		echo tcg,thread=multi
	fi
}

guest_share_option()
{
	echo "local,path=$2,mount_tag=$1,security_model=none$3"
}

# no5lvl: emulating five levels of page tables costs time. panic=-1 with -no-reboot: a guest whose
# kernel panics ends QEMU, which is noticed at once.
guest_start_qemu()
{
	local image=$VM/$GUEST_SUITE share shares=()
	for share in "build=$PROGRAMS" "${GUEST_SHARES[@]}"; do
		shares+=(-virtfs "$(guest_share_option "${share%%=*}" "${share#*=}" ,readonly=on)")
	done
	rm -f "$RESULTS/guest-console.log"
	qemu-system-x86_64 -accel "$1" -cpu max -smp 2 -m "$GUEST_MEMORY" -machine q35 \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$image/vmlinuz" -initrd "$image/initrd" \
		-append "console=ttyS0 quiet net.ifnames=0 mitigations=off no5lvl nokaslr panic=-1" \
		-serial "file:$RESULTS/guest-console.log" \
		-drive "file=$image/root.squashfs,format=raw,if=none,id=root,readonly=on,file.locking=off" \
		-device virtio-blk-pci,drive=root \
		-netdev "user,id=net,hostfwd=tcp:127.0.0.1:$agent_port-:7000,hostfwd=tcp:127.0.0.1:$shell_port-:7001" \
		-device virtio-net-pci,netdev=net,romfile= \
		-virtfs "$(guest_share_option results "$RESULTS" "")" "${shares[@]}" \
		</dev/null >"$RESULTS/qemu.log" 2>&1 &
	GUEST_PID=$!
}

# True when the console shows the text, or when there is nothing to wait for any more.
guest_console_shows()
{
	grep -q -s -F "$1" "$RESULTS/guest-console.log" || ! alive "$GUEST_PID"
}

guest_reaches()
{
	until_true "$2" guest_console_shows "$1" && alive "$GUEST_PID"
}

guest_stop()
{
	if [ -n "$GUEST_PID" ]; then
		kill -KILL "$GUEST_PID" 2>/dev/null || true
		wait "$GUEST_PID" 2>/dev/null || true
		GUEST_PID=
	fi
}

# Boots the guest, under KVM if it can be had, and waits until it takes commands.
guest_boot()
{
	local accelerator
	accelerator=$(guest_accelerator)
	guest_start_qemu "$accelerator"
	if [ "$accelerator" = kvm ] && ! guest_reaches "init: started" 20; then
		say "the guest does not start under KVM; using emulation from now on ($VM/kvm-unusable)"
		touch "$VM/kvm-unusable"
		guest_stop
		guest_start_qemu "$(guest_accelerator)"
	fi
	guest_reaches "guest-init: ready" 90 || {
		tail -n 20 "$RESULTS/guest-console.log" "$RESULTS/qemu.log" >&2
		die "the guest did not boot"
	}
}

# Copies the output and turns the agent's last line into the exit status (255: the connection broke).
agent_output()
{
	perl -ne 'BEGIN { $| = 1; $status = 255; $end = "" }
		if (/^\001status (\d+)$/) { $status = $1 }
		else { print $end; $end = chomp ? "\n" : ""; print }
		END { $? = $status }'
}

# guest_within SECONDS SCRIPT: runs the shell script in the guest; its output and exit status are
# those of this function, 124 when it took longer.
guest_within()
{
	printf '%s\n%s\n' "$1" "$2" |
		socat -t "$(($1 + 10))" - "TCP:127.0.0.1:$agent_port" | agent_output
}

# An interactive shell with the terminal of the caller; Ctrl-D ends it.
guest_shell()
{
	local rows columns
	read -r rows columns < <(stty size 2>/dev/null || echo 24 80)
	guest_within 10 "echo 'stty rows $rows columns $columns' >/root/.bash_profile"
	socat -t 1 "STDIO,raw,echo=0" "TCP:127.0.0.1:$shell_port"
}
