# SPDX-License-Identifier: BSD-3-Clause
#
# Whatever the gadget needs is missing, one thing at a time.
#
# Host:    a card, the bridge.
# Guest:   ccid-gadget is started without dummy_hcd, without root, without configfs, without
#          libcomposite and FunctionFS, with a busy controller, with a pattern that matches nothing.
# Asserts: one line says each time what is missing and what to do, with exit status 1 where waiting
#          would not help; it goes on by itself where it does.

host_start t1
guest_boot
guest_tunnel_start
guest_gadget_config

# gadget_fails NAME TEXT: it ends with status 1 and has said TEXT in one line
gadget_fails()
{
	guest_start "$1" "${3:-}/build/gadget/ccid-gadget -c /results/gadget.conf"
	assert_equal "$1: exit status" 1 "$(guest_end "$1")"
	assert_contains "$1" "$2" "$(cat "$RESULTS/guest-$1.log")"
	assert_equal "$1: one line" 1 "$(grep -c ccid-gadget: "$RESULTS/guest-$1.log")"
}

gadget_fails no-dummy-hcd "modprobe dummy_hcd"
guest_try 'modprobe dummy_hcd'
gadget_fails no-root "root" "setpriv --reuid 65534 --clear-groups "

guest_try 'modprobe -r usb_f_fs libcomposite; umount /sys/kernel/config'
gadget_fails no-configfs "configfs"
guest_try 'mount -t configfs none /sys/kernel/config'

guest_try 'mkdir -p /tmp/hidden; modprobe -r usb_f_fs libcomposite
	for m in usb_f_fs libcomposite; do
		find /lib/modules -name "$m.ko*" -exec mount --bind /dev/null {} \;
	done'
gadget_fails no-libcomposite "libcomposite"
guest_try 'for m in usb_f_fs libcomposite; do
		find /lib/modules -name "$m.ko*" -exec umount {} \;
	done'

echo "a busy controller"
guest_try 'modprobe libcomposite; modprobe usb_f_acm
	cd /sys/kernel/config/usb_gadget; mkdir -p other/functions/acm.x other/configs/c.1
	ln -s other/functions/acm.x other/configs/c.1; ls /sys/class/udc >other/UDC'
guest_gadget_start_only
wait_for 15 "its word on the busy controller" log_has guest-gadget "num="
guest_try 'cd /sys/kernel/config/usb_gadget; echo >other/UDC'
wait_for 15 "the reader, once the controller is free" guest_has_usb_reader
assert_equal "exit status" 0 "$(guest_stop_program gadget)"

echo "an unknown reader"
guest_gadget_config 'reader "Nonesuch*" {}'
guest_start unknown "/build/gadget/ccid-gadget -c /results/gadget.conf"
wait_for 15 "its word on the unknown reader" log_has guest-unknown '"Nonesuch*" matches none'
assert_contains "the names that there are" "Virtual PCD" "$(grep Nonesuch "$RESULTS/guest-unknown.log")"
assert "it waits" guest_runs unknown
assert_equal "exit status" 0 "$(guest_stop_program unknown)"
assert_kernel_quiet
