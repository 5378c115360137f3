/*
 * The endpoints. See endpoints.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/endpoints.h"

#include <endian.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/error.h"

#define USB_TRANSFERS 3
#define USB_NS_PER_US 1000
#define USB_US_PER_S 1000000
#define USB_US_PER_MS 1000

/*
 * Looks at a write without a bell begin as if so many had been made: with 25 ms. One that was
 * cancelled comes back soon.
 */
#define USB_QUIET_LOOKS 9
#define USB_CANCELLED_WAIT 1000 /* us */

int usb_endpoints_init(struct usb_endpoints *endpoints, uv_loop_t *loop,
	const struct usb_settings *settings, const struct usb_control *control, int bell, int timer,
	const struct usb_callbacks *callbacks, void *owner)
{
	int r;

	*endpoints = USB_ENDPOINTS_NULL;
	endpoints->callbacks = callbacks;
	endpoints->owner = owner;
	endpoints->loop = loop;
	endpoints->control = control;
	endpoints->bell = bell;
	endpoints->timer = timer;
	endpoints->mute = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = endpoints->mute >= 0 ? 0 : error_from_errno();
	if (r == 0)
		r = usb_framing_init(&endpoints->framing, settings->message_max, settings->missing);
	if (r == 0)
		r = payload_init(&endpoints->message, endpoints->framing.buffer.capacity);
	if (r == 0)
		r = io_setup(USB_TRANSFERS, &endpoints->context); /* libaio returns -errno */
	return r;
}

void usb_endpoints_adopt(struct usb_endpoints *endpoints, const struct usb_files *files)
{
	endpoints->out.fd = files->out;
	endpoints->in.fd = files->in;
	endpoints->notify.fd = files->notify;
}

void usb_endpoints_plugged(struct usb_endpoints *endpoints, const char *udc)
{
	usb_demand_open(&endpoints->demand, udc);
}

/* What is under way or due belongs to a host that is gone, but for a read that is kept. */
static void usb_endpoints_abandon(struct usb_endpoints *endpoints, bool keep)
{
	endpoints->out_kept = keep;
	endpoints->out_recalled = false;
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
	endpoints->out_doubtful = endpoints->control->answering ||
		usb_control_is_pending(endpoints->control);
	return r;
}

/* The next look at the host is due in so many microseconds, or earlier. */
static void usb_endpoints_look_later(struct usb_endpoints *endpoints, uint64_t wait)
{
	if (endpoints->look_in == 0 || wait < endpoints->look_in)
		endpoints->look_in = wait;
}

/* The bell's companion rings when it is. */
static void usb_endpoints_set_timer(struct usb_endpoints *endpoints)
{
	uint64_t wait = endpoints->look_in;
	struct itimerspec once = {
		.it_value = {
			.tv_sec = (time_t)(wait / USB_US_PER_S),
			.tv_nsec = (long)(wait % USB_US_PER_S * USB_NS_PER_US),
		},
	};

	if (wait > 0)
		(void)timerfd_settime(endpoints->timer, 0, &once, NULL);
}

/*
 * Whether it is still the driver that we know that asks. One that has configured the device since ep0
 * was looked at may have asked already; the event of that was there before its request.
 */
static bool usb_endpoints_asks_the_same(const struct usb_endpoints *endpoints)
{
	return !usb_control_is_pending(endpoints->control);
}

/* The message has waited for the host long enough: what follows it, if anything, is due. */
static void usb_endpoints_drop_message(struct usb_endpoints *endpoints)
{
	usb_sending_clear(&endpoints->sending);
	endpoints->callbacks->sent(endpoints->owner);
}

