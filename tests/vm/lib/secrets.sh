# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Secrets that can be told from anything else, and the search for them: in memory, in files, on the
# host and in the guest. find-secret does the work (tests/secrets).

SECRETS=/run/secrets
PATTERNS=$SECRETS/patterns # the guest may see an old copy of a file that has changed since it read it
FIND_SECRET=$HOST_PROGRAMS/tests/secrets/find-secret

# pattern NAME PERL-EXPRESSION: a line for find-secret; the expression gives the bytes.
pattern()
{
	perl -MMIME::Base64 -e 'printf "%s %s\n", $ARGV[0], unpack("H*", eval $ARGV[1] || die $@)' "$1" "$2"
}

# pin_patterns NAME TEXT: as it is, its end (a buffer is overwritten from its beginning), as hexadecimal
# text of both kinds, with blanks, in pieces of four bytes wherever they begin, and as base64.
pin_patterns()
{
	local start
	pattern "$1" "'$2'"
	pattern "$1-end" "substr('$2', -8)"
	pattern "$1-hex" "unpack('H*', '$2')"
	pattern "$1-HEX" "uc unpack('H*', '$2')"
	pattern "$1-spaced" "join(' ', map { sprintf '%02X', ord } split //, '$2')"
	for start in $(seq 0 $((${#2} - 4))); do
		pattern "$1-piece-hex-$start" "unpack('H*', substr('$2', $start, 4))"
		pattern "$1-piece-HEX-$start" "uc unpack('H*', substr('$2', $start, 4))"
	done
	for start in 0 1 2; do
		pattern "$1-base64-$start" \
			"substr(encode_base64(('x' x $start) . '$2', ''), 4, 4 * int((length('$2') - 4) / 3))"
	done
}

# key_patterns NAME FILE: without the bytes that X25519 sets bits in, which copies may lack.
key_patterns()
{
	local text
	text=$(cat "$2")
	pattern "$1-text" "substr('$text', 2, 40)"
	pattern "$1-bytes" "substr(decode_base64('$text'), 1, 30)"
	pattern "$1-hex" "unpack('H*', substr(decode_base64('$text'), 1, 30))"
}

# shared_pattern FILE PUBLIC-KEY: what the handshake makes of the two static keys.
shared_pattern()
{
	printf 'static-secret %s\n' "$("$HOST_PROGRAMS/tests/secrets/shared-secret" "$1" "$2")"
}

# session_patterns PID GUEST-PID: the keys of the sessions that a bridge and a gadget have. Nobody else
# knows them; but they are in what both have locked into memory, behind the number of the channel, the
# one's key to send as the other's to receive (relay/secure_channel.h).
session_patterns()
{
	"$FIND_SECRET" --locked "$1" >"$SECRETS/locked-here"
	# Not by guest(), which keeps what a command prints.
	guest_within 30 "/build/tests/secrets/find-secret --locked $2" >"$SECRETS/locked-there"
	perl -e '
		my (%there, %seen);
		my $count = 0;
		sub words { open my $file, "<", $_[0] or die; map { [unpack "(H16)*", pack "H*", $_ =~ s/\s//gr] } <$file> }
		for my $region (words $ARGV[1]) {
			my @w = @$region;
			for (0 .. $#w - 8) { $there{$w[$_]} = [@w[$_ + 1 .. $_ + 8]] unless $w[$_] =~ /^0+$/ }
		}
		for my $region (words $ARGV[0]) {
			my @w = @$region;
			for (0 .. $#w - 8) {
				my $other = $there{$w[$_]} or next;
				my ($send, $receive) = (join("", @w[$_ + 1 .. $_ + 4]), join("", @w[$_ + 5 .. $_ + 8]));
				next unless $send eq join "", @$other[4 .. 7] and $receive eq join "", @$other[0 .. 3];
				printf "session-key-%d %s\n", ++$count, $_
					for grep { !/^0+$/ && !$seen{$_}++ } $send, $receive;
			}
		}' "$SECRETS/locked-here" "$SECRETS/locked-there"
	rm "$SECRETS/locked-here" "$SECRETS/locked-there"
}

# secrets_make: a PIN as text and as BCD; what a driver makes of it goes in a file, so that it is on no
# command line that is logged.
secrets_make()
{
	mkdir -m 0700 "$SECRETS"
	pin=$(perl -e 'print map { ("A".."Z", "a".."z", 0..9)[rand 62] } 1..16')
	bcd=$(perl -e 'print map { int rand 10 } 1..24')
	{
		pin_patterns pin "$pin"
		pattern bcd "pack('H*', '$bcd')"
		pattern bcd-text "'$bcd'"
	} >"$SECRETS/patterns"
	perl -e 'printf "0020008010%s\n", unpack "H*", $ARGV[0]' "$pin" >"$SECRETS/verify"
	printf '002000800C%s\n' "$bcd" >"$SECRETS/verify-bcd"
	perl -e 'printf "8014000010%s00\n", unpack "H*", $ARGV[0]' "$pin" >"$SECRETS/echo"
}

# guest_send FILE [STEP...]: an APDU that nobody may see, and what the program does then.
guest_send()
{
	local file=$1
	shift
	guest_within 30 "/build/tests/pcsc/exchange --wait 15 apdu \$(cat /secrets/$file) expect any $* \
		>/dev/null 2>&1" || fail "the secret of $file can't be sent"
}

# guest_program_pid NAME
guest_program_pid()
{
	guest "cat /run/$1.pid"
}

# search_host PID|FILE...: what was found; empty if nothing.
search_host()
{
	local status=0
	"$FIND_SECRET" "$PATTERNS" "$@" >"$RESULTS/found" || status=$?
	[ "$status" != 2 ] || fail "$* can't be searched"
	tail -n 1 "$RESULTS/found" >>"$RESULTS/searched.log"
	grep ' at ' "$RESULTS/found" || true
}

search_guest()
{
	guest_within 60 "/build/tests/secrets/find-secret /secrets/$(basename "$PATTERNS") $* || [ \$? = 1 ]" \
		>"$RESULTS/found" || fail "$* can't be searched in the guest"
	tail -n 1 "$RESULTS/found" >>"$RESULTS/searched.log"
	grep ' at ' "$RESULTS/found" || true
}

# nothing_in WHERE FOUND
nothing_in()
{
	[ -z "$2" ] || fail "secrets in $1:
$2"
	echo "nothing in $1"
}
