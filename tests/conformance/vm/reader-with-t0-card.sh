# SPDX-License-Identifier: BSD-3-Clause
#
# The CCID specification, case by case, asked of the relay with a T=0 card.
#
# Host:    a T=0 card.
# Guest:   ccid-conformance drives the reader through libusb; pcscd is stopped.
# Asserts: every case is ok that such a card allows, and these are many.
#
# Limit: 600

relay_start t0
. "$TOP/tests/conformance/vm/run.sh"
conformance_run 100 --card scripted
