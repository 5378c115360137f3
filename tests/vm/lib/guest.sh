# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The guest: boots a virtual machine from the images of image/build and runs commands in it through
# the agent. Works only inside enter_namespace, since its ports are fixed.
#
# Uses RESULTS, the folder of this run: the guest has it as /results, its console is logged there in
# guest-console.log and every command with its output in guest-commands.log. The guest also has the
# programs of the build as /build and each of GUEST_SHARES (TAG=FOLDER) as /TAG, all read-only.
#
# There may be a second one: what is called by on_guest 2 is about that. It has the same /results,
# where the names of its files have a 2: guest2-console.log, gadget2.conf.

GUEST_SUITE=bookworm
GUEST_SHARES=()
GUEST_MEMORY=1G
GUEST_KERNEL_OPTIONS=
GUEST_BOOT_LIMIT=90

# Which guest this is about: nothing for the first, 2 for the second.
GUEST=
declare -A GUEST_PIDS=()

# on_guest NUMBER COMMAND...
on_guest()
{
	local GUEST=${1#1}
	shift
	"$@"
}

# guest_port PORT: the port of this machine that leads to the guest's: 7000 (the agent) and 7001
# (a shell) are the same, 22 is 7022, and those of the second guest are 100 more.
guest_port()
{
	echo $((7000 + $1 % 7000 + 100 * (${GUEST:-1} - 1)))
}

guest_pid()
{
	echo "${GUEST_PIDS[${GUEST:-1}]:-}"
}

# /dev/kvm alone means little: without vmx or svm it exists but hangs. kvm-unusable remembers that
# a guest did not reach its init under KVM.
guest_accelerator()
{
	if [ -n "$GUEST_UML" ]; then
		echo uml
	elif [ -w /dev/kvm ] && grep -q -w -E 'vmx|svm' /proc/cpuinfo && ! [ -e "$VM/kvm-unusable" ]; then
		echo kvm
	else
		echo tcg,thread=multi
	fi
}

# The -virtfs options, one per line.
guest_share_options()
{
	local share
	echo "local,path=$RESULTS,mount_tag=results,security_model=none"
	for share in "build=$(programs_of "$GUEST_SUITE")" "${GUEST_SHARES[@]}"; do
		echo "local,path=${share#*=},mount_tag=${share%%=*},security_model=none,readonly=on"
	done
}

# no5lvl, cryptomgr.notests: page tables of five levels and self-tests cost time when emulated.
# panic=-1 with -no-reboot: a guest whose kernel panics ends QEMU, which is noticed at once.
# file.locking=off: guests may run side by side on the same read-only image.
guest_start_qemu()
{
	local image=$VM/$GUEST_SUITE share shares=() port forward=
	while read -r share; do
		shares+=(-virtfs "$share")
	done < <(guest_share_options)
	for port in 7000 7001 22; do
		forward+=",hostfwd=tcp:127.0.0.1:$(guest_port "$port")-:$port"
	done
	rm -f "$RESULTS/guest$GUEST-console.log"
	qemu-system-x86_64 -accel "$1" -cpu max -smp 2 -m "$GUEST_MEMORY" -machine q35 \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$image/vmlinuz" -initrd "$image/initrd" \
		-append "console=ttyS0 quiet net.ifnames=0 mitigations=off no5lvl nokaslr \
			cryptomgr.notests panic=-1 $GUEST_KERNEL_OPTIONS" \
		-serial "file:$RESULTS/guest$GUEST-console.log" \
		-drive "file=$image/root.squashfs,format=raw,if=none,id=root,readonly=on,file.locking=off" \
		-device virtio-blk-pci,drive=root \
		-netdev "user,id=net$forward" \
		-device virtio-net-pci,netdev=net,romfile= "${shares[@]}" \
		</dev/null >>"$RESULTS/qemu$GUEST.log" 2>&1 &
	GUEST_PIDS[${GUEST:-1}]=$!
}

# True when the console shows the text, or when there is nothing to wait for any more.
guest_console_shows()
{
	grep -q -s -F "$1" "$RESULTS/guest$GUEST-console.log" || dead "$(guest_pid)"
}

# guest_reaches TEXT SECONDS
guest_reaches()
{
	until_true "$2" guest_console_shows "$1" && alive "$(guest_pid)"
}

# Pulls the plug.
guest_stop()
{
	local pid
	pid=$(guest_pid)
	if [ -n "$pid" ]; then
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		unset "GUEST_PIDS[${GUEST:-1}]"
	fi
}

# The guest is going to boot with systemd, and with what is in $RESULTS/guest-root put over its own files.
guest_boots_systemd()
{
	GUEST_KERNEL_OPTIONS="guest.systemd systemd.show_status=no"
	GUEST_BOOT_LIMIT=180
	mkdir -p "$RESULTS/guest-root"
}

# guest_systemd UNIT...: the same, with what 'cmake --install' installs, and with these units enabled.
guest_systemd()
{
	guest_boots_systemd
	if [ "$GUEST_SUITE" = bookworm ]; then
		DESTDIR=$RESULTS/guest-root cmake --install "$BUILD/default" >>"$RESULTS/install.log"
	else
		cp -a "$(programs_of "$GUEST_SUITE")/tree/." "$RESULTS/guest-root/"
	fi
	systemctl --root="$RESULTS/guest-root" enable "$@" 2>>"$RESULTS/install.log"
}

# Starts the guest, under KVM if it can be had.
guest_boot_begin()
{
	local accelerator
	accelerator=$(guest_accelerator)
	if [ "$accelerator" = uml ]; then
		guest_start_uml
		return
	fi
	guest_start_qemu "$accelerator"
	if [ "$accelerator" = kvm ] && ! guest_reaches "init: started" 20; then
		say "the guest does not start under KVM; emulating from now on ($VM/kvm-unusable)"
		touch "$VM/kvm-unusable"
		guest_stop
		guest_start_qemu "$(guest_accelerator)"
	fi
}

# While the kernel changes an instruction of its own, a breakpoint stands there. QEMU before 8.1 may
# keep that for a moment too long when it emulates several processors, and then the kernel falls over
# it: seen in one of 60 boots of Debian 13's, https://bugzilla.redhat.com/show_bug.cgi?id=2216496.
guest_fell_over_breakpoint()
{
	grep -q -s -F "Oops: int3" "$RESULTS/guest$GUEST-console.log" &&
		! grep -q -F "init: started" "$RESULTS/guest$GUEST-console.log"
}

guest_boot_again()
{
	say "the emulated kernel ran into a breakpoint of its own before init; booting once more"
	mv "$RESULTS/guest$GUEST-console.log" "$RESULTS/guest$GUEST-console-int3.log"
	guest_stop
	guest_start_qemu "$(guest_accelerator)"
	guest_reaches "guest-init: ready" "$GUEST_BOOT_LIMIT"
}

# Waits until it takes commands.
guest_boot_end()
{
	if ! guest_reaches "guest-init: ready" "$GUEST_BOOT_LIMIT" &&
		! { guest_fell_over_breakpoint && guest_boot_again; }; then
		tail -n 20 "$RESULTS/guest$GUEST-console.log" "$RESULTS/qemu$GUEST.log" >&2
		die "the guest did not boot"
	fi
}

guest_boot()
{
	guest_boot_begin
	guest_boot_end
}

# Copies the output and turns the agent's last line into the exit status (255: the connection
# broke). The agent puts a line's end in front of its own line, so an empty line is held back until
# another follows; all else passes at once, for those who put a time to each line.
agent_output()
{
	perl -ne 'BEGIN { $| = 1; $status = 255; $held = "" }
		if (/^\001status (\d+)$/) { $status = $1 }
		elsif ($_ eq "\n") { print $held; $held = "\n" }
		else { print $held, $_; $held = "" }
		END { print $held if $status == 255; $? = $status }'
}

# guest_within SECONDS SCRIPT: runs the shell script in the guest; its output and exit status are
# those of this function, 124 when it took longer.
guest_within()
{
	printf '%s\n%s\n' "$1" "$2" |
		socat -t "$(($1 + 10))" - "TCP:127.0.0.1:$(guest_port 7000)" | agent_output
}

# guest SCRIPT: the same with the usual limit, and kept in guest-commands.log.
guest()
{
	local status=0
	printf '\n$ %s\n' "$1" >>"$RESULTS/guest$GUEST-commands.log"
	guest_within 30 "$1" | tee -a "$RESULTS/guest$GUEST-commands.log" || status=$?
	echo "[$status]" >>"$RESULTS/guest$GUEST-commands.log"
	return "$status"
}

# guest_try SCRIPT: guest without output, for wait_for.
guest_try()
{
	guest "$1" >/dev/null
}

# An interactive shell with the terminal of the caller; Ctrl-D ends it.
guest_shell()
{
	local rows columns
	read -r rows columns < <(stty size 2>/dev/null || echo 24 80)
	guest_within 10 "echo 'stty rows $rows columns $columns' >/root/.bash_profile"
	socat -t 1 "STDIO,raw,echo=0" "TCP:127.0.0.1:$(guest_port 7001)"
}
