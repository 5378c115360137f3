# SPDX-License-Identifier: BSD-3-Clause
#
# The host's package, as an administrator installs it on a host that has never heard of it.
#
# Suite:   trixie
# Packages: of this checkout
# Host:    nothing but the card, whose messages go to a vpcd in the guest.
# Guest:   Debian 13 with systemd and polkit, in the part of the host: pcscd, which its socket starts, with
#          a vpcd reader. apt install, systemctl enable --now with the configuration as it comes; an upgrade;
#          then it is switched off, and boots again from what was on its disk; polkit's rule is taken away,
#          and overruled; apt purge. A program that speaks the relay's protocol stands for a guest.
# Asserts: an installation starts nothing, and enables nothing; the bridge shows the reader, and the card
#          answers, counted at the card, after enable --now, after an upgrade that asks nothing, and after the
#          boot without a command; it is the socket that has started pcscd, and not before a guest is there;
#          polkit has refused nothing, though nobody sits at the machine; the journal tells it in a dozen
#          lines, no warning among them; root's doctor finds out that polkit refuses the service, and why; a
#          purge while it runs leaves no process, no socket.
#
# Limit: 400

install_bridge_story
