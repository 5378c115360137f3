# SPDX-License-Identifier: BSD-3-Clause
#
# The CCID specification, case by case, asked of the relay with a T=1 card; USB is bus-*.sh.
#
# Host:    a T=1 card.
# Guest:   ccid-conformance drives the reader through libusb; pcscd is stopped.
# Asserts: every case is ok that such a card allows, and these are many; the daemon that ran before
#          runs after it; no task is stuck, the kernel has not complained.
#
# Limit: 480

relay_start t1
conformance_run 160 --card scripted --case "'[!U]*'"
