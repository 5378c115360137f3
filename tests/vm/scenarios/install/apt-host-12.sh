# SPDX-License-Identifier: BSD-3-Clause
#
# The same as apt-host-13 with Debian 12, whose pcscd asks no polkit.
#
# Packages: of this checkout
# Host:    nothing but the card, whose messages go to a vpcd in the guest.
# Guest:   Debian 12 with systemd; the rest as in apt-host-13.
# Asserts: as apt-host-13, but for polkit.
#
# Limit: 400

install_bridge_story
