/*
 * The check at the start of the daemon: what is missing is said before anything is waited for.
 *
 * Whether a dummy UDC is free is not asked here: the one that a dead process of ours left a gadget
 * on becomes free when the device is made.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <glob.h>

#include "gadget/usb/preflight.h"
#include "gadget/usb/usb.h"

#define DUMMY_UDCS "/sys/class/udc/dummy_udc.*"

size_t usb_ports(void)
{
	size_t ports = 0;
	glob_t found;

	if (glob(DUMMY_UDCS, GLOB_NOSORT, NULL, &found) == 0)
		ports = found.gl_pathc;
	globfree(&found);
	return ports;
}

int usb_check(void)
{
	int r = usb_preflight();

	if (r != 0)
		return r;
	return usb_ports() > 0 ? 0 : USB_NO_UDC;
}
