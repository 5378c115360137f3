/*
 * The driver of the device, as sysfs tells. See claim.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/claim.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USB_DUMMY_UDC "dummy_udc."

/* "driver" is a link while there is one; where it leads to is not asked. */
static bool usb_claim_of(const char *interface)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/driver", interface);
	return access(path, F_OK) == 0;
}

bool usb_claim_is_there(const char *devices, const char *udc)
{
	char pattern[256];
	bool claimed = false;
	glob_t found;

	if (strncmp(udc, USB_DUMMY_UDC, strlen(USB_DUMMY_UDC)) != 0)
		return true;
	/* The hub of a dummy controller has one port; configuration 1, interface 0. */
	(void)snprintf(pattern, sizeof(pattern), "%s/dummy_hcd.%s/usb*/*-1/*-1:1.0", devices,
		udc + strlen(USB_DUMMY_UDC));
	if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return true;
	for (size_t i = 0; i < found.gl_pathc; i++)
		claimed = claimed || usb_claim_of(found.gl_pathv[i]);
	globfree(&found);
	return claimed;
}
