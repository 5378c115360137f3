# SPDX-License-Identifier: BSD-3-Clause
#
# doctor on both sides, while one thing after the other is broken on purpose.
#
# Host:    ccid-bridge doctor: without a configuration, a pcscd, a reader that matches, a key; with a
#          folder that others can write to, an address of another machine, a card that a program has
#          exclusively, a pcscd that is frozen.
# Guest:   ccid-gadget doctor: without dummy_hcd in the kernel, which is Debian's, another distribution's, one
#          for clouds, or one whose modules are gone; with dummy_hcd loaded with too few ports; without
#          configfs, udevd, pcscd, libccid; with a device that libccid doesn't know, without a bridge,
#          with one that is away, with a dead tunnel, without a key, with one that others can read, with
#          one that the bridge doesn't list, with another bridge's, with a clock of 2001; with a daemon
#          whose pattern matches nothing, one whose name the bridge doesn't know, and one without a port
#          for a reader.
# Asserts: each is said with what to type, with exit status 1; once nothing is broken, nothing is said
#          to be, with exit status 0; a reader that is in use is not disturbed.
#
# Limit: 240

bridge_doctor()
{
	timeout 20 "$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "${1:-$RESULTS/bridge.conf}" doctor
}

gadget_doctor()
{
	guest "/build/gadget/ccid-gadget -c ${1:-/results/gadget.conf} doctor"
}

# remedy_of TEXT DOCTOR-SAID: what to type, by the line below the problem with that text.
remedy_of()
{
	awk -v text="$1" 'found { if (/^ +type: /) print; found = 0 }
		/^problem / && index($0, text) { found = 1 }' <<<"$2"
}

# finds WHERE TEXT REMEDY [ARGUMENT...]: WHERE_doctor says so, and what to type; nothing if REMEDY is empty.
finds()
{
	local said status=0
	said=$("$1_doctor" "${@:4}") || status=$?
	assert_equal "$1: exit status of doctor, which says: $said" 1 "$status"
	assert_contains "$1" "$2" "$(grep '^problem ' <<<"$said")"
	if [ -n "$3" ]; then
		assert_contains "$1: what to type" "type: $3" "$(remedy_of "$2" "$said")"
	else
		assert_equal "$1: what to type" "" "$(remedy_of "$2" "$said")"
	fi
	echo "$1: $(grep -F -A 1 "$2" <<<"$said" | grep -E '^(problem| +type)')"
}

# finds_nothing WHERE
finds_nothing()
{
	local said
	said=$("$1_doctor") || fail "$1: doctor says: $said"
	assert_lacks "$1" "problem " "$(grep -v 'no problem' <<<"$said")"
}

# bridge_conf LISTEN READERS AUTH
bridge_conf()
{
	{
		echo "listen = { \"$1\" }"
		echo "key-file = \"/run/bridge.key\""
		echo "guest \"vm\" { $3 readers = { \"$2\" } }"
	} >"$RESULTS/broken.conf"
}

echo "the host"
host_bridge_config
finds bridge "nowhere.conf" "" "$RESULTS/nowhere.conf"
finds bridge "pcscd: doesn't run" "systemctl start pcscd.socket"
host_pcscd_start
card_start "$VPCD_PORT:t1"
finds_nothing bridge
bridge_conf "ipc://$HOST_RUN/x.sock" "Nonesuch*" "auth = none"
finds bridge 'no reader matches "Nonesuch*"; there are: "Virtual PCD 0 00 00"' "" "$RESULTS/broken.conf"
mkdir -m 0777 /run/open
chmod 0777 /run/open
bridge_conf "ipc:///run/open/x.sock" "*" "auth = none"
finds bridge "others can write to the folder /run/open" "chmod go-w /run/open" "$RESULTS/broken.conf"
key=$("$HOST_PROGRAMS/host-bridge/ccid-bridge" genkey /run/other.key)
bridge_conf "tcp://192.0.2.1:7816" "*" "key = \"$key\""
finds bridge "192.0.2.1:7816 is no address of this machine" "ip address" "$RESULTS/broken.conf"
finds bridge "/run/bridge.key" "ccid-bridge genkey /run/bridge.key" "$RESULTS/broken.conf"
"$HOST_EXCHANGE" --wait 15 --share exclusive connect + sleep 60000 >/dev/null 2>&1 &
holder=$!
has_holder()
{
	[[ $(bridge_doctor) = *exclusively* ]]
}
wait_for 10 "the program that has the card" has_holder
finds bridge "exchange ($holder)" ""
assert_lacks "doctor itself" "ccid-bridge (" "$(bridge_doctor || true)"
kill "$holder"
wait "$holder" || true
wait_for 10 "the card" bridge_doctor >/dev/null
kill -STOP "${PROCESSES[host-pcscd]}"
finds bridge "runs, but doesn't answer" "systemctl restart pcscd"
kill -CONT "${PROCESSES[host-pcscd]}"
wait_for 10 "pcscd" bridge_doctor >/dev/null

