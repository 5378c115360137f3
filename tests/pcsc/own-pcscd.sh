# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A pcscd of a test's own, without a guest: to be sourced with the arguments of the test. It starts the
# test again in namespaces of its own, makes $work, which goes with the test, and hides the machine's
# readers.
#
# vpcd listens on all addresses, and libpcsclite knows one pcscd: so a network, a /run and processes of
# our own, which end with the test. Ends it with 77 (skipped) unless there are root, pcscd and the vpcd
# driver (VPCD_DRIVER, or where Debian's package has it).

driver=${VPCD_DRIVER:-/usr/lib/pcsc/drivers/serial/libifdvpcd.so}

if [ "$(id -u)" != 0 ] || ! command -v pcscd >/dev/null || [ ! -e "$driver" ]; then
	echo "skipped: needs root, pcscd and $driver"
	exit 77
fi

if [ -z "${OWN_PCSCD_INSIDE:-}" ]; then
	export OWN_PCSCD_INSIDE=1
	exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi

work=$(mktemp -d)

cleanup()
{
	rm -rf "$work"
}
trap cleanup EXIT

# What pcscd is to be started with is $work/reader.conf: two slots of vpcd.
prepare_pcscd()
{
	ip link set lo up
	# See tests/vm/lib/common.sh.
	echo 40000 60999 2>/dev/null >/proc/sys/net/ipv4/ip_local_port_range || true
	mkdir -p /run/pcscd
	mount -t tmpfs tmpfs /run/pcscd
	cp "$driver" "$work/libifdvpcd.so"
	mount -t tmpfs tmpfs /usr/lib/pcsc/drivers
	cat >"$work/reader.conf" <<-END
		FRIENDLYNAME "Virtual PCD"
		DEVICENAME /dev/null:0x8C7B
		LIBPATH $work/libifdvpcd.so
		CHANNELID 0x8C7B
	END
}
