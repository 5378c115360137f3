# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The Debian packages of this checkout, for one release of Debian or another. Those of the running one
# are built by it as it is; those of another in a tree of that one, which is made here and kept.

# What debian/control needs besides the packages of prepare.sh.
package_tools=(dpkg-dev debhelper)

# packages_of SUITE: the folder of the packages for scenarios that say "Packages:".
packages_of()
{
	echo "$BUILD/packages/scenarios-$1"
}

# packages_copy FOLDER: a fresh copy of the checkout in FOLDER/ccid-relay, as if it were released.
packages_copy()
{
	rm -rf "$1"
	mkdir -p "$1/ccid-relay"
	tar -C "$TOP" -c --exclude ./build --exclude ./.git . | tar -C "$1/ccid-relay" -x
}

# packages_build FOLDER: such a copy, and the packages of it beside it. Says what went wrong.
packages_build()
{
	packages_copy "$1"
	(cd "$1/ccid-relay" && dpkg-buildpackage --unsigned-source --unsigned-changes) >"$1/build.log" 2>&1 || {
		tail -n 40 "$1/build.log" >&2
		return 1
	}
}

# packages_remarks COMMAND...: what lintian, run by COMMAND, says of packages, but for what can't be right
# for two releases at once: that there is a newer version of the policy, and our override (a unit, and no
# script for another init), which only Debian 12 wants. That lintian can't look is a remark, too.
packages_remarks()
{
	local said status=0
	said=$("$@" --allow-root --display-info --pedantic --show-overrides 2>&1) || status=$?
	grep -v -E -e '^N: ' -e '^I: [^:]+: out-of-date-standards-version ' \
		-e '^O: [^ ]+ package-supports-alternative-init-but-no-init.d-script ' <<<"$said" || true
	[ "$status" -le 2 ] && [ "$status" != 1 ] || echo "lintian: exit status $status"
}

# ---- another release ----

# The tree that builds for SUITE, without what packages would put into it for people to read.
packager_tree()
{
	echo "$VM/packager-$1/tree"
}

# The tree again when debian/control wants something else. The downloads are those of the guest's image.
packager_make()
{
	local suite=$1 folder=$VM/packager-$1 downloads=$VM/downloads/$1 key
	key=$(cat "$TOP/debian/control" "$TOP/tests/vm/lib/packages.sh" | sha256sum)
	[ "$(cat "$folder/stamp" 2>/dev/null)" != "$key" ] || return 0
	say "Making what builds packages for $suite in $folder"
	rm -rf --one-file-system "$folder"
	mkdir -p "$folder" "$downloads"
	archive_sources "$suite" >"$folder/sources.list" || return
	archive_options >"$folder/apt.conf"
	# shellcheck disable=SC2016 # for the hooks' shell
	mmdebstrap --variant=apt --mode=root --format=directory --aptopt="$folder/apt.conf" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--skip=download/empty --skip=essential/unlink \
		--setup-hook='mkdir -p "$1/var/cache/apt/archives"' \
		--setup-hook="sync-in '$downloads' /var/cache/apt/archives/" \
		--include=dpkg-dev,debhelper,lintian \
		--customize-hook='mkdir -p "$1/mnt/debian"' \
		--customize-hook="copy-in '$TOP/debian/control' /mnt/debian" \
		--customize-hook='chroot "$1" apt-get -q -y --no-install-recommends build-dep /mnt' \
		--customize-hook='rm -r "$1/mnt/debian"' \
		--customize-hook="sync-out /var/cache/apt/archives '$downloads'" \
		"$suite" "$folder/tree" "$folder/sources.list" >"$folder/make.log" 2>&1 || {
		tail -n 30 "$folder/make.log" >&2
		return 1
	}
	echo "$key" >"$folder/stamp"
}

# packager_run SUITE FOLDER COMMAND...: in the tree, with FOLDER as /mnt, and without a network.
packager_run()
{
	local suite=$1 folder=$2
	shift 2
	# shellcheck disable=SC2016 # for that shell
	unshare --mount --net sh -c '
		tree=$1 folder=$2
		shift 2
		mount --bind "$folder" "$tree/mnt" && mount -t proc proc "$tree/proc" && exec chroot "$tree" "$@"' \
		sh "$(packager_tree "$suite")" "$folder" env --chdir=/mnt LC_ALL=C.UTF-8 "$@"
}

# The packages in FOLDER, as packages_build does, and in lintian.log what that release's lintian says.
packages_build_for()
{
	local suite=$1 folder=$2
	packager_make "$suite" || return
	packages_copy "$folder"
	packager_run "$suite" "$folder" env --chdir=/mnt/ccid-relay \
		dpkg-buildpackage --unsigned-source --unsigned-changes >"$folder/build.log" 2>&1 || {
		tail -n 40 "$folder/build.log" >&2
		return 1
	}
	# shellcheck disable=SC2016 # for that shell
	packages_remarks packager_run "$suite" "$folder" sh -c 'exec lintian "$@" ./*.changes' sh |
		sed '/^$/d' >"$folder/lintian.log"
}

# prepare_packages SUITE: those for scenarios. Their unit tests are those of the group unit.
prepare_packages()
{
	local folder
	folder=$(packages_of "$1")
	say "Building the packages for $1 in $folder"
	if [ "$1" = bookworm ]; then
		install_packages "${package_tools[@]}"
		DEB_BUILD_OPTIONS=nocheck packages_build "$folder"
	else
		DEB_BUILD_OPTIONS=nocheck packages_build_for "$1" "$folder"
	fi
}

# package_again PACKAGE VERSION FOLDER [LINE]: the same package with another version, in FOLDER; its sample
# configuration has this line more.
package_again()
{
	local tree
	tree=$(mktemp -d)
	dpkg-deb -R "$1" "$tree"
	[ $# -lt 4 ] || sed -i "\$a $4" "$tree"/etc/ccid-relay/*.conf
	sed -i "s/^Version: .*/Version: $2/" "$tree/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$tree" "$3/$(basename "${1/_*_/_${2}_}")" >/dev/null
	rm -rf "$tree"
}
