# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What every script of the test harness needs: where things are, how to say, wait and be alone.
#
# All that the harness makes or downloads is below $BUILD, the build folder of the checkout, which
# the variable CCID_RELAY_BUILD moves elsewhere.

TOP=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../../..")
BUILD=${CCID_RELAY_BUILD:-$TOP/build}
VM=$BUILD/vm

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
	[ "$(id -u)" = 0 ] || die "needs root, for packages and namespaces: sudo $0"
}

# until_true SECONDS COMMAND...: 0 as soon as COMMAND succeeds, 1 if it does not in that time.
until_true()
{
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}

alive()
{
	kill -0 "$1" 2>/dev/null
}

dead()
{
	! alive "$1"
}

# Where the programs of the build are that run on this Debian release.
programs_of()
{
	case $1 in
	bookworm) echo "$BUILD/default" ;;
	*) echo "$BUILD/$1" ;;
	esac
}

in_namespace()
{
	[ "${IN_NAMESPACE:-}" = "$0" ]
}

# Runs the calling script again, with its arguments, in network, mount and PID namespaces of its own
# and ends with its exit status; inside it only returns. Ports and sockets can't collide with
# anybody's, and when either side ends, in whatever way, all that was started there dies with it:
# setpriv takes unshare down with us, --kill-child the namespace with unshare. (A plain exec would
# not do: unshare blocks SIGINT and SIGTERM.)
enter_namespace()
{
	local status=0
	if in_namespace; then
		ip link set lo up
		# vpcd's ports (35963 and up) are not for the other ends of connections, as far as we may say so.
		echo 40000 60999 2>/dev/null >/proc/sys/net/ipv4/ip_local_port_range || true
		return
	fi
	IN_NAMESPACE=$0 setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child \
		--mount-proc "$0" "$@" <&0 &
	# shellcheck disable=SC2064 # this very child
	trap "leave_namespace $!" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	wait $! || status=$?
	exit "$status"
}

# Ends what is left of the namespace. A killed interactive guest shell leaves the terminal raw.
leave_namespace()
{
	if alive "$1"; then
		kill -KILL "$1"
		wait "$1" 2>/dev/null || true
	fi
	if [ -t 0 ]; then
		stty sane
	fi
}
