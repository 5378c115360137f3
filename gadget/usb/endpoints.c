/*
 * The endpoints. See endpoints.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/endpoints.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/usb/functionfs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"

#define USB_TRANSFERS 3

int usb_endpoints_init(struct usb_endpoints *endpoints, const struct usb_settings *settings, int bell,
	const struct usb_callbacks *callbacks, void *owner)
{
	int r;

	*endpoints = USB_ENDPOINTS_NULL;
	endpoints->callbacks = callbacks;
	endpoints->owner = owner;
	endpoints->bell = bell;
	r = usb_framing_init(&endpoints->framing, settings->message_max, settings->missing);
	if (r == 0)
		r = io_setup(USB_TRANSFERS, &endpoints->context); /* libaio returns -errno */
	return r;
}

static int usb_endpoints_open_one(struct usb_transfer *transfer, int mount, const char *file)
{
	transfer->fd = openat(mount, file, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return transfer->fd >= 0 ? 0 : error_from_errno();
}

int usb_endpoints_open(struct usb_endpoints *endpoints, const struct usb_settings *settings, int mount)
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

/* Everything that is under way belongs to a host that is gone. */
static void usb_endpoints_abandon(struct usb_endpoints *endpoints)
{
	usb_transfer_abandon(&endpoints->out, endpoints->context);
	usb_transfer_abandon(&endpoints->in, endpoints->context);
	usb_transfer_abandon(&endpoints->notify, endpoints->context);
	usb_sending_clear(&endpoints->sending);
}

void usb_endpoints_enable(struct usb_endpoints *endpoints)
{
	usb_endpoints_abandon(endpoints);
	endpoints->state = USB_ENDPOINTS_SETTLING;
}

void usb_endpoints_disable(struct usb_endpoints *endpoints)
{
	bool was_up = endpoints->state == USB_ENDPOINTS_UP;

	usb_endpoints_abandon(endpoints);
	endpoints->state = USB_ENDPOINTS_DOWN;
	if (was_up && !endpoints->closed)
		endpoints->callbacks->disabled(endpoints->owner);
}

static int usb_endpoints_read(struct usb_endpoints *endpoints)
{
	struct usb_space space = usb_framing_space(&endpoints->framing);

	return usb_transfer_read(&endpoints->out, endpoints->context, endpoints->bell, space.bytes,
		space.size);
}

static int usb_endpoints_write(struct usb_endpoints *endpoints)
{
	struct payload_view next = usb_sending_next(&endpoints->sending);

	return usb_transfer_write(&endpoints->in, endpoints->context, endpoints->bell, next.bytes,
		next.size);
}

/* Everything has settled: begins with the new host, unless that one has gone meanwhile, too. */
static int usb_endpoints_come_up(struct usb_endpoints *endpoints)
{
	struct usb_endpoint_descriptor descriptor;
	int r;

	if (ioctl(endpoints->out.fd, FUNCTIONFS_ENDPOINT_DESC, &descriptor) != 0) {
		endpoints->state = USB_ENDPOINTS_DOWN;
		return usb_transfer_is_lost(-errno) ? 0 : error_from_errno();
	}
	endpoints->packet_size = le16toh(descriptor.wMaxPacketSize);
	usb_framing_reset(&endpoints->framing, endpoints->packet_size);
	r = usb_endpoints_read(endpoints);
	if (r < 0)
		return r;
	endpoints->state = USB_ENDPOINTS_UP;
	endpoints->callbacks->enabled(endpoints->owner, endpoints->packet_size);
	return 0;
}

/* A read on bulk OUT is through. */
static int usb_endpoints_out_done(struct usb_endpoints *endpoints, long result)
{
	if (usb_transfer_is_lost(result))
		return 0;
	if (result < 0)
		return (int)result;
	if (usb_framing_received(&endpoints->framing, (size_t)result)) {
		endpoints->callbacks->message(endpoints->owner, usb_framing_message(&endpoints->framing));
		if (endpoints->closed)
			return 0;
		usb_framing_taken(&endpoints->framing);
	}
	return usb_endpoints_read(endpoints);
}

/* A write on bulk IN is through. */
static int usb_endpoints_in_done(struct usb_endpoints *endpoints, long result)
{
	if (usb_transfer_is_lost(result)) {
		usb_sending_clear(&endpoints->sending);
		return 0;
	}
	if (result < 0)
		return (int)result;
	if (!usb_sending_taken(&endpoints->sending, (size_t)result))
		return usb_endpoints_write(endpoints);
	usb_sending_clear(&endpoints->sending);
	endpoints->callbacks->sent(endpoints->owner);
	return 0;
}

/* A write on interrupt IN is through. */
static int usb_endpoints_notify_done(struct usb_endpoints *endpoints, long result)
{
	if (usb_transfer_is_lost(result))
		return 0;
	if (result < 0)
		return (int)result;
	endpoints->callbacks->notified(endpoints->owner);
	return 0;
}

/* A message that was to follow a cancelled one waits until that is back. */
static int usb_endpoints_in_stale(struct usb_endpoints *endpoints, long result)
{
	(void)result;
	return endpoints->sending.active ? usb_endpoints_write(endpoints) : 0;
}

static int usb_endpoints_stale(struct usb_endpoints *endpoints, long result)
{
	(void)endpoints;
	(void)result;
	return 0;
}

/* Looks at a transfer that is done; stale or not, it may be used again after that. */
static int usb_endpoints_look(struct usb_endpoints *endpoints, struct usb_transfer *transfer,
	int (*done)(struct usb_endpoints *endpoints, long result),
	int (*stale)(struct usb_endpoints *endpoints, long result))
{
	bool was_stale = transfer->stale;

	if (endpoints->closed || !transfer->done)
		return 0;
	transfer->done = false;
	transfer->stale = false;
	return was_stale ? stale(endpoints, transfer->result) : done(endpoints, transfer->result);
}

int usb_endpoints_harvest(struct usb_endpoints *endpoints)
{
	return usb_transfer_harvest(endpoints->context);
}

int usb_endpoints_dispatch(struct usb_endpoints *endpoints)
{
	int r;

	r = usb_endpoints_look(endpoints, &endpoints->in, usb_endpoints_in_done, usb_endpoints_in_stale);
	if (r == 0)
		r = usb_endpoints_look(endpoints, &endpoints->notify, usb_endpoints_notify_done,
			usb_endpoints_stale);
	if (r == 0)
		r = usb_endpoints_look(endpoints, &endpoints->out, usb_endpoints_out_done,
			usb_endpoints_stale);
	if (r == 0 && !endpoints->closed && endpoints->state == USB_ENDPOINTS_SETTLING &&
	    !usb_transfer_is_active(&endpoints->out) && !usb_transfer_is_active(&endpoints->in) &&
	    !usb_transfer_is_active(&endpoints->notify))
		r = usb_endpoints_come_up(endpoints);
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
	if (r == 0 && !usb_transfer_is_active(&endpoints->in))
		r = usb_endpoints_write(endpoints);
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
	if (usb_transfer_is_active(&endpoints->notify))
		return USB_SEND_BUSY;
	if (size > USB_NOTIFICATION_MAX)
		return -EMSGSIZE;
	return usb_transfer_write(&endpoints->notify, endpoints->context, endpoints->bell, bytes, size);
}

void usb_endpoints_deinit(struct usb_endpoints *endpoints)
{
	endpoints->closed = true;
	endpoints->state = USB_ENDPOINTS_DOWN;
	/* Cancels what is left and waits for it: after that nobody writes into the buffers any more. */
	if (endpoints->context != NULL)
		(void)io_destroy(endpoints->context);
	endpoints->context = NULL;
	usb_transfer_deinit(&endpoints->out);
	usb_transfer_deinit(&endpoints->in);
	usb_transfer_deinit(&endpoints->notify);
	usb_sending_clear(&endpoints->sending);
	usb_framing_deinit(&endpoints->framing);
}
