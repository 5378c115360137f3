/*
 * What an administrator reads when the device can't be made: one line that names what is missing
 * and what to type. See usb.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/usb.h"

/* Debian's cloud kernels have no USB at all. */
#define NO_MODULE "if that is not found, as on cloud kernels: install linux-image-amd64 and boot it"

const char *usb_outcome_text(enum usb_outcome outcome)
{
	switch (outcome) {
	case USB_NOT_ROOT:
		return "making a USB device needs root's rights: start ccid-gadget as root";
	case USB_NO_CONFIGFS:
		return "configfs is not mounted: type 'mount -t configfs none /sys/kernel/config'";
	case USB_NO_GADGETS:
		return "this kernel makes no USB gadgets: type 'modprobe libcomposite' (" NO_MODULE ")";
	case USB_NO_FUNCTIONFS:
		return "this kernel has no FunctionFS: type 'modprobe usb_f_fs' (" NO_MODULE ")";
	case USB_NO_UDC:
		return "there is no such virtual USB port: type 'modprobe dummy_hcd' (" NO_MODULE ")";
	case USB_UDC_BUSY:
		return "every virtual USB port is in use: dummy_hcd makes one for each reader by the "
		       "line 'options dummy_hcd num=4' in a file in /etc/modprobe.d (32 at most)";
	case USB_FOREIGN_GADGET:
		return "libusbgx can't read another program's gadget: remove that one from "
		       "/sys/kernel/config/usb_gadget";
	case USB_NAME_TAKEN:
		return "a gadget of this name is in use by another program: stop that one, or choose "
		       "another name";
	case USB_SEND_BUSY:
		return "the previous message is not taken yet";
	case USB_NOT_ENABLED:
		return "no USB host is listening";
	}
	return "unknown outcome";
}