# A guest that is known by its key.
bridge_key=$("$HOST_PROGRAMS/host-bridge/ccid-bridge" genkey /run/bridge.key)
listed_key=$("$HOST_PROGRAMS/gadget/ccid-gadget" genkey /run/listed.key)
{
	echo 'key-file = "/run/bridge.key"'
	echo "guest \"keyed\" { key = \"$listed_key\" readers = { \"*\" } }"
} >>"$RESULTS/bridge.conf"
host_bridge_start
assert_contains "the bridge that runs" "somebody listens at ipc://$HOST_RUN/vm.sock" "$(bridge_doctor)"
host_tunnel_start

echo "the guest"
guest_boot
guest_gadget_config
finds gadget "nowhere.conf" "" /results/nowhere.conf
finds gadget "module dummy_hcd: not loaded" "modprobe dummy_hcd"
guest_try 'mount --bind /dev/null /lib/modules/$(uname -r)/modules.dep'
finds gadget "doesn't have it; Debian's does" "apt install linux-image-amd64"
guest_try 'printf "PRETTY_NAME=\"Fedora Linux 41\"\nID=fedora\n" >/tmp/os-release
	mount --bind /tmp/os-release /usr/lib/os-release'
finds gadget "of Fedora Linux 41 doesn't have it, as some distributions' don't" "grep -E 'DUMMY_HCD|"
guest_try 'umount /usr/lib/os-release /lib/modules/$(uname -r)/modules.dep'
guest_try 'echo 6.1.0-1-cloud-amd64 >/tmp/osrelease; mount --bind /tmp/osrelease /proc/sys/kernel/osrelease'
finds gadget "no modules of the kernel that runs, 6.1.0-1-cloud-amd64" "reboot"
guest_try 'mkdir /lib/modules/6.1.0-1-cloud-amd64'
finds gadget "6.1.0-1-cloud-amd64 is one for clouds" "apt install linux-image-amd64"
guest_try 'umount /proc/sys/kernel/osrelease'
tunnel="ssh -N -R /run/ccid-gadget/bridge.sock:/run/ccid-bridge/vm.sock root@vm"
finds gadget "nobody has made that socket" "$tunnel"
guest_load_usb 1
guest_tunnel_start
finds_nothing gadget
guest_try 'umount /sys/kernel/config'
finds gadget "configfs: not mounted" "modprobe configfs; mount -t configfs none /sys/kernel/config"
guest_try 'mount -t configfs none /sys/kernel/config'
guest_try 'mv /usr/sbin/pcscd /usr/sbin/pcscd.away'
finds gadget "pcscd: not installed" "apt install pcscd libccid"
guest_try 'mv /usr/sbin/pcscd.away /usr/sbin/pcscd'
guest_try 'mv /usr/lib/pcsc/drivers/ifd-ccid.bundle /tmp'
finds gadget "libccid: not installed" "apt install libccid"
guest_try 'mv /tmp/ifd-ccid.bundle /usr/lib/pcsc/drivers'
guest_try 'pkill -KILL systemd-udevd; sleep 0.5'
finds gadget "udevd: doesn't run" "apt install udev"
guest_try '/lib/systemd/systemd-udevd --daemon'
sed 's/^reader .*/reader "a" {}\nreader "b" { vendor = 0x1234 product = 0x5678 }/' \
	"$RESULTS/gadget.conf" >"$RESULTS/broken-gadget.conf"
finds gadget "virtual ports: 1, and the configuration has 2 readers" "echo 'options dummy_hcd num=4'" \
	/results/broken-gadget.conf
