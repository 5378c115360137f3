# SPDX-License-Identifier: BSD-3-Clause
#
# GnuPG's own CCID driver, which is not libccid: scdaemon without pcscd. GnuPG 2.2; 2.4 is gnupg-13's.
#
# Host:    a T=1 card, which is also an OpenPGP card without keys.
# Guest:   pcscd is stopped; scdaemon talks to the USB reader by itself: short, extended and long
#          APDUs and one of 40 seconds; gpg --card-status; a certificate is written to the card and
#          read again, each in one extended APDU.
# Asserts: the commands reached the card as they were, and the answers are those that left it; at the
#          card as many APDUs as were asked for; what gpg shows; the certificate.
#
# Limit: 300

relay_start t1
guest_stop_program pcscd >/dev/null
gnupg_use_driver internal
assert_contains "GnuPG" "2.2." "$(guest '/usr/lib/gnupg/scdaemon --version')"

gnupg_commands_work 5 255 480
gnupg_answers_work 0 255 256 257 500 502 2052 2053 2054 2055 4096 16000 65000
gnupg_get_response_works
gnupg_waiting_works 40
gnupg_card_status_works
gnupg_certificates_work 2000
assert_no_stuck_task
assert_kernel_quiet
