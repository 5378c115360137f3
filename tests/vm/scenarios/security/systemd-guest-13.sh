# SPDX-License-Identifier: BSD-3-Clause
#
# The same as systemd-guest with the next Debian, whose pcscd is confined, too, and asks polkit.
#
# Suite:   trixie
# Host:    nothing but the card.
# Guest:   Debian 13 with systemd, D-Bus and polkit; the rest as in systemd-guest.
# Asserts: as there, and that it is the rule for polkit that lets the bridge in: without it, pcscd refuses.
#
# Limit: 300

systemd_story

echo "without the rule"
guest_try 'rm /usr/local/share/polkit-1/rules.d/ccid-bridge.rules
	systemctl restart polkit
	systemctl start ccid-bridge ccid-gadget'
wait_for 30 "pcscd refuses" guest_try 'journalctl -b -u pcscd | grep -q "NOT authorized"'
