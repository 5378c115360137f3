/*
 * What is said of a device that can't be made. See plug_problem.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/plug_problem.h"

#include <stdio.h>
#include <string.h>

#include "gadget/usb/usb.h"

/* Ports are made when dummy_hcd is loaded, and by its parameter only. */
static void no_port_text(char *text, size_t size, const char *udc, size_t readers, size_t ports)
{
	size_t wanted = readers > ports ? readers : ports + 1;

	if (udc[0] != '\0')
		(void)snprintf(text, size, "the virtual USB port %s is in use; waiting for it", udc);
	else if (wanted > USB_PORTS_MAX)
		(void)snprintf(text, size, "every virtual USB port is in use, and dummy_hcd can't "
			"make more than %d; waiting for one", USB_PORTS_MAX);
	else
		(void)snprintf(text, size, "every virtual USB port is in use; waiting for one. For "
			"more of them put the line 'options dummy_hcd num=%zu' (%d at most) into "
			"/etc/modprobe.d/dummy_hcd.conf, and type 'rmmod dummy_hcd' and 'modprobe "
			"dummy_hcd'", wanted, USB_PORTS_MAX);
}

void plug_problem_text(char *text, size_t size, int outcome, const char *udc, size_t readers,
	size_t ports)
{
	if (outcome < 0)
		(void)snprintf(text, size, "the USB device can't be made: %s", strerror(-outcome));
	else if (outcome == USB_UDC_BUSY)
		no_port_text(text, size, udc, readers, ports);
	else
		(void)snprintf(text, size, "%s", usb_outcome_text((enum usb_outcome)outcome));
}