/* Whether the message may be written now. If not, whatever has to happen before is under way. */
static bool usb_endpoints_may_write(struct usb_endpoints *endpoints)
{
	bool inside = endpoints->framing.state == USB_FRAMING_REST;
	struct usb_offer_view view = {
		.out_is_armed = usb_transfer_is_active(&endpoints->out) &&
			endpoints->framing.state != USB_FRAMING_SKIP,
		.out_is_inside = inside,
		.age = uv_hrtime() / USB_NS_PER_US - endpoints->message_at * USB_US_PER_MS,
	};
	uint64_t wait = 0;

	if (endpoints->sending.taken > 0)
		return true; /* the host has begun to read it */
	if (endpoints->out.done || endpoints->out_recalled)
		return false; /* there is something to be looked at first */
	view.demand = usb_demand_size(&endpoints->demand, USB_DEMAND_BULK) >= endpoints->needs;
	switch (usb_offer_look(&endpoints->offer, &view, &wait)) {
	case USB_OFFER_WRITE:
		return usb_endpoints_asks_the_same(endpoints);
	case USB_OFFER_RECALL:
		endpoints->out_recalled = true;
		usb_transfer_recall(&endpoints->out, endpoints->context);
		return false;
	case USB_OFFER_LATER:
		usb_endpoints_look_later(endpoints, wait);
		return false;
	case USB_OFFER_DROP:
		usb_endpoints_drop_message(endpoints);
		return false;
	}
	return false;
}

static int usb_endpoints_start_in(struct usb_endpoints *endpoints)
{
	struct payload_view next;
	bool last;

	if (!endpoints->sending.active || usb_transfer_is_active(&endpoints->in) ||
	    !usb_endpoints_may_write(endpoints))
		return 0;
	next = usb_sending_next(&endpoints->sending);
	last = usb_sending_is_last(&endpoints->sending);
	endpoints->in_looks = 0;
	return usb_transfer_write(&endpoints->in, endpoints->context,
		last ? endpoints->mute : endpoints->bell, last, next.bytes, next.size);
}

/* A write that rings no bell is looked at when something else rings, or at last by the timer. */
static void usb_endpoints_look_for_in(struct usb_endpoints *endpoints)
{
	if (!endpoints->in.busy || !endpoints->in.quiet)
		return;
	if (endpoints->in.stale)
		usb_endpoints_look_later(endpoints, USB_CANCELLED_WAIT);
	else
		usb_endpoints_look_later(endpoints, usb_offer_wait(USB_QUIET_LOOKS +
			endpoints->in_looks++, USB_OFFER_LONGEST_NOTIFICATION));
}

static int usb_endpoints_start_notify(struct usb_endpoints *endpoints)
{
	size_t size = endpoints->notification_size;

	if (size == 0 || usb_transfer_is_active(&endpoints->notify))
		return 0;
	if (usb_demand_size(&endpoints->demand, USB_DEMAND_INTERRUPT) == 0) {
		usb_endpoints_look_later(endpoints, usb_offer_wait(endpoints->notification_looks++,
			USB_OFFER_LONGEST_NOTIFICATION));
		return 0;
	}
	if (!usb_endpoints_asks_the_same(endpoints))
		return 0;
	endpoints->notification_size = 0;
	return usb_transfer_write(&endpoints->notify, endpoints->context, endpoints->bell, false,
		endpoints->notification, size);
}

/* Not while an event waits: then the bell is ringing, and dispatching comes by again. */
static bool usb_endpoints_may_start(const struct usb_endpoints *endpoints)
{
	return !endpoints->closed && endpoints->state == USB_ENDPOINTS_UP &&
		!usb_control_is_pending(endpoints->control);
}

/* Once no event waits. */
static int usb_endpoints_start_all(struct usb_endpoints *endpoints)
{
	bool first = endpoints->delivered;
	int r = 0;

	endpoints->delivered = false;
	if (first)
		r = usb_endpoints_start_out(endpoints);
	/* That was also the last look at ep0: a system call less before an answer of our own. */
	if (first && endpoints->out_doubtful && !usb_endpoints_may_start(endpoints))
		return r;
	/* Before a read is armed again that was taken back for its sake. */
	if (r == 0)
		r = usb_endpoints_start_in(endpoints);
	if (r == 0 && !endpoints->closed)
		r = usb_endpoints_start_out(endpoints);
	if (r == 0 && !endpoints->closed)
		r = usb_endpoints_start_notify(endpoints);
	return r;
}

