# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The daemons' commands, and their JSON read by a program that is not ours.

# host_bridge COMMAND [OPTION...]: asks the bridge.
host_bridge()
{
	"$HOST_PROGRAMS/host-bridge/ccid-bridge" -c "$RESULTS/bridge.conf" "$@"
}

# guest_gadget COMMAND [OPTION...]: asks the gadget.
guest_gadget()
{
	guest "/build/gadget/ccid-gadget -c /results/gadget.conf $*"
}

# json PATH: a member of the JSON on stdin, as in readers.0.name; of a list or an object the number of
# its members. Fails if it is not one whole JSON document, or lacks the member.
json()
{
	perl -MJSON::PP -0777 -e '
		my $at = JSON::PP->new->utf8->decode(scalar <STDIN>);
		for my $key (split /\./, $ARGV[0]) {
			if (ref $at eq "ARRAY") { die "no $key\n" if $key > $#$at; $at = $at->[$key] }
			elsif (ref $at eq "HASH") { die "no $key\n" if !exists $at->{$key}; $at = $at->{$key} }
			else { die "nothing below, for $key\n" }
		}
		binmode STDOUT, ":utf8";
		print !defined $at ? "null" : JSON::PP::is_bool($at) ? ($at ? "true" : "false")
			: ref $at eq "ARRAY" ? scalar @$at : ref $at eq "HASH" ? scalar keys %$at : $at, "\n"' "$1"
}

# What the last answer holds: see ask_bridge, ask_gadget.
ANSWER=

ask_bridge()
{
	ANSWER=$(host_bridge "$1" --json)
}

ask_gadget()
{
	ANSWER=$(guest_gadget "$1" --json)
}

# answer PATH
answer()
{
	json "$1" <<<"$ANSWER"
}

# assert_shows WHAT PATH VALUE
assert_shows()
{
	assert_equal "$1 ($2)" "$3" "$(answer "$2")"
}

# bridge_says COMMAND PATH VALUE, gadget_says COMMAND PATH VALUE: for wait_for
bridge_says()
{
	ask_bridge "$1" && [ "$(answer "$2" 2>/dev/null)" = "$3" ]
}

gadget_says()
{
	ask_gadget "$1" && [ "$(answer "$2" 2>/dev/null)" = "$3" ]
}
