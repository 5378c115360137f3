/*
 * The writes of one message on bulk IN. See sending.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/sending.h"

#include <assert.h>

int usb_sending_start(struct usb_sending *sending, struct payload_view message, size_t packet_size)
{
	int r;

	assert(!sending->active && packet_size > 0);
	*sending = USB_SENDING_NULL;
	r = payload_init(&sending->message, message.size);
	if (r < 0)
		return r;
	(void)payload_set(&sending->message, message); /* fits: the capacity is its size */
	sending->packet_size = packet_size;
	sending->active = true;
	return 0;
}

struct payload_view usb_sending_next(struct usb_sending *sending)
{
	size_t left = sending->message.size - sending->taken;

	assert(sending->active);
	sending->offered = left < USB_WRITE_MAX ? left : USB_WRITE_MAX;
	return (struct payload_view){
		.bytes = sending->message.bytes + sending->taken,
		.size = sending->offered,
	};
}

bool usb_sending_is_last(const struct usb_sending *sending)
{
	assert(sending->active);
	return sending->offered == 0 ||
		(sending->taken + sending->offered == sending->message.size &&
			sending->offered % sending->packet_size != 0);
}

bool usb_sending_taken(struct usb_sending *sending, size_t size)
{
	assert(sending->active && size <= sending->offered);
	/* The host's buffer was smaller; the controller has thrown the rest away. */
	if (size < sending->offered)
		return true;
	/* The empty packet was the end. */
	if (size == 0)
		return true;
	sending->taken += size;
	return sending->taken == sending->message.size &&
		sending->taken % sending->packet_size != 0;
}

void usb_sending_clear(struct usb_sending *sending)
{
	payload_deinit(&sending->message);
	*sending = USB_SENDING_NULL;
}
