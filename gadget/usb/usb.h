/*
 * One USB device of our own: a gadget on a dummy UDC, with one FunctionFS interface that has a bulk
 * OUT, a bulk IN and, if wanted, an interrupt IN endpoint.
 *
 * This part knows the kernel and nothing of cards: what it carries are messages, whose length an
 * opaque framing function tells, and a class descriptor that it was given. All calls and all
 * callbacks happen on the thread of the loop.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/payload.h"

#define USB_NAME_MAX 35      /* bytes of a FunctionFS instance name, without the terminating zero */
#define USB_STRING_MAX 126   /* characters of a USB string descriptor */
#define USB_CLASS_DESCRIPTOR_MAX 64
#define USB_PORTS_MAX 32         /* dummy_hcd.c: MAX_NUM_UDC */
#define USB_NOTIFICATION_MAX 8  /* bytes, and wMaxPacketSize of the interrupt endpoint */

struct usb_identity {
	uint16_t idVendor;
	uint16_t idProduct;
	uint16_t bcdDevice;
	char manufacturer[USB_STRING_MAX + 1];
	char product[USB_STRING_MAX + 1];
	char serial[USB_STRING_MAX + 1];
	char interface[USB_STRING_MAX + 1]; /* iInterface */
};

struct usb_settings {
	char name[USB_NAME_MAX + 1]; /* of the gadget in configfs and of the FunctionFS instance */
	char udc[64];                /* "dummy_udc.0"; empty: any dummy UDC that is free */
	unsigned int preferred_udc;  /* the number of the first that is tried, so that ports don't change */
	uint32_t reserved_udcs;      /* those that are for others: bit n is dummy_udc.n */
	struct usb_identity identity;
	uint8_t bInterfaceClass;
	uint8_t bInterfaceSubClass;
	uint8_t bInterfaceProtocol;
	/* Goes between the interface and the endpoint descriptors, unread. */
	uint8_t class_descriptor[USB_CLASS_DESCRIPTOR_MAX];
	size_t class_descriptor_size;
	bool interrupt;              /* with an interrupt endpoint */
	size_t message_max;          /* largest message on bulk OUT, bytes */
	/*
	 * Framing of bulk OUT: how many more bytes belong to the message whose first size bytes
	 * (one packet at least, unless the host sent less) are these. 0: it is complete, or broken
	 * and to be handed over as it is.
	 */
	size_t (*missing)(const uint8_t *bytes, size_t size);
};

/* A class request to the interface; USB 2.0, 9.3. */
struct usb_request {
	uint8_t bmRequestType;
	uint8_t bRequest;
	uint16_t wValue;
	uint16_t wIndex;
	uint16_t wLength;
};

#define USB_CONTROL_MAX 256 /* bytes of an answer to a class request */

struct usb_callbacks {
	/*
	 * The host has configured the device: a new driver may be there. Whatever was queued is
	 * gone. packet_size is the bulk endpoints' wMaxPacketSize at the speed in use.
	 */
	void (*enabled)(void *owner, size_t packet_size);
	/* The host has let go of the device; whatever was queued is gone. Never without enabled(). */
	void (*disabled)(void *owner);
	/* A message came from bulk OUT. The bytes are the callee's until it returns. */
	void (*message)(void *owner, struct payload_view message);
	/* The message on bulk IN was taken, or nobody wanted it for ten seconds: send the next. */
	void (*sent)(void *owner);
	/*
	 * A class request came that brings no data (one that does is stalled unasked). Returns the
	 * number of bytes put into answer (at most USB_CONTROL_MAX, and cut to wLength by the
	 * caller), 0 to acknowledge a request without data, negative to stall.
	 */
	int (*control)(void *owner, const struct usb_request *request, uint8_t *answer);
	/*
	 * The device is gone for good, because its UDC was taken away or its transfers fail: only
	 * usb_close() is left to do. Comes once, after disabled() if that was due.
	 */
	void (*gone)(void *owner);
};

