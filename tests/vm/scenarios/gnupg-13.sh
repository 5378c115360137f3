# SPDX-License-Identifier: BSD-3-Clause
#
# GnuPG's own CCID driver in the next Debian: scdaemon of GnuPG 2.4, without pcscd.
#
# Suite:   trixie
# Host:    a T=1 card, which is also an OpenPGP card without keys.
# Guest:   Debian 13; pcscd is stopped; scdaemon talks to the USB reader by itself: commands and
#          answers of many lengths; an APDU of twelve seconds, more than twice what the driver waits
#          for a message; gpg --card-status; certificates are written to the card and read again, each
#          in one extended APDU, among them the longest that the driver sends.
# Asserts: the commands reached the card as they were, and the answers are those that left it; at the
#          card as many APDUs as were asked for; what gpg shows; the certificates.
#
# Limit: 240

relay_start t1
guest_stop_program pcscd >/dev/null
gnupg_use_driver internal
assert_contains "GnuPG" "2.4." "$(guest '/usr/lib/gnupg/scdaemon --version')"

gnupg_commands_work 1 254 255 256 257 480
gnupg_answers_work 0 255 256 257 499 500 501 1012 2052 2053 2054 2055 4096 16000 65000
gnupg_get_response_works
gnupg_waiting_works 12
gnupg_card_status_works

# With 495 and 1007 bytes the command fills packets of 512, with 500 and 1012 the answer does.
gnupg_certificates_work 494 495 496 500 1007 1012 2048
assert_no_stuck_task
assert_kernel_quiet
