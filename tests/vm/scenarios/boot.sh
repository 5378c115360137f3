# SPDX-License-Identifier: BSD-3-Clause
#
# The ground that all other scenarios stand on.
#
# Host:    pcscd with the vpcd driver, no card, no bridge.
# Guest:   boots; loads dummy_hcd; makes a FunctionFS mount; starts pcscd without a reader.
# Asserts: Debian's stock kernel and package versions; a dummy UDC; FunctionFS gives an ep0; the
#          guest's pcscd answers; both pcscds have no more readers than they should.

host_pcscd_start
guest_boot

assert_contains "stock kernel" "6.1.0-" "$(guest 'uname -r')"
assert_contains "pcscd of Debian 12" "version 1.9.9" "$(guest 'pcscd --version')"
assert_contains "libccid of Debian 12" "1.5.2" "$(guest 'dpkg-query -W libccid')"

guest_load_usb 2
assert_equal "UDCs" "dummy_udc.0 dummy_udc.1" "$(guest 'echo $(ls /sys/class/udc)')"
assert_fails "no CCID reader on the bus yet" guest_has_usb_reader

guest_try '
	modprobe libcomposite
	mkdir -p /sys/kernel/config/usb_gadget/g/functions/ffs.boot /tmp/ffs
	mount -t functionfs boot /tmp/ffs'
assert_equal "FunctionFS" "ep0" "$(guest 'ls /tmp/ffs')"
guest_try 'umount /tmp/ffs; rmdir /sys/kernel/config/usb_gadget/g/functions/ffs.boot'

guest_pcscd_start
assert_equal "readers in the guest" "" "$(guest_readers)"
assert "pcscd stays" guest_runs pcscd
assert_equal "pcscd's exit status" "0" "$(guest_stop_program pcscd)"

assert_no_stuck_task
assert_kernel_quiet
