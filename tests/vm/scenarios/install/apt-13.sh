# SPDX-License-Identifier: BSD-3-Clause
#
# The same as apt-12 with the next Debian, and with the packages that are built by it.
#
# Suite:   trixie
# Packages: of this checkout
# Host:    a card, the bridge, the tunnel's end.
# Guest:   Debian 13 with systemd; the rest as in apt-12.
# Asserts: that this release's lintian has nothing to say of its packages; the rest as in apt-12.
#
# Limit: 500

assert "lintian has looked" [ -e "$(packages_of trixie)/lintian.log" ]
assert_equal "lintian" "" "$(cat "$(packages_of trixie)/lintian.log")"
install_gadget_story
