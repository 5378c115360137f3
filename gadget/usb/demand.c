/*
 * dummy_hcd's list of the host's transfers. See demand.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/demand.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USB_DUMMY_UDC "dummy_udc."
#define USB_SYSFS_PAGE 4096 /* bytes of the longest file in sysfs */

void usb_demand_open(struct usb_demand *demand, const char *udc)
{
	char path[128];

	*demand = USB_DEMAND_NULL;
	if (strncmp(udc, USB_DUMMY_UDC, strlen(USB_DUMMY_UDC)) != 0)
		return;
	(void)snprintf(path, sizeof(path), "/sys/devices/platform/dummy_hcd.%s/urbs",
		udc + strlen(USB_DUMMY_UDC));
	demand->urbs = open(path, O_RDONLY | O_CLOEXEC);
}

bool usb_demand_in(const char *text, size_t size, enum usb_demand_type type)
{
	const char *in = type == USB_DEMAND_BULK ? "in-bulk " : "in-int ";

	return memmem(text, size, in, strlen(in)) != NULL;
}

bool usb_demand_is_there(const struct usb_demand *demand, enum usb_demand_type type)
{
	char text[USB_SYSFS_PAGE];
	ssize_t n;

	if (demand->urbs < 0)
		return true;
	/* From its beginning: that makes the text anew. It fails once the UDC is gone. */
	n = pread(demand->urbs, text, sizeof(text), 0);
	return n < 0 || usb_demand_in(text, (size_t)n, type);
}

void usb_demand_deinit(struct usb_demand *demand)
{
	if (demand->urbs >= 0)
		(void)close(demand->urbs);
	*demand = USB_DEMAND_NULL;
}
