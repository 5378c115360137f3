# SPDX-License-Identifier: BSD-3-Clause
#
# What the CCID specification says of commands, asked with a card of both protocols.
#
# Host:    a card that offers T=0 and T=1.
# Guest:   ccid-conformance drives the reader through libusb; pcscd is stopped.
# Asserts: every case is ok that such a card allows, and these are many; the daemon that ran before
#          runs after it; no task is stuck, the kernel has not complained.
#
# Limit: 480

relay_start dual
conformance_run 100 --card scripted --case "'6.1*'"
