# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# All that a scenario has at its hands. To be read after common.sh.

. "$TOP/tests/vm/lib/process.sh"
. "$TOP/tests/vm/lib/assert.sh"
. "$TOP/tests/vm/lib/host.sh"
. "$TOP/tests/vm/lib/card.sh"
. "$TOP/tests/vm/lib/uml.sh"
. "$TOP/tests/vm/lib/guest.sh"
. "$TOP/tests/vm/lib/guest-programs.sh"
. "$TOP/tests/vm/lib/relay.sh"
. "$TOP/tests/vm/lib/sequences.sh"
. "$TOP/tests/vm/lib/link.sh"
. "$TOP/tests/vm/lib/verify.sh"
. "$TOP/tests/vm/lib/rows.sh"
. "$TOP/tests/vm/lib/gnupg.sh"
. "$TOP/tests/vm/lib/usbmon.sh"
. "$TOP/tests/vm/lib/pinpad.sh"
. "$TOP/tests/vm/lib/conformance.sh"
. "$TOP/tests/vm/lib/control.sh"
. "$TOP/tests/vm/lib/attacks.sh"
. "$TOP/tests/vm/lib/two-guests.sh"
. "$TOP/tests/vm/lib/systemd.sh"
. "$TOP/tests/vm/lib/packages.sh"
. "$TOP/tests/vm/lib/install.sh"
. "$TOP/tests/vm/lib/secrets.sh"
. "$TOP/tests/vm/lib/trace.sh"
