/*
 * What the daemon and its maker (maker.h) say to each other: a request, an answer, in turn. Pure
 * functions: structs in, bytes out, and back.
 *
 * Every request has the same size, and every answer. The maker is root and the daemon may have been
 * taken over, so whatever could be more than a smart-card reader on a virtual port is malformed: a
 * controller that is no dummy, an interface of another class (a keyboard could type as root), a name
 * that leaves its folder, a byte behind the end of a string.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "gadget/usb/usb.h"

enum usb_maker_type {
	USB_MAKER_MAKE = 1,   /* the gadget, not bound yet; the answer brings its files */
	USB_MAKER_BIND = 2,   /* it to its UDC; the answer brings the UDC's name */
	USB_MAKER_UNBIND = 3, /* it */
	USB_MAKER_REMOVE = 4, /* it, from configfs */
};

struct usb_maker_request {
	enum usb_maker_type type;
	/* message_max and missing stay at home. Of all types but MAKE only the name is looked at. */
	struct usb_settings settings;
};

struct usb_maker_answer {
	int result;   /* as that of the function that the request stands for */
	char udc[64]; /* to BIND */
};

enum {
	USB_MAKER_MALFORMED = 1,
};

#define USB_MAKER_REQUEST_SIZE (1 + (USB_NAME_MAX + 1) + 64 + 6 + 4 * (USB_STRING_MAX + 1) + 3 + \
	USB_CLASS_DESCRIPTOR_MAX + 1 + 1 + 4 + 4)
#define USB_MAKER_ANSWER_SIZE (4 + 64)

/* Into bytes, of USB_MAKER_REQUEST_SIZE. */
void usb_maker_request_encode(const struct usb_maker_request *request, uint8_t *bytes);

/* Returns 0 or USB_MAKER_MALFORMED. */
int usb_maker_request_decode(struct payload_view bytes, struct usb_maker_request *request);

/* Into bytes, of USB_MAKER_ANSWER_SIZE. */
void usb_maker_answer_encode(const struct usb_maker_answer *answer, uint8_t *bytes);

/* Returns 0 or USB_MAKER_MALFORMED. */
int usb_maker_answer_decode(struct payload_view bytes, struct usb_maker_answer *answer);
