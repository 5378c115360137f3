# SPDX-License-Identifier: BSD-3-Clause
#
# The package, as an administrator installs it in a guest that has never heard of it.
#
# Packages: of this checkout
# Host:    a card, the bridge, the tunnel's end.
# Guest:   Debian 12 with systemd, and a service of its own for the tunnel. apt install, four lines of
#          configuration, systemctl enable --now; an upgrade while a program uses the card; then it is
#          switched off, and boots again from what was on its disk; apt purge.
# Asserts: an installation starts nothing, enables nothing and loads no module; the reader is there after
#          enable --now, and after the boot without a command, before the login prompt, by the clocks of the
#          kernel and systemd; its card answers, counted at the card; the journal tells it in a dozen lines,
#          no warning among them; after an upgrade, which asks nothing, the reader is there again, and the
#          configuration as it was; a start without a bridge ends, too; a purge while it runs leaves no
#          process, no reader, nothing in configfs.
#
# Limit: 400

install_gadget_story