enum usb_outcome {
	USB_NOT_ROOT = 1,       /* the process may not make gadgets */
	USB_NO_CONFIGFS = 2,    /* configfs is not mounted */
	USB_NO_GADGETS = 3,     /* libcomposite is not loaded and does not load by itself */
	USB_NO_FUNCTIONFS = 4,  /* the kernel has no FunctionFS */
	USB_NO_UDC = 5,         /* no dummy UDC (dummy_hcd is not loaded), or not that one */
	USB_UDC_BUSY = 6,       /* every dummy UDC (or the one asked for) has a gadget */
	USB_FOREIGN_GADGET = 7, /* a gadget that is not ours, of a type libusbgx can't read */
	USB_NAME_TAKEN = 8,     /* a gadget of this name is in use by another process that lives */
	USB_SEND_BUSY = 9,      /* the previous message is not taken yet */
	USB_NOT_ENABLED = 10,   /* no host is listening */
};

/*
 * What to tell the administrator about an outcome: what is missing, and what to type. One line.
 */
const char *usb_outcome_text(enum usb_outcome outcome);

/*
 * Whether a device could be made at all: rights, configfs, libcomposite, a dummy UDC. Makes the
 * kernel load libcomposite and FunctionFS. To be called once at the start, before anything is waited
 * for. Returns 0 or one of the outcomes; fatal: -errno.
 */
int usb_check(void);

/* How many dummy UDCs there are, in use or not. */
size_t usb_ports(void);

struct usb_device;
struct usb_maker;

/*
 * Makes the device and plugs it in. A gadget of the same name that a dead process left behind is
 * removed first, which may take up to a second. Returns 0 or one of the outcomes up to
 * USB_NAME_TAKEN; fatal: -errno. *device is NULL unless the result is 0.
 *
 * The maker does what only root may (maker.h); it and callbacks must outlive the device, settings need not. Callbacks may come as soon as the loop runs.
 * SIGRTMIN gets a handler that does nothing: it wakes a thread that answers a class request.
 */
int usb_open(struct usb_device **device, uv_loop_t *loop, struct usb_maker *maker,
	const struct usb_settings *settings, const struct usb_callbacks *callbacks, void *owner);

/*
 * Unplugs and removes the device, in the order that does not deadlock the kernel. No callback comes
 * any more; it may be called from within one. The memory is freed when the loop runs next. Returns
 * NULL; may be called with NULL.
 */
struct usb_device *usb_close(struct usb_device *device);

/* The UDC that the device is plugged into, "dummy_udc.0"; valid as long as the device. */
const char *usb_udc(const struct usb_device *device);

/* Whether a driver has the device, as far as that can be known; see claim.h. */
bool usb_is_claimed(const struct usb_device *device);

/*
 * For how many bytes the host asks on bulk IN at this moment, in the transfer that is served first. 0: it
 * doesn't ask, or nobody can tell; see demand.h.
 */
size_t usb_asked(const struct usb_device *device);

/*
 * Sends a message on bulk IN as soon as the host asks for one, in a transfer for at least so many bytes
 * as it needs; 0: any will do. The bytes are copied. One at a time: sent() says when the next may
 * follow. Returns 0, USB_SEND_BUSY or USB_NOT_ENABLED; fatal: -errno.
 */
int usb_send(struct usb_device *device, struct payload_view message, size_t needs);

/*
 * Takes back a message that the host has not begun to read; sent() does not come for it, and
 * usb_send() may follow at once. May be called when there is none.
 */
void usb_cancel_send(struct usb_device *device);

/*
 * Sends a notification on interrupt IN, at most USB_NOTIFICATION_MAX bytes, as soon as the host asks
 * for one, and in the place of one that it has not asked for yet. Returns 0, or USB_NOT_ENABLED (also when there is no such endpoint); fatal: -errno.
 */
int usb_notify(struct usb_device *device, const uint8_t *bytes, size_t size);
