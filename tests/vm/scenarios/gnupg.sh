# SPDX-License-Identifier: BSD-3-Clause
#
# GnuPG's own CCID driver, which is not libccid: scdaemon without pcscd.
#
# Host:    a T=1 card, which is also an OpenPGP card without keys.
# Guest:   pcscd is stopped; scdaemon talks to the USB reader by itself: short,
#          extended and long APDUs and one of 40 seconds; gpg --card-status; a certificate is written
#          to the card and read again, each in one extended APDU.
# Asserts: the answers are those that left the card; at the card as many APDUs as were asked for; what
#          gpg shows; the certificate.
#
# Limit: 300

relay_start t1
guest_stop_program pcscd >/dev/null
gnupg_use_driver internal

before=$(apdus_at_card "cla=80 ins=14")
assert_equal "a short APDU" "68656C6C6F9000" "$(scd 'APDU 801400000568656C6C6F00')"
assert_equal "ECHO at the card" "$((before + 1))" "$(apdus_at_card 'cla=80 ins=14')"

# An extended command: as much as fits into a line of scdaemon's protocol.
data=$(printf '%0960d' 0)
assert_answer "an extended command" 482 "$(scd "APDU --exlen=600 801400000001E0${data}0000")"

# 80 10 N: N bytes. The driver reads messages of 2,065 bytes: 2,053 and SW are the longest answer in one.
for length in 0 255 256 257 500 502 2052 2053 2054 2055 4096 16000 65000; do
	answer=$(scd "APDU --exlen=65536 8010$(printf %04X "$length")000000")
	assert_answer "an answer of $length bytes" "$((length + 2))" "$answer"
done

# 61xx and GET RESPONSE, by scdaemon
answer=$(scd 'APDU --more 801801F4')
assert_equal "--more: 500 bytes in two answers, and SW" 502 "$((${#answer} / 2))"

before=$(apdus_at_card "cla=80 ins=20")
start=$(date +%s)
assert_equal "an APDU of 40 seconds" 9000 "$(scd 'APDU 80209C40')"
assert "it took as long as the card" [ "$(($(date +%s) - start))" -ge 40 ]
assert_equal "WORK at the card" "$((before + 1))" "$(apdus_at_card 'cla=80 ins=20')"

gnupg_kill # what has selected "undefined"
shown=$(guest 'GNUPGHOME=/run/gnupg gpg --card-status 2>&1')
assert_contains "card-status: reader" "Reader ...........: 0E0F:0004" "$shown"
assert_contains "card-status: serial number" "Serial number ....: 12345678" "$shown"
assert_contains "card-status: name" "Name of cardholder: Smart Relay" "$shown"

# scdaemon's driver itself refuses commands of more than 2,055 bytes.
gnupg_kill
guest 'export GNUPGHOME=/run/gnupg
	cd /run
	head -c 2000 /dev/urandom >certificate
	printf "12345678\0" >pin
	printf "%s\n" "/definqfile CERTDATA certificate" "/definqfile NEEDPIN pin" SERIALNO \
		"WRITECERT OPENPGP.3" "/datafile certificate.read" "READCERT OPENPGP.3" >script
	gpg-connect-agent --run script --exec /usr/lib/gnupg/scdaemon --server </dev/null
	cmp certificate certificate.read' || fail "the certificate"
assert_equal "PUT DATA at the card" 1 "$(apdus_at_card 'cla=00 ins=DA p1=7F p2=21 lc=2000')"
assert_no_stuck_task
assert_kernel_quiet
