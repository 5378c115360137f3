/*
 * The bulk and interrupt endpoints: what is under way on each, and what becomes of it when the host
 * configures the device, lets go of it, or does both before we look.
 *
 * On OUT a read is always armed while the device is enabled; libccid's writes time out after 5 s.
 * On IN there is one message at a time, on the interrupt endpoint one notification, in the place of
 * which a newer one steps. Either is written once the host asks for it; see offer.h.
 *
 * An enable is a state, not an edge: the disable before it may never be seen. So it abandons
 * whatever is under way, waits until the kernel has given all of it back (SETTLING), and only then
 * begins anew.
 *
 * The kernel lets a new driver in before it tells us, and a read or write that we start in between
 * would be that driver's: it would find an answer to somebody else, or its first command would be
 * dropped with what belonged to the old one. Hence three rules. Nothing is started while an event
 * waits at ep0; for what is written, that is looked at after the host was seen asking for it. The
 * next read is armed before the answer to a message is written, so that it is in place when the driver
 * gets its answer and can do anything else; but after the message was handed over, because the call
 * that the message becomes need not wait for that. And a read that was armed at the very moment of an
 * event, so that nobody knows on which side of it, is not abandoned: if it was the old driver's, the
 * kernel ends it, unless it had brought the end of that one's message before, which its length
 * tells; else what it brings is the beginning of the new one's first command.
 *
 * The write that ends a message rings no bell. A driver that has read it sends its next command, and
 * that rings: waking up for the one and then for the other costs a wake-up and its system calls for each
 * APDU. If no command follows, a timer has it looked at.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "gadget/usb/control.h"
#include "gadget/usb/demand.h"
#include "gadget/usb/framing.h"
#include "gadget/usb/maker.h"
#include "gadget/usb/offer.h"
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
	bool delivering; /* a message is being handed over: nothing is started */
	bool delivered;  /* one was, and the next read is not armed yet */
	const struct usb_callbacks *callbacks;
	void *owner;
	const struct usb_control *control; /* asked whether an event waits */
	io_context_t context;
	uv_loop_t *loop; /* its clock */
	int bell; /* borrowed; rung for each completion but that of a quiet write */
	int mute; /* the bell of those: nobody listens to it */
	int timer; /* borrowed; to be set for the next look at the host */
	size_t packet_size;
	struct usb_framing framing;
	struct payload message; /* from bulk OUT, while it is handed over */
	uint64_t message_at; /* ms of the loop; when the last one came, or a little earlier */
	struct usb_sending sending;
	struct usb_offer offer; /* of the message in sending */
	size_t needs; /* bytes that the host has to ask for to be given it; at least one */
	struct usb_demand demand;
	uint8_t notification[USB_NOTIFICATION_MAX];
	size_t notification_size; /* 0: none is due */
	unsigned int notification_looks; /* for the host to ask for it, in vain */
	uint64_t look_in; /* us until the next look at the host is due; 0: none is */
	bool out_doubtful; /* an event may have come while the read was armed */
	bool out_kept;     /* the doubtful read was kept by an enable */
	bool out_recalled; /* it was taken back, to see whether it had brought something */
	struct usb_transfer out;
	struct usb_transfer in;
	unsigned int in_looks; /* whether it is through, in vain */
	struct usb_transfer notify; /* its file is -1 when there is no interrupt endpoint */
};

#define USB_ENDPOINTS_NULL ((struct usb_endpoints){ \
	.state = USB_ENDPOINTS_DOWN, \
	.bell = -1, \
	.mute = -1, \
	.timer = -1, \
	.demand = USB_DEMAND_NULL, \
	.framing = USB_FRAMING_NULL, \
	.message = PAYLOAD_NULL, \
	.sending = USB_SENDING_NULL, \
	.out = USB_TRANSFER_NULL, \
	.in = USB_TRANSFER_NULL, \
	.notify = USB_TRANSFER_NULL, \
})

/*
 * Makes what needs no file yet; control, the eventfd bell and the timerfd timer are borrowed. Fatal:
 * -errno. After that, usb_endpoints_deinit() is due.
 */
int usb_endpoints_init(struct usb_endpoints *endpoints, uv_loop_t *loop,
	const struct usb_settings *settings, const struct usb_control *control, int bell, int timer,
	const struct usb_callbacks *callbacks, void *owner);

/* Takes over all files but ep0. They are opened with O_NONBLOCK. */
void usb_endpoints_adopt(struct usb_endpoints *endpoints, const struct usb_files *files);

/* Which UDC it is that the host is behind. */
void usb_endpoints_plugged(struct usb_endpoints *endpoints, const char *udc);

/* The host has configured the device. enabled() follows as soon as everything has settled. */
void usb_endpoints_enable(struct usb_endpoints *endpoints);

/* The host has let go. Calls disabled() if enabled() was called. */
void usb_endpoints_disable(struct usb_endpoints *endpoints);

/*
 * Gets from the kernel what is through. Nothing is done with it before usb_endpoints_dispatch():
 * the caller looks at ep0 in between, because what happened there before comes first. Fatal:
 * -errno.
 */
int usb_endpoints_harvest(struct usb_endpoints *endpoints);

/* Goes on with what is through, and starts what is due; calls back. Fatal: -errno. */
int usb_endpoints_dispatch(struct usb_endpoints *endpoints);

/* As usb_asked(), usb_send(), usb_cancel_send() and usb_notify(). */
size_t usb_endpoints_asked(const struct usb_endpoints *endpoints);
int usb_endpoints_send(struct usb_endpoints *endpoints, struct payload_view message, size_t needs);
void usb_endpoints_cancel_send(struct usb_endpoints *endpoints);
int usb_endpoints_notify(struct usb_endpoints *endpoints, const uint8_t *bytes, size_t size);

/* Ends everything, closes and wipes; the gadget must be unbound. May be called twice. */
void usb_endpoints_deinit(struct usb_endpoints *endpoints);
