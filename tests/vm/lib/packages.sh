# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The Debian packages of this checkout.

# What debian/control needs besides the packages of prepare.sh.
package_tools=(dpkg-dev debhelper)

# packages_build FOLDER: a fresh copy of the tree in FOLDER/ccid-relay, and the packages of it beside it.
# Says what went wrong.
packages_build()
{
	rm -rf "$1"
	mkdir -p "$1/ccid-relay"
	tar -C "$TOP" -c --exclude ./build --exclude ./.git . | tar -C "$1/ccid-relay" -x
	(cd "$1/ccid-relay" && dpkg-buildpackage --unsigned-source --unsigned-changes) >"$1/build.log" 2>&1 || {
		tail -n 40 "$1/build.log" >&2
		return 1
	}
}

# The packages for the scenarios, in $PACKAGES. The check of the packages is who runs their unit tests.
prepare_packages()
{
	install_packages "${package_tools[@]}"
	say "Building the packages in $PACKAGES"
	DEB_BUILD_OPTIONS=nocheck packages_build "$PACKAGES"
}

# package_again PACKAGE VERSION FOLDER: the same package with another version, in FOLDER.
package_again()
{
	local tree
	tree=$(mktemp -d)
	dpkg-deb -R "$1" "$tree"
	sed -i "s/^Version: .*/Version: $2/" "$tree/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$tree" "$3/$(basename "${1/_*_/_${2}_}")" >/dev/null
	rm -rf "$tree"
}
