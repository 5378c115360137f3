/*
 * How a message leaves on bulk IN. Sans-I/O: it says which bytes to write next, and is told how
 * many the host took.
 *
 * FunctionFS never marks the end of a transfer by itself. When the length is a multiple of
 * wMaxPacketSize, the host waits for more until an empty packet comes (USB 2.0, 5.8.3); and that
 * one may be written only after the data was taken, because dummy_hcd before 6.1.170 and 6.12.85
 * ended the host's transfer too early when an empty packet waited behind more data than fits into
 * one tick.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/payload.h"

/* Longest single write, bytes, a multiple of every packet size: as for USB_READ_MAX. */
#define USB_WRITE_MAX 32768

struct usb_sending {
	struct payload message;
	size_t packet_size;
	size_t taken;   /* by the host */
	size_t offered; /* in the write that is under way */
	bool active;
};

#define USB_SENDING_NULL ((struct usb_sending){ .active = false })

/* Begins with a copy of the message. None may be under way. Fatal: -ENOMEM. */
int usb_sending_start(struct usb_sending *sending, struct payload_view message, size_t packet_size);

/* What to write next; may be of size 0, which is to be written, too. */
struct payload_view usb_sending_next(struct usb_sending *sending);

/* Whether that ends the message, unless the host takes less of it. */
bool usb_sending_is_last(const struct usb_sending *sending);

/* The host took size bytes of that. Returns whether the message is through. */
bool usb_sending_taken(struct usb_sending *sending, size_t size);

/* Wipes and frees the message; may be called twice. */
void usb_sending_clear(struct usb_sending *sending);
