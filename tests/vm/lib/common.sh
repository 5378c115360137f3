# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What every script of the test harness needs: where things are, how to say and wait.
#
# All that the harness makes or downloads is below $BUILD, the build folder of the checkout, which
# CCID_RELAY_BUILD moves elsewhere.

TOP=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../../..")
BUILD=${CCID_RELAY_BUILD:-$TOP/build}
VM=$BUILD/vm
PROGRAMS=$BUILD/default

say()
{
	echo "$*" >&2
}

die()
{
	say "$(basename "$0"): $*"
	exit 1
}

need_root()
{
	[ "$(id -u)" = 0 ] || die "needs root, for namespaces and packages: sudo $0"
}

# until_true SECONDS COMMAND...: 0 as soon as COMMAND succeeds, 1 if it never does.
until_true()
{
	local deadline=$((SECONDS + $1))
	shift
	while ! "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}

alive()
{
	kill -0 "$1" 2>/dev/null
}

in_namespace()
{
	[ "${IN_NAMESPACE:-}" = "$0" ]
}

# Runs the calling script again with its arguments in a network, mount and PID namespace of its own,
# unless it is there already. Ports and sockets can't collide with those of anybody else, and when
# the script ends, however it ends, everything that it started dies with it.
enter_namespace()
{
	if in_namespace; then
		ip link set lo up
		return
	fi
	IN_NAMESPACE=$0 exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
}
