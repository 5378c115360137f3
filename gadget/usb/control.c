/*
 * ep0. See control.h.
 *
 * What f_fs.c makes of reads and writes while a request is pending: in the request's direction they
 * carry the data, and of size 0 they acknowledge; in the other direction they stall it, and fail
 * with EL2HLT to say so.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/control.h"

#include <endian.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

#define USB_WAKE_SIGNAL SIGRTMIN

static void usb_control_wake(int signal_number)
{
	(void)signal_number;
}

int usb_control_init(struct usb_control *control, int bell)
{
	struct sigaction action = { .sa_handler = usb_control_wake }; /* without SA_RESTART */

	*control = USB_CONTROL_NULL;
	control->bell = bell;
	return sigaction(USB_WAKE_SIGNAL, &action, NULL) == 0 ? 0 : error_from_errno();
}

bool usb_control_is_pending(const struct usb_control *control)
{
	struct pollfd ep0 = { .fd = control->ep0, .events = POLLIN };

	return !control->answering && poll(&ep0, 1, 0) == 1 && (ep0.revents & POLLIN) != 0;
}

static void usb_control_decode(struct usb_event *event, const struct usb_functionfs_event *raw)
{
	event->type = (enum usb_functionfs_event_type)raw->type;
	event->request = (struct usb_request){
		.bmRequestType = raw->u.setup.bRequestType,
		.bRequest = raw->u.setup.bRequest,
		.wValue = le16toh(raw->u.setup.wValue),
		.wIndex = le16toh(raw->u.setup.wIndex),
		.wLength = le16toh(raw->u.setup.wLength),
	};
}

int usb_control_next(struct usb_control *control, struct usb_event *event)
{
	struct usb_functionfs_event raw;
	ssize_t n;

	if (control->answering) {
		if (!atomic_load(&control->answered))
			return USB_CONTROL_NOTHING;
		usb_control_stop(control);
	}
	while (usb_control_is_pending(control)) {
		n = read(control->ep0, &raw, sizeof(raw));
		if (n == (ssize_t)sizeof(raw)) {
			usb_control_decode(event, &raw);
			return 0;
		}
		/* EIDRM: the host gave up the last request; what it did next is behind this. */
		if (n >= 0 || (errno != EIDRM && errno != EINTR && errno != EAGAIN))
			return n >= 0 ? -EIO : error_from_errno();
	}
	return USB_CONTROL_NOTHING;
}

/* The one call that ends the pending request. What becomes of it is the host's business. */
static void usb_control_write_answer(struct usb_control *control)
{
	const struct usb_request *request = &control->request;
	bool to_host = (request->bmRequestType & USB_DIR_IN) != 0;
	bool stall = control->answer_size < 0;
	size_t size = stall || !to_host ? 0 : (size_t)control->answer_size;
	ssize_t n;

	if (size > request->wLength)
		size = request->wLength;
	if (to_host != stall)
		n = write(control->ep0, control->answer, size);
	else
		n = read(control->ep0, control->answer, 0);
	(void)n;
}

static void *usb_control_run(void *argument)
{
	struct usb_control *control = argument;
	sigset_t wake;

	(void)sigemptyset(&wake);
	(void)sigaddset(&wake, USB_WAKE_SIGNAL);
	(void)pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	usb_control_write_answer(control);
	atomic_store(&control->answered, true);
	(void)eventfd_write(control->bell, 1);
	return NULL;
}

int usb_control_answer(struct usb_control *control, const struct usb_request *request, int size)
{
	sigset_t all, before;
	int r;

	assert(!control->answering && size <= USB_CONTROL_MAX);
	control->request = *request;
	control->answer_size = size;
	atomic_store(&control->answered, false);

	/* The daemon's signals are not for this thread, which inherits the mask. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&control->thread, NULL, usb_control_run, control);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return -r;
	control->answering = true;
	return 0;
}

void usb_control_stop(struct usb_control *control)
{
	struct timespec until;

	if (!control->answering)
		return;
	/* A signal that comes just before the thread waits is lost, so there is another one. */
	for (;;) {
		if (!atomic_load(&control->answered))
			(void)pthread_kill(control->thread, USB_WAKE_SIGNAL);
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 10 * 1000 * 1000;
		if (until.tv_nsec >= 1000 * 1000 * 1000) {
			until.tv_nsec -= 1000 * 1000 * 1000;
			until.tv_sec++;
		}
		if (pthread_timedjoin_np(control->thread, NULL, &until) == 0)
			break;
	}
	payload_wipe(control->answer, sizeof(control->answer));
	control->answering = false;
}

void usb_control_deinit(struct usb_control *control)
{
	usb_control_stop(control);
	if (control->ep0 >= 0)
		(void)close(control->ep0);
	control->ep0 = -1;
}
