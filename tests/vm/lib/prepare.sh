# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What has to be there before anything runs: packages of the machine, the build, the guests' images
# and the vpcd driver. Every step says what it does if it has something to do, and is quick if not.

# To build, to make and run guests, and for the host's side of the scenarios.
packages=(
	gcc libc6-dev cmake ninja-build pkg-config libpcsclite-dev libusbgx-dev libnanomsg-dev
	libsodium-dev libuv1-dev libconfuse-dev libjansson-dev libaio-dev libcmocka-dev
	libusb-1.0-0-dev libseccomp-dev
	mmdebstrap squashfs-tools cpio xz-utils qemu-system-x86 qemu-system-data seabios socat
	iproute2 procps perl
	pcscd opensc openssh-client systemd
	libcacard-dev softhsm2 libnss3-tools openssl tshark
)

apt_install()
{
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@"
}

# install_packages PACKAGE...: those that are missing, saying which.
install_packages()
{
	local package missing=()
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q -x installed ||
			missing+=("$package")
	done
	if [ ${#missing[@]} = 0 ]; then
		return
	fi
	say "Installing packages: ${missing[*]}"
	mkdir -p "$BUILD"
	{ apt_install update && apt_install install --no-install-recommends "${missing[@]}"; } \
		>"$BUILD/packages.log" 2>&1 || {
		tail -n 20 "$BUILD/packages.log" >&2
		die "cannot install packages"
	}
}

# The programs and the tests, in $BUILD/default.
build_programs()
{
	say "Building in $BUILD/default"
	mkdir -p "$BUILD"
	{ (cd "$TOP" && cmake --preset default -B "$BUILD/default") && ninja -C "$BUILD/default"; } \
		>"$BUILD/build.log" 2>&1 || {
		tail -n 40 "$BUILD/build.log" >&2
		return 1
	}
}

# Debian's vpcd, unpacked and not installed: an installed one would make every pcscd of this machine
# listen on all addresses.
fetch_vpcd()
{
	local folder=$VM/vpcd
	if [ -e "$folder/libifdvpcd.so" ]; then
		return
	fi
	say "Fetching the vpcd driver (package vsmartcard-vpcd, unpacked in $folder)"
	mkdir -p "$folder"
	(cd "$folder" && apt-get -q -q -o APT::Sandbox::User=root download vsmartcard-vpcd >&2) &&
		dpkg-deb -x "$folder"/vsmartcard-vpcd_*.deb "$folder/package" &&
		cp "$folder"/package/usr/lib/pcsc/drivers/serial/libifdvpcd.so.*.* "$folder/libifdvpcd.so"
}

# To make a kernel of, beside those.
uml_packages=(make flex bison bc kmod)

# The kernel of a User Mode Linux, in $VM/uml.
prepare_uml()
{
	install_packages "${uml_packages[@]}"
	"$TOP/tests/vm/image/uml" "$VM/uml" >&2
}

# prepare_guest SUITE: its image, and the programs built for it if they are not the host's.
prepare_guest()
{
	"$TOP/tests/vm/image/build" "$1" "$VM/$1" >&2 || return
	if [ "$1" != bookworm ]; then
		"$TOP/tests/vm/image/programs" "$1" "$VM/$1" >&2
	fi
}
