# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Where Debian's packages come from: the mirrors, proxies and keys of the running system, for systems
# of another release that are made here.

# The address of the archive with this label, as the running system's apt has it.
archive()
{
	apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' "Label: $1" | head -n 1
}

# archive_sources SUITE: the lines of a sources.list.
archive_sources()
{
	local main security suite=$1 key=/usr/share/keyrings/debian-archive-keyring.gpg
	main=$(archive Debian)
	security=$(archive Debian-Security)
	if [ -z "$main" ]; then
		echo "apt knows no Debian archive; is this Debian, and has 'apt-get update' run?" >&2
		return 1
	fi
	echo "deb [signed-by=$key] $main $suite main"
	echo "deb [signed-by=$key] $main $suite-updates main"
	if [ -n "$security" ]; then
		echo "deb [signed-by=$key] $security $suite-security main"
	fi
}

# How the running system's apt gets at them, as a file of apt's configuration.
archive_options()
{
	apt-config dump | grep -E '^Acquire::(Check|Retries|Force|https?::)' || true
}
