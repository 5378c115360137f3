# SPDX-License-Identifier: BSD-3-Clause
#
# USB 2.0, the other chapters that concern a reader: resets, and lengths on the bus.
#
# Host:    a T=1 card.
# Guest:   ccid-conformance drives the reader through libusb; pcscd is stopped.
# Asserts: every case is ok that such a card allows, and these are many; the daemon that ran before
#          runs after it; no task is stuck, the kernel has not complained.
#
# Limit: 480

relay_start t1
conformance_run 10 --card scripted --case "'USB [!9]*'"
