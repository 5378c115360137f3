# SPDX-License-Identifier: BSD-3-Clause
#
# Both daemons under their own units, in a machine that boots with systemd.
#
# Host:    nothing but the card, whose messages go to a vpcd in the guest.
# Guest:   Debian 12 with systemd; what 'cmake --install' installs; both services enabled; Debian's pcscd,
#          started by its socket, with a vpcd reader. ccid-bridge shows that reader to the "guest" that is
#          this same machine, so that ccid-gadget makes a USB reader of it, for the same pcscd.
# Asserts: after the boot the reader is there, without a command; the bridge's processes and the half of
#          ccid-gadget that talks to them are users of their own without capabilities, with filtered system
#          calls; the other half has two capabilities; APDUs reach the card; each daemon comes back by
#          itself after kill -9, and when it hangs; a stop leaves nothing; the journal tells it.
#
# Limit: 300

systemd_story
