/*
 * The bulk and interrupt endpoints: what is under way on each, and what becomes of it when the host
 * configures the device, lets go of it, or does both before we look.
 *
 * On OUT a read is always armed while the device is enabled; libccid's writes time out after 5 s. On IN
 * there is one message at a time, on the interrupt endpoint one notification.
 *
 * An enable is a state, not an edge: the disable before it may never be seen. So it abandons whatever
 * is under way, waits until the kernel has given all of it back (SETTLING), and only then begins anew.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "gadget/usb/framing.h"
#include "gadget/usb/sending.h"
#include "gadget/usb/transfer.h"
#include "gadget/usb/usb.h"

enum usb_endpoints_state {
	USB_ENDPOINTS_DOWN,     /* no host */
	USB_ENDPOINTS_SETTLING, /* a host is there; what belonged to the one before comes back */
	USB_ENDPOINTS_UP,       /* enabled() was called, and disabled() not yet */
};

struct usb_endpoints {
	enum usb_endpoints_state state;
	bool closed; /* the device was closed; no callback may come */
	const struct usb_callbacks *callbacks;
	void *owner;
	io_context_t context;
	int bell; /* borrowed; rung for each completion */
	size_t packet_size;
	struct usb_framing framing;
	struct usb_sending sending;
	struct usb_transfer out;
	struct usb_transfer in;
	struct usb_transfer notify; /* its file is -1 when there is no interrupt endpoint */
};

#define USB_ENDPOINTS_NULL ((struct usb_endpoints){ \
	.state = USB_ENDPOINTS_DOWN, \
	.bell = -1, \
	.framing = USB_FRAMING_NULL, \
	.sending = USB_SENDING_NULL, \
	.out = USB_TRANSFER_NULL, \
	.in = USB_TRANSFER_NULL, \
	.notify = USB_TRANSFER_NULL, \
})

/* Makes what needs no file yet. Fatal: -errno. After that, usb_endpoints_deinit() is due. */
int usb_endpoints_init(struct usb_endpoints *endpoints, const struct usb_settings *settings, int bell,
	const struct usb_callbacks *callbacks, void *owner);

/* Opens the files in the mount, which appear there once ep0 has got descriptors and strings. */
int usb_endpoints_open(struct usb_endpoints *endpoints, const struct usb_settings *settings, int mount);

/* The host has configured the device. enabled() follows as soon as everything has settled. */
void usb_endpoints_enable(struct usb_endpoints *endpoints);

/* The host has let go. Calls disabled() if enabled() was called. */
void usb_endpoints_disable(struct usb_endpoints *endpoints);

/*
 * Gets from the kernel what is through. Nothing is done with it before usb_endpoints_dispatch(): the
 * caller looks at ep0 in between, because what happened there before comes first.
 */
int usb_endpoints_harvest(struct usb_endpoints *endpoints);

/* Goes on with what is through; calls back. Fatal: -errno. */
int usb_endpoints_dispatch(struct usb_endpoints *endpoints);

/* As usb_send(), usb_cancel_send() and usb_notify(). */
int usb_endpoints_send(struct usb_endpoints *endpoints, struct payload_view message);
void usb_endpoints_cancel_send(struct usb_endpoints *endpoints);
int usb_endpoints_notify(struct usb_endpoints *endpoints, const uint8_t *bytes, size_t size);

/* Ends everything, closes and wipes; the gadget must be unbound. May be called twice. */
void usb_endpoints_deinit(struct usb_endpoints *endpoints);
