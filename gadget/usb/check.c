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

int usb_check(void)
{
	int r = usb_preflight();
	glob_t found;

	if (r != 0)
		return r;
	r = glob(DUMMY_UDCS, GLOB_NOSORT, NULL, &found) == 0 ? 0 : USB_NO_UDC;
	globfree(&found);
	return r;
}
