/*
 * For how many bytes the host is asking on bulk or interrupt IN at this very moment.
 *
 * A device on a real bus never learns that. dummy_hcd shows it in sysfs: the file "urbs" of the
 * controller has a line for each transfer that the host's driver waits for, such as
 * "urb/000000006d6bb1f6 hs ep1in-bulk len 0/65556" (dummy_hcd.c, show_urb()).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

struct usb_demand {
	int urbs; /* -1: this controller doesn't tell */
};

#define USB_DEMAND_NULL ((struct usb_demand){ .urbs = -1 })

/* Opens the file of this UDC, "dummy_udc.0". With another kind of UDC nothing is known. */
void usb_demand_open(struct usb_demand *demand, const char *udc);

enum usb_demand_type {
	USB_DEMAND_BULK,
	USB_DEMAND_INTERRUPT,
};

#define USB_DEMAND_UNKNOWN SIZE_MAX

/*
 * For how many bytes the host asks there, in the transfer that is served first. 0: it doesn't ask;
 * USB_DEMAND_UNKNOWN: nobody can tell.
 */
size_t usb_demand_size(const struct usb_demand *demand, enum usb_demand_type type);

/* The same of this content of the file, zero-terminated. */
size_t usb_demand_in(const char *text, enum usb_demand_type type);

/* May be called twice. */
void usb_demand_deinit(struct usb_demand *demand);
