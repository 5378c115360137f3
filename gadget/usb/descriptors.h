/*
 * What FunctionFS is told about the interface: two blobs, written to ep0 in this order before the
 * gadget is bound. Pure functions: settings in, bytes out.
 *
 * The layout is that of linux/usb/functionfs.h; the descriptors are those of USB 2.0, 9.6.5 and
 * 9.6.6.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "base/cursor.h"
#include "gadget/usb/usb.h"

#define USB_DESCRIPTORS_MAX 256 /* enough for both blobs */

#define USB_FULL_SPEED_BULK 64  /* wMaxPacketSize; USB 2.0, 5.8.3 */
#define USB_HIGH_SPEED_BULK 512

/*
 * Writes the descriptor blob: a full-speed and a high-speed set, each with the interface, its class
 * descriptor, bulk OUT, bulk IN and, if wanted, interrupt IN. In this order, because drivers take
 * the class descriptor from between the interface and its endpoints, and because the kernel may
 * give an interrupt endpoint a place that the bulk ones need when it comes first.
 *
 * eventfd is signalled by the kernel for each event on ep0.
 */
void usb_descriptors_write(struct cursor_out *out, const struct usb_settings *settings,
	int eventfd);

/* Writes the string blob: iInterface in US English, or none when the name is empty. */
void usb_strings_write(struct cursor_out *out, const struct usb_settings *settings);
