# SPDX-License-Identifier: BSD-3-Clause
#
# USB 2.0, chapter 9, as far as it concerns a reader: SET_INTERFACE, SET_CONFIGURATION, suspend ...
#
# Host:    a T=1 card.
# Guest:   ccid-conformance drives the reader through libusb; pcscd is stopped.
# Asserts: every case is ok that such a card allows, and these are many; the daemon that ran before
#          runs after it; no task is stuck, the kernel has not complained.
#
# Limit: 480

relay_start t1
conformance_run 25 --card scripted --case "'USB 9*'"
