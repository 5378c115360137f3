/*
 * The framing of bulk OUT. See framing.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/framing.h"

#include <assert.h>
#include <string.h>

#include "gadget/usb/descriptors.h"

static size_t usb_round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

static size_t usb_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

int usb_framing_init(struct usb_framing *framing, size_t message_max,
	size_t (*missing_of)(const uint8_t *bytes, size_t size))
{
	size_t capacity;

	*framing = USB_FRAMING_NULL;
	framing->message_max = message_max;
	framing->missing_of = missing_of;
	framing->packet_size = USB_HIGH_SPEED_BULK;
	/* Whole packets of the largest size: a read always has room for all that it may bring. */
	capacity = usb_round_up(message_max > 0 ? message_max : 1, USB_HIGH_SPEED_BULK);
	return payload_init(&framing->buffer, capacity);
}

void usb_framing_deinit(struct usb_framing *framing)
{
	payload_deinit(&framing->buffer);
	framing->state = USB_FRAMING_FIRST;
}

void usb_framing_reset(struct usb_framing *framing, size_t packet_size)
{
	assert(packet_size > 0 && USB_HIGH_SPEED_BULK % packet_size == 0);
	/* A read that was cancelled may have left bytes behind the message. */
	payload_wipe(framing->buffer.bytes, framing->buffer.capacity);
	framing->buffer.size = 0;
	framing->packet_size = packet_size;
	framing->missing = 0;
	framing->offset = 0;
	framing->rest = 0;
	framing->state = USB_FRAMING_FIRST;
}

void usb_framing_restart(struct usb_framing *framing, size_t packet_size)
{
	assert(packet_size > 0 && USB_HIGH_SPEED_BULK % packet_size == 0);
	framing->rest = usb_min(framing->missing, USB_READ_MAX);
	framing->offset = framing->buffer.size;
	payload_wipe(framing->buffer.bytes, framing->offset);
	framing->buffer.size = 0;
	framing->packet_size = packet_size;
	framing->missing = 0;
	framing->state = USB_FRAMING_FIRST;
}

bool usb_framing_is_former(const struct usb_framing *framing, size_t size)
{
	return framing->rest > 0 && size == framing->rest;
}

/* What a read brought that was meant to bring the end of another message: to the front. */
static void usb_framing_move(struct usb_framing *framing, size_t size)
{
	uint8_t *bytes = framing->buffer.bytes;

	if (framing->offset == 0)
		return;
	memmove(bytes, bytes + framing->offset, size);
	payload_wipe(bytes + size, framing->offset);
	framing->offset = 0;
}

struct usb_space usb_framing_space(struct usb_framing *framing)
{
	size_t size = framing->packet_size;

	assert(framing->state != USB_FRAMING_COMPLETE);
	if (framing->state != USB_FRAMING_FIRST)
		size = usb_round_up(usb_min(framing->missing, USB_READ_MAX), framing->packet_size);
	framing->asked = usb_min(size, framing->buffer.capacity - framing->buffer.size);
	return (struct usb_space){
		.bytes = framing->buffer.bytes + framing->buffer.size,
		.size = framing->asked,
	};
}

/* So far there were full packets only: its length decides. Returns whether it is complete. */
static bool usb_framing_measure(struct usb_framing *framing)
{
	size_t size = framing->buffer.size;

	framing->missing = framing->missing_of(framing->buffer.bytes, size);
	if (framing->missing > 0 && size < framing->message_max &&
	    framing->missing <= framing->message_max - size) {
		framing->state = USB_FRAMING_REST;
		return false;
	}
	framing->state = USB_FRAMING_COMPLETE;
	return true;
}

bool usb_framing_received(struct usb_framing *framing, size_t size)
{
	bool short_packet = size < framing->asked;

	assert(size <= framing->asked);
	switch (framing->state) {
	case USB_FRAMING_FIRST:
		/* An empty packet ends the message before, if a driver sends such ends. */
		usb_framing_move(framing, size);
		if (size == 0)
			return false;
		framing->buffer.size = size;
		if (!short_packet)
			return usb_framing_measure(framing);
		framing->missing = 0;
		framing->state = USB_FRAMING_COMPLETE;
		return true;
	case USB_FRAMING_REST:
		/* Either all that was missing came, or the driver ended the message before. */
		framing->buffer.size += size;
		if (!short_packet)
			return usb_framing_measure(framing);
		framing->missing = 0;
		framing->state = USB_FRAMING_COMPLETE;
		return true;
	case USB_FRAMING_SKIP:
		/* Nobody wants these bytes. */
		payload_wipe(framing->buffer.bytes, size);
		framing->missing -= usb_min(size, framing->missing);
		if (short_packet || framing->missing == 0)
			framing->state = USB_FRAMING_FIRST;
		return false;
	case USB_FRAMING_COMPLETE:
		break;
	}
	assert(false && "no read is under way while a message waits");
	return false;
}

struct payload_view usb_framing_message(const struct usb_framing *framing)
{
	assert(framing->state == USB_FRAMING_COMPLETE);
	return payload_view(&framing->buffer);
}

void usb_framing_taken(struct usb_framing *framing)
{
	assert(framing->state == USB_FRAMING_COMPLETE);
	payload_clear(&framing->buffer);
	framing->state = framing->missing > 0 ? USB_FRAMING_SKIP : USB_FRAMING_FIRST;
}
