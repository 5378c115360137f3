# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# GnuPG in the guest: scdaemon, which has a CCID driver of its own and can use pcscd as well. What its
# driver is asked to do is the same in every Debian: gnupg_..._work at the end.

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

# The hash of an APDU in hexadecimal, as the card's log has it (32-bit FNV-1a).
apdu_hash()
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
	assert_equal "$1: hash" "$(last_hash apdu-end)" "$(apdu_hash "$3")"
}

# last_hash apdu-begin|apdu-end: of the last one in the card's log.
last_hash()
{
	grep "ev=$1" "$RESULTS/card.log" | tail -n 1 | sed 's/.* hash=\([0-9a-f]*\).*/\1/'
}

# gnupg_commands_work LENGTH...: ECHO with so many bytes: each reached the card as it was, once, and
# comes back. 481 are the most that fit into a line of scdaemon's protocol.
gnupg_commands_work()
{
	local length data command before
	before=$(apdus_at_card "cla=80 ins=14")
	for length in "$@"; do
		data=$(printf '%*s' "$length" '' | sed 's/ /A7/g')
		command=80140000$(printf %02X "$length")${data}00
		[ "$length" -le 255 ] || command=8014000000$(printf %04X "$length")${data}0000
		assert_equal "ECHO of $length bytes" "${data}9000" "$(scd "APDU --exlen=600 $command")"
		assert_equal "ECHO of $length bytes at the card" "$(apdu_hash "$command")" \
			"$(last_hash apdu-begin)"
	done
	assert_equal "ECHOs at the card" $# "$(($(apdus_at_card "cla=80 ins=14") - before))"
}

# gnupg_answers_work LENGTH...: 80 10 N: N bytes. scdaemon reads messages of 2,065 bytes: 2,053 and
# SW are the longest answer in one.
gnupg_answers_work()
{
	local length before answer
	before=$(apdus_at_card "cla=80 ins=10")
	for length in "$@"; do
		answer=$(scd "APDU --exlen=65536 8010$(printf %04X "$length")000000")
		assert_answer "an answer of $length bytes" "$((length + 2))" "$answer"
	done
	assert_equal "READs at the card" $# "$(($(apdus_at_card "cla=80 ins=10") - before))"
}

# 61xx and GET RESPONSE, by scdaemon.
gnupg_get_response_works()
{
	local answer
	answer=$(scd 'APDU --more 801801F4')
	assert_equal "--more: 500 bytes in two answers, and SW" 502 "$((${#answer} / 2))"
}

# gnupg_waiting_works SECONDS: for a card that needs as long.
gnupg_waiting_works()
{
	local before start
	before=$(apdus_at_card "cla=80 ins=20")
	start=$(date +%s)
	assert_equal "an APDU of $1 seconds" 9000 "$(scd "APDU 8020$(printf %04X $(($1 * 1000)))")"
	assert "it took as long as the card" [ "$(($(date +%s) - start))" -ge "$1" ]
	assert_equal "WORK at the card" "$((before + 1))" "$(apdus_at_card 'cla=80 ins=20')"
}

gnupg_card_status_works()
{
	local shown
	gnupg_kill # what has selected "undefined"
	shown=$(guest 'GNUPGHOME=/run/gnupg gpg --card-status 2>&1')
	assert_contains "card-status: reader" "Reader ...........: 0E0F:0004" "$shown"
	assert_contains "card-status: serial number" "Serial number ....: 12345678" "$shown"
	assert_contains "card-status: name" "Name of cardholder: Smart Relay" "$shown"
}

# gnupg_certificates_work LENGTH...: each is written to the card and read again, in one extended APDU
# each. scdaemon's driver itself refuses commands of more than 2,055 bytes: 2,048 and their header.
gnupg_certificates_work()
{
	local length
	gnupg_kill
	gnupg_write_certificates "$@" || fail "the certificates"
	for length in "$@"; do
		assert_equal "PUT DATA of $length bytes at the card" 1 \
			"$(apdus_at_card "cla=00 ins=DA p1=7F p2=21 lc=$length ")"
	done
	assert_equal "GET DATA at the card" $# "$(apdus_at_card 'cla=00 ins=CA p1=7F p2=21')"
}

gnupg_write_certificates()
{
	guest "export GNUPGHOME=/run/gnupg
		cd /run
		printf '12345678\0' >pin
		echo SERIALNO >script
		for length in $*; do
			head -c \$length /dev/urandom >certificate.\$length
			printf '%s\n' /cleardef '/definqfile NEEDPIN pin' \
				\"/definqfile CERTDATA certificate.\$length\" 'WRITECERT OPENPGP.3' \
				\"/datafile read.\$length\" 'READCERT OPENPGP.3' >>script
		done
		gpg-connect-agent --run script --exec /usr/lib/gnupg/scdaemon --server </dev/null
		for length in $*; do
			cmp certificate.\$length read.\$length || exit
		done"
}
