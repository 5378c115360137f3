/*
 * The endpoints. See endpoints.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/endpoints.h"

#include <endian.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"

#define USB_TRANSFERS 3

int usb_endpoints_init(struct usb_endpoints *endpoints, const struct usb_settings *settings,
	const struct usb_control *control, int bell, const struct usb_callbacks *callbacks,
	void *owner)
{
	int r;

	*endpoints = USB_ENDPOINTS_NULL;
	endpoints->callbacks = callbacks;
	endpoints->owner = owner;
	endpoints->control = control;
	endpoints->bell = bell;
	r = usb_framing_init(&endpoints->framing, settings->message_max, settings->missing);
	if (r == 0)
		r = payload_init(&endpoints->message, endpoints->framing.buffer.capacity);
	if (r == 0)
		r = io_setup(USB_TRANSFERS, &endpoints->context); /* libaio returns -errno */
	return r;
}

static int usb_endpoints_open_one(struct usb_transfer *transfer, int mount, const char *file)
{
	transfer->fd = openat(mount, file, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return transfer->fd >= 0 ? 0 : error_from_errno();
}

int usb_endpoints_open(struct usb_endpoints *endpoints, const struct usb_settings *settings,
	int mount)
{
	int r;

	/* Named in the order of their descriptors. */
	r = usb_endpoints_open_one(&endpoints->out, mount, "ep1");
	if (r == 0)
		r = usb_endpoints_open_one(&endpoints->in, mount, "ep2");
	if (r == 0 && settings->interrupt)
		r = usb_endpoints_open_one(&endpoints->notify, mount, "ep3");
	return r;
}

/* What is under way or due belongs to a host that is gone, but for a read that is kept. */
static void usb_endpoints_abandon(struct usb_endpoints *endpoints, bool keep)
{
	endpoints->out_kept = keep;
	if (!keep)
		usb_transfer_abandon(&endpoints->out, endpoints->context);
	usb_transfer_abandon(&endpoints->in, endpoints->context);
	usb_transfer_abandon(&endpoints->notify, endpoints->context);
	usb_sending_clear(&endpoints->sending);
	endpoints->notification_size = 0;
}

void usb_endpoints_enable(struct usb_endpoints *endpoints)
{
	usb_endpoints_abandon(endpoints,
		endpoints->out_doubtful && usb_transfer_is_active(&endpoints->out));
	endpoints->out_doubtful = false;
	endpoints->state = USB_ENDPOINTS_SETTLING;
}

void usb_endpoints_disable(struct usb_endpoints *endpoints)
{
	bool was_up = endpoints->state == USB_ENDPOINTS_UP;

	usb_endpoints_abandon(endpoints, false);
	endpoints->out_doubtful = false;
	endpoints->state = USB_ENDPOINTS_DOWN;
	if (was_up && !endpoints->closed)
		endpoints->callbacks->disabled(endpoints->owner);
}

static int usb_endpoints_start_out(struct usb_endpoints *endpoints)
{
	struct usb_space space;
	int r;

	if (usb_transfer_is_active(&endpoints->out))
		return 0;
	space = usb_framing_space(&endpoints->framing);
	r = usb_transfer_read(&endpoints->out, endpoints->context, endpoints->bell, space.bytes,
		space.size);
	endpoints->out_doubtful = endpoints->framing.state == USB_FRAMING_FIRST &&
		usb_control_is_pending(endpoints->control);
	return r;
}

static int usb_endpoints_start_in(struct usb_endpoints *endpoints)
{
	struct payload_view next;

	if (!endpoints->sending.active || usb_transfer_is_active(&endpoints->in))
		return 0;
	next = usb_sending_next(&endpoints->sending);
	return usb_transfer_write(&endpoints->in, endpoints->context, endpoints->bell, next.bytes,
		next.size);
}

static int usb_endpoints_start_notify(struct usb_endpoints *endpoints)
{
	size_t size = endpoints->notification_size;

	if (size == 0 || usb_transfer_is_active(&endpoints->notify))
		return 0;
	endpoints->notification_size = 0;
	return usb_transfer_write(&endpoints->notify, endpoints->context, endpoints->bell,
		endpoints->notification, size);
}

/*
 * Starts what is due and has nothing before it, unless an event waits: then the bell is ringing,
 * and dispatching comes here again.
 */
static int usb_endpoints_start(struct usb_endpoints *endpoints)
{
	int r;

	if (endpoints->closed || endpoints->state != USB_ENDPOINTS_UP ||
	    usb_control_is_pending(endpoints->control))
		return 0;
	r = usb_endpoints_start_out(endpoints);
	if (r == 0)
		r = usb_endpoints_start_in(endpoints);
	if (r == 0)
		r = usb_endpoints_start_notify(endpoints);
	return r;
}

/* Nobody wants the result of a stale transfer. */
static void usb_endpoints_drop(struct usb_transfer *transfer)
{
	if (transfer->done && transfer->stale)
		transfer->done = false;
}

/* Once all has come back: begins with the new host, unless that one has gone meanwhile, too. */
static int usb_endpoints_settle(struct usb_endpoints *endpoints)
{
	struct usb_endpoint_descriptor descriptor;
	int r;

	if (usb_transfer_is_active(&endpoints->in) || usb_transfer_is_active(&endpoints->notify) ||
	    (usb_transfer_is_active(&endpoints->out) && !endpoints->out_kept))
		return 0;
	if (ioctl(endpoints->out.fd, FUNCTIONFS_ENDPOINT_DESC, &descriptor) != 0) {
		r = error_from_errno();
		usb_endpoints_disable(endpoints);
		return usb_transfer_is_lost(r) ? 0 : r;
	}
	endpoints->packet_size = le16toh(descriptor.wMaxPacketSize);
	/* A read that was kept waits for a first packet, in a buffer that is empty already. */
	if (!endpoints->out_kept)
		usb_framing_reset(&endpoints->framing, endpoints->packet_size);
	endpoints->state = USB_ENDPOINTS_UP;
	endpoints->callbacks->enabled(endpoints->owner, endpoints->packet_size);
	return 0;
}

/*
 * Whether a transfer is through and its result, in *result, matters. If it failed as transfers do
 * when the host lets go, that is what it means: ep0 may say so later, or never.
 */
static bool usb_endpoints_take(struct usb_endpoints *endpoints, struct usb_transfer *transfer,
	long *result)
{
	if (endpoints->closed || endpoints->state != USB_ENDPOINTS_UP || !transfer->done)
		return false;
	transfer->done = false;
	*result = transfer->result;
	if (!usb_transfer_is_lost(*result))
		return true;
	usb_endpoints_disable(endpoints);
	return false;
}

static int usb_endpoints_in_done(struct usb_endpoints *endpoints)
{
	long result;

	if (!usb_endpoints_take(endpoints, &endpoints->in, &result))
		return 0;
	if (result < 0)
		return (int)result;
	if (!usb_sending_taken(&endpoints->sending, (size_t)result))
		return 0;
	usb_sending_clear(&endpoints->sending);
	endpoints->callbacks->sent(endpoints->owner);
	return 0;
}

static int usb_endpoints_notify_done(struct usb_endpoints *endpoints)
{
	long result;

	if (!usb_endpoints_take(endpoints, &endpoints->notify, &result))
		return 0;
	if (result < 0)
		return (int)result;
	endpoints->callbacks->notified(endpoints->owner);
	return 0;
}

/* Arms the next read, and hands the message over. */
static int usb_endpoints_deliver(struct usb_endpoints *endpoints)
{
	int r;

	r = payload_set(&endpoints->message, usb_framing_message(&endpoints->framing));
	assert(r == 0); /* the two buffers are of one size */
	usb_framing_taken(&endpoints->framing);
	r = usb_endpoints_start(endpoints);
	if (r == 0)
		endpoints->callbacks->message(endpoints->owner, payload_view(&endpoints->message));
	payload_clear(&endpoints->message);
	return r;
}

static int usb_endpoints_out_done(struct usb_endpoints *endpoints)
{
	long result;

	/* A read that was kept and failed was the old driver's: another is armed after this. */
	if (endpoints->out_kept && endpoints->out.done) {
		endpoints->out_kept = false;
		if (usb_transfer_is_lost(endpoints->out.result))
			endpoints->out.done = false;
	}
	if (!usb_endpoints_take(endpoints, &endpoints->out, &result))
		return 0;
	if (result < 0)
		return (int)result;
	if (!usb_framing_received(&endpoints->framing, (size_t)result))
		return 0;
	return usb_endpoints_deliver(endpoints);
}

int usb_endpoints_harvest(struct usb_endpoints *endpoints)
{
	return usb_transfer_harvest(endpoints->context);
}

int usb_endpoints_dispatch(struct usb_endpoints *endpoints)
{
	int r = 0;

	endpoints->out_doubtful = false; /* the event was none that changes anything */
	usb_endpoints_drop(&endpoints->out);
	usb_endpoints_drop(&endpoints->in);
	usb_endpoints_drop(&endpoints->notify);
	if (endpoints->state == USB_ENDPOINTS_SETTLING)
		r = usb_endpoints_settle(endpoints);
	if (r == 0)
		r = usb_endpoints_in_done(endpoints);
	if (r == 0)
		r = usb_endpoints_notify_done(endpoints);
	if (r == 0)
		r = usb_endpoints_out_done(endpoints);
	if (r == 0)
		r = usb_endpoints_start(endpoints);
	return r;
}

int usb_endpoints_send(struct usb_endpoints *endpoints, struct payload_view message)
{
	int r;

	if (endpoints->state != USB_ENDPOINTS_UP)
		return USB_NOT_ENABLED;
	if (endpoints->sending.active)
		return USB_SEND_BUSY;
	r = usb_sending_start(&endpoints->sending, message, endpoints->packet_size);
	if (r == 0)
		r = usb_endpoints_start(endpoints);
	return r;
}

void usb_endpoints_cancel_send(struct usb_endpoints *endpoints)
{
	usb_sending_clear(&endpoints->sending);
	usb_transfer_abandon(&endpoints->in, endpoints->context);
}

int usb_endpoints_notify(struct usb_endpoints *endpoints, const uint8_t *bytes, size_t size)
{
	if (endpoints->state != USB_ENDPOINTS_UP || endpoints->notify.fd < 0)
		return USB_NOT_ENABLED;
	if (endpoints->notification_size > 0 || usb_transfer_is_active(&endpoints->notify))
		return USB_SEND_BUSY;
	if (size == 0 || size > USB_NOTIFICATION_MAX)
		return -EMSGSIZE;
	memcpy(endpoints->notification, bytes, size);
	endpoints->notification_size = size;
	return usb_endpoints_start(endpoints);
}

void usb_endpoints_deinit(struct usb_endpoints *endpoints)
{
	endpoints->closed = true;
	endpoints->state = USB_ENDPOINTS_DOWN;
	/* Cancels what is left and waits for it: after that nobody writes into the buffers. */
	if (endpoints->context != NULL)
		(void)io_destroy(endpoints->context);
	endpoints->context = NULL;
	usb_transfer_deinit(&endpoints->out);
	usb_transfer_deinit(&endpoints->in);
	usb_transfer_deinit(&endpoints->notify);
	usb_sending_clear(&endpoints->sending);
	payload_deinit(&endpoints->message);
	usb_framing_deinit(&endpoints->framing);
}