/* Starts what is due and has nothing before it, and says when to look again. */
static int usb_endpoints_start(struct usb_endpoints *endpoints)
{
	int r = 0;

	if (endpoints->delivering)
		return 0;
	endpoints->look_in = 0;
	if (usb_endpoints_may_start(endpoints))
		r = usb_endpoints_start_all(endpoints);
	if (r == 0 && !endpoints->closed) {
		usb_endpoints_look_for_in(endpoints);
		usb_endpoints_set_timer(endpoints);
	}
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
	if (endpoints->out_kept)
		usb_framing_restart(&endpoints->framing, endpoints->packet_size);
	else
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
	return result < 0 ? (int)result : 0;
}

/*
 * Hands the message over. The next read is armed after that, and before anything is written. A message
 * that still waits on IN is not looked at in between: the one that has come may be the reason to take
 * it back.
 */
static void usb_endpoints_deliver(struct usb_endpoints *endpoints)
{
	/* It fits: the two buffers are of one size. */
	(void)payload_set(&endpoints->message, usb_framing_message(&endpoints->framing));
	usb_framing_taken(&endpoints->framing);
	endpoints->message_at = uv_now(endpoints->loop);
	endpoints->notification_looks = 0; /* a driver is there: it may listen soon */
	endpoints->delivering = true;
	endpoints->callbacks->message(endpoints->owner, payload_view(&endpoints->message));
	endpoints->delivering = false;
	endpoints->delivered = true;
	payload_clear(&endpoints->message);
}

/*
 * A read that was kept and failed was the old driver's, and so was one that brought what its message
 * lacked; one that was taken back failed because of that. Another is armed after this.
 */
static void usb_endpoints_out_back(struct usb_endpoints *endpoints)
{
	bool kept = endpoints->out_kept;
	bool recalled = endpoints->out_recalled;

	if (!endpoints->out.done || endpoints->state != USB_ENDPOINTS_UP)
		return;
	endpoints->out_kept = false;
	endpoints->out_recalled = false;
	kept = kept && (usb_transfer_is_lost(endpoints->out.result) ||
		(endpoints->out.result > 0 && usb_framing_is_former(&endpoints->framing,
			(size_t)endpoints->out.result)));
	if (kept || (recalled && endpoints->out.result == -ECONNRESET)) {
		endpoints->out.done = false;
		if (kept)
			usb_framing_reset(&endpoints->framing, endpoints->packet_size);
	}
}

static int usb_endpoints_out_done(struct usb_endpoints *endpoints)
{
	long result;

	usb_endpoints_out_back(endpoints);
	if (!usb_endpoints_take(endpoints, &endpoints->out, &result))
		return 0;
	if (result < 0)
		return (int)result;
	if (usb_framing_received(&endpoints->framing, (size_t)result))
		usb_endpoints_deliver(endpoints);
	return 0;
}

int usb_endpoints_harvest(struct usb_endpoints *endpoints)
{
	return usb_transfer_harvest(endpoints->context);
}

int usb_endpoints_dispatch(struct usb_endpoints *endpoints)
{
	int r = 0;

	if (!endpoints->control->answering)
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

size_t usb_endpoints_asked(const struct usb_endpoints *endpoints)
{
	size_t asked = usb_demand_size(&endpoints->demand, USB_DEMAND_BULK);

	return asked == USB_DEMAND_UNKNOWN ? 0 : asked;
}

int usb_endpoints_send(struct usb_endpoints *endpoints, struct payload_view message, size_t needs)
{
	int r;

	if (endpoints->state != USB_ENDPOINTS_UP)
		return USB_NOT_ENABLED;
	if (endpoints->sending.active)
		return USB_SEND_BUSY;
	endpoints->offer = USB_OFFER_NULL;
	endpoints->needs = needs > 0 ? needs : 1;
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
	if (size == 0 || size > USB_NOTIFICATION_MAX)
		return -EMSGSIZE;
	usb_transfer_abandon(&endpoints->notify, endpoints->context);
	endpoints->notification_looks = 0;
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
	if (endpoints->mute >= 0)
		(void)close(endpoints->mute);
	endpoints->mute = -1;
	usb_transfer_deinit(&endpoints->out);
	usb_transfer_deinit(&endpoints->in);
	usb_transfer_deinit(&endpoints->notify);
	usb_sending_clear(&endpoints->sending);
	usb_demand_deinit(&endpoints->demand);
	payload_deinit(&endpoints->message);
	usb_framing_deinit(&endpoints->framing);
}
