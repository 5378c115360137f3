# SPDX-License-Identifier: BSD-3-Clause
#
# The CCID specification, chapter 6, asked of the relay with a T=0 card.
#
# Host:    a T=0 card.
# Guest:   ccid-conformance drives the reader through libusb; pcscd is stopped.
# Asserts: every case is ok that such a card allows, and these are many; the daemon that ran before
#          runs after it; no task is stuck, the kernel has not complained.
#
# Limit: 480

relay_start t0
conformance_run 120 --card scripted --case "'6*'"
