# SPDX-License-Identifier: BSD-3-Clause
#
# Every length of command and response, through a T=0 card.
#
# Host:    a T=0 card.
# Guest:   the SCard program sends commands with 0 to 600 bytes and asks for 0 to 600 bytes, one by one
#          and in each form that can carry them, then 4,096, 16,384 and 65,000 bytes both ways.
# Asserts: every byte both ways (the program's output); at the card exactly as many APDUs as the
#          program sent.
#
# Limit: 300

relay_start t0
. "$TOP/tests/vm/lib/every-length.sh"
every_length t0
