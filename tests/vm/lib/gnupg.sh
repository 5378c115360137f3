# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# GnuPG in the guest: scdaemon, which has a CCID driver of its own and can use pcscd as well.

# gnupg_use_driver internal|pcscd: from its next start on. scdaemon has no option against pcscd (an
# unknown one ends that of GnuPG 2.4), but it can't use it without the library.
gnupg_use_driver()
{
	local option='pcsc-driver /none'
	[ "$1" = internal ] || option=disable-ccid
	gnupg_kill
	guest_try "
		mkdir -p -m 0700 /run/gnupg
		printf '%s\nlog-file /results/scdaemon.log\n' '$option' >/run/gnupg/scdaemon.conf"
}

# SIGKILL, whatever it is doing.
gnupg_kill()
{
	guest_try '
		for program in scdaemon gpg-agent; do
			pkill -KILL -x $program
			while pgrep -x $program >/dev/null; do sleep 0.05; done
		done' || true
}

# scd COMMAND...: what scdaemon answers to each: a line with its data in hexadecimal, or its error.
# (gpg-connect-agent's own --hex shows the escapes of the protocol as if they were data.)
scd()
{
	local arguments=() command
	for command in "$@"; do
		arguments+=("'SCD $command'")
	done
	guest_within 100 "export GNUPGHOME=/run/gnupg
		gpg-connect-agent -q 'SCD SERIALNO undefined' ${arguments[*]} /bye" |
		perl -ne 'if (s/^D //) { chomp; s/%([0-9A-F]{2})/chr hex $1/ge; $data .= uc unpack "H*", $_ }
			elsif (/^OK/) { print "$data\n" if defined $data; undef $data }
			elsif (/^ERR/) { print }'
}

# The hash of an answer in hexadecimal, as the card's log has it (32-bit FNV-1a).
answer_hash()
{
	perl -ne 'chomp; $hash = 0x811C9DC5;
		$hash = (($hash ^ $_) * 0x01000193) & 0xFFFFFFFF for unpack "C*", pack "H*", $_;
		printf "%08x\n", $hash' <<<"$1"
}

# assert_answer WHAT LENGTH ANSWER: the answer has so many bytes and is 9000, and it is what the
# card sent last.
assert_answer()
{
	assert_equal "$1: length" "$2" "$((${#3} / 2))"
	assert_equal "$1: status word" 9000 "${3: -4}"
	assert_equal "$1: hash" "$(grep 'ev=apdu-end' "$RESULTS/card.log" | tail -n 1 |
		sed 's/.* hash=\([0-9a-f]*\).*/\1/')" "$(answer_hash "$3")"
}