finds gadget "libccid: doesn't have 1234:5678" "" /results/broken-gadget.conf
# tcp_conf ADDRESS
tcp_conf()
{
	echo "bridge = \"tcp://$1\""
	echo "bridge-key = \"$key\""
	echo 'key-file = "/run/gadget.key"'
	echo 'reader "*" {}'
} >"$RESULTS/broken-gadget.conf"
# Nobody answers behind the one interface, and there is no way to the other network.
guest_try 'ip link add away type dummy; ip address add 192.0.2.1/24 dev away; ip link set away up
	ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:01 dev away
	ip route add unreachable 198.51.100.0/24'
tcp_conf 192.0.2.2:7816
finds gadget "no answer: the host is away" "" /results/broken-gadget.conf
tcp_conf 198.51.100.2:7816
finds gadget "no way there: this machine's network is down" "" /results/broken-gadget.conf
tcp_conf 10.0.2.2:9
finds gadget "nobody listens there: ccid-bridge doesn't run" "" /results/broken-gadget.conf
finds gadget "/run/gadget.key" "ccid-gadget genkey /run/gadget.key" /results/broken-gadget.conf
guest_try '/build/gadget/ccid-gadget genkey /run/gadget.key; chmod 644 /run/gadget.key'
finds gadget "others may read or write it" "" /results/broken-gadget.conf

echo "keys"
# keyed_conf KEY-FILE BRIDGE-KEY: of a guest that is known by its key.
keyed_conf()
{
	echo 'bridge = "ipc:///run/ccid-gadget/bridge.sock"'
	echo "bridge-key = \"$2\""
	echo "key-file = \"$1\""
	echo 'reader "*" {}'
} >"$RESULTS/keyed-gadget.conf"
guest_try "umask 077; echo $(cat /run/listed.key) >/run/listed.key; chmod 600 /run/gadget.key"
keyed_conf /run/listed.key "$bridge_key"
guest_try 'date -s 2001-02-03'
assert_contains "the right keys, and a wrong clock" "the bridge answers to ours (the clocks need not agree)" \
	"$(gadget_doctor /results/keyed-gadget.conf)"
guest_try "date -s @$(date +%s)"
keyed_conf /run/gadget.key "$bridge_key"
finds gadget "$(guest '/build/gadget/ccid-gadget pubkey /run/gadget.key')\", which is ours" "ccid-bridge pubkey" \
	/results/keyed-gadget.conf
keyed_conf /run/listed.key "$key"
finds gadget "bridge-key is not its key" "ccid-bridge pubkey" /results/keyed-gadget.conf

echo "with a daemon that waits"
guest_gadget_config 'reader "Nonesuch*" {}'
guest_gadget_start_only
says_unmatched()
{
	[[ $(gadget_doctor) = *'none that is free matches "Nonesuch*"; there are: "Virtual PCD 0 00 00"'* ]]
}
wait_for 15 "the names that there are" says_unmatched
finds gadget 'matches "Nonesuch*"' ""
guest_stop_program gadget >/dev/null
sed -i 's/^name = .*/name = "stranger"/' "$RESULTS/gadget.conf"
guest_gadget_start_only
says_refused()
{
	[[ $(gadget_doctor) = *'the bridge refuses the name "stranger"'* ]]
}
wait_for 15 "the refusal" says_refused
finds gadget 'refuses the name "stranger"' "journalctl"
guest_stop_program gadget >/dev/null
guest_gadget_config 'reader "*" {}'
guest_gadget_start_only
says_no_port()
{
	[[ $(gadget_doctor) = *'"*" is "Virtual PCD 0 00 01", but has no virtual port'* ]]
}
wait_for 15 "the second reader, for which there is no port" says_no_port
finds gadget "but has no virtual port" "echo 'options dummy_hcd num=4'"
guest_stop_program gadget >/dev/null
guest_gadget_config

echo "with a reader in use"
guest_gadget_start_only
guest_pcscd_start
wait_for 15 "the reader in the guest's pcscd" guest_lists_reader
guest_start loop "/build/tests/pcsc/exchange --wait 15 loop 100"
finds_nothing gadget
finds_nothing bridge
assert_equal "exit status of the guest's program" 0 "$(guest_end loop 30)"
guest_kill_program tunnel
finds gadget "the tunnel has ended" "$tunnel"
assert_no_stuck_task
assert_kernel_quiet
