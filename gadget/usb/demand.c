/*
 * dummy_hcd's list of the host's transfers. See demand.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/demand.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

size_t usb_demand_in(const char *text, enum usb_demand_type type)
{
	const char *line = strstr(text, type == USB_DEMAND_BULK ? "in-bulk " : "in-int ");
	const char *size;
	char *end;
	unsigned long n;

	if (line == NULL)
		return 0;
	/* "len 0/65556": what has come, and what it is for. Not sscanf(), which takes longer than the rest. */
	size = strchr(line, '/');
	if (size == NULL)
		return USB_DEMAND_UNKNOWN;
	n = strtoul(size + 1, &end, 10);
	return end != size + 1 ? n : USB_DEMAND_UNKNOWN;
}

size_t usb_demand_size(const struct usb_demand *demand, enum usb_demand_type type)
{
	char text[USB_SYSFS_PAGE + 1];
	ssize_t n;

	if (demand->urbs < 0)
		return USB_DEMAND_UNKNOWN;
	/* From its beginning: that makes the text anew. It fails once the UDC is gone. */
	n = pread(demand->urbs, text, sizeof(text) - 1, 0);
	if (n < 0)
		return USB_DEMAND_UNKNOWN;
	text[n] = '\0';
	return usb_demand_in(text, type);
}

void usb_demand_deinit(struct usb_demand *demand)
{
	if (demand->urbs >= 0)
		(void)close(demand->urbs);
	*demand = USB_DEMAND_NULL;
}
