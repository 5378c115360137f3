# SPDX-License-Identifier: BSD-3-Clause
#
# GnuPG's own CCID driver, which is not libccid: scdaemon without pcscd.
#
# Host:    a T=1 card, the bridge.
# Guest:   pcscd is stopped; scdaemon with disable-pcsc talks to the USB reader by itself: short, extended
#          and slow APDUs; it is killed and started again; then pcscd uses the same reader, then scdaemon
#          again.
# Asserts: the answers, as the card gave them; at the card as many APDUs as were asked for; both drivers
#          work in turn.
#
# Limit: 300

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

relay_start t1
guest_stop_program pcscd >/dev/null
guest_try 'mkdir -p -m 0700 /run/gnupg; printf "disable-pcsc\nlog-file /results/scdaemon.log\n" >/run/gnupg/scdaemon.conf'

# SERIALNO of an unknown card selects applications; what it needs is its own business.
scd 'APDU 00A40400' >"$RESULTS/first.log" || true
before=$(apdus_at_card "cla=80 ins=14")
answer=$(scd 'APDU 801400000568656C6C6F00')
assert_equal "a short APDU" "68656C6C6F9000" "$answer"
assert_equal "ECHO at the card" "$((before + 1))" "$(apdus_at_card 'cla=80 ins=14')"

# 80 10 SOURCE: as many bytes as P1 P2 says, here 1,536
answer=$(scd 'APDU --exlen=2000 80100600000000')
assert_equal "length of an extended answer and SW" 1538 $((${#answer} / 2))
assert_equal "its SW" 9000 "${answer: -4}"

start=$(date +%s)
answer=$(scd 'APDU 8020271000')
assert_equal "an APDU of ten seconds" 9000 "${answer: -4}"
assert "it took as long as the card" [ "$(($(date +%s) - start))" -ge 10 ]

echo "killed, and started again"
guest_try 'pkill -KILL scdaemon; pkill -KILL gpg-agent; sleep 1'
assert_equal "after the kill" "68699000" "$(scd 'APDU 8014000002686900')"

echo "pcscd in turn"
guest_try 'pkill scdaemon; pkill gpg-agent; sleep 1'
guest_pcscd_start
guest_exchange loop 5 >/dev/null
guest_stop_program pcscd >/dev/null
assert_equal "scdaemon in turn" "68656C6C6F9000" "$(scd 'APDU 801400000568656C6C6F00')"
assert_no_stuck_task
assert_kernel_quiet
