/*
 * Where a message on bulk OUT ends. Sans-I/O: told how many bytes each read brought, it says where
 * the next read has to put its bytes and how many it may take.
 *
 * USB has a mark for the end of a transfer, a packet shorter than wMaxPacketSize. libccid and
 * scdaemon send none after a multiple of it, so a read for "everything" would wait for ever; and a
 * read for less than a packet loses the rest of the packet (f_fs.c: EOVERFLOW). So: one packet
 * first, then what the message's own length says is missing, in whole packets. A short packet,
 * empty or not, still ends a message early, and the next packet begins a new one: that is how the
 * two sides get in step again after a driver died half-way.
 *
 * A message larger than it may be is handed over as far as the first read got (whoever knows the
 * protocol will refuse it by its header), and the rest of it is read and forgotten.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"

/* Longest single read, bytes: the kernel needs it in one piece of its memory. */
#define USB_READ_MAX 32768

enum usb_framing_state {
	USB_FRAMING_FIRST,    /* waiting for the first packet of a message */
	USB_FRAMING_REST,     /* the message says that it is longer */
	USB_FRAMING_COMPLETE, /* a message waits to be taken */
	USB_FRAMING_SKIP,     /* the rest of a message that was too large goes by */
};

struct usb_framing {
	enum usb_framing_state state;
	struct payload buffer;
	size_t packet_size;
	size_t message_max;
	size_t missing;   /* bytes that are still to come */
	size_t asked;     /* by the read that is under way */
	size_t offset;    /* where it puts them, if not where a message begins */
	size_t rest;      /* what it would bring of the message before the restart */
	size_t (*missing_of)(const uint8_t *bytes, size_t size);
};

#define USB_FRAMING_NULL ((struct usb_framing){ .state = USB_FRAMING_FIRST })

/* Where the next read puts its bytes. */
struct usb_space {
	uint8_t *bytes;
	size_t size;
};

/* message_max and missing_of are those of struct usb_settings. Fatal: -ENOMEM. */
int usb_framing_init(struct usb_framing *framing, size_t message_max,
	size_t (*missing_of)(const uint8_t *bytes, size_t size));

/* Wipes and frees; may be called twice. */
void usb_framing_deinit(struct usb_framing *framing);

/* Forgets everything: a new driver is there. packet_size is wMaxPacketSize, at most 512. */
void usb_framing_reset(struct usb_framing *framing, size_t packet_size);

/*
 * The same, but the read that is under way goes on: what it brings is the beginning of a message,
 * though its place in the buffer is that of another one's end.
 */
void usb_framing_restart(struct usb_framing *framing, size_t packet_size);

/*
 * Whether size bytes, which that read brought, are the end of the message before the restart: all
 * that it lacked. (They would also be if a new driver's first message were just as long: that one is
 * lost.)
 */
bool usb_framing_is_former(const struct usb_framing *framing, size_t size);

/* Where the next read goes. Not while a message waits to be taken. */
struct usb_space usb_framing_space(struct usb_framing *framing);

/* size bytes were read into that space. Returns whether a message is complete. */
bool usb_framing_received(struct usb_framing *framing, size_t size);

/* The complete message; valid until usb_framing_taken(). */
struct payload_view usb_framing_message(const struct usb_framing *framing);

/* Wipes the message; the next may come. */
void usb_framing_taken(struct usb_framing *framing);
