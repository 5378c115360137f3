/*
 * ep0: events of the device's life, and class requests.
 *
 * Events are read on the loop's thread, one at a time, and only when poll() says that there is one:
 * then a read does not wait. An answer does, and for ever if the host has given up the request
 * meanwhile; so each answer is written by a thread of its own, which ends with it. Until then ep0
 * is left alone: reading while a request waits for its answer would stall it by accident.
 *
 * The thread that hangs is woken by SIGRTMIN, for which a handler that does nothing is installed.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <linux/usb/functionfs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "gadget/usb/usb.h"

struct usb_control {
	int ep0;
	int bell; /* rung when an answer is through */
	bool answering;
	atomic_bool answered;
	pthread_t thread;
	struct usb_request request;
	uint8_t answer[USB_CONTROL_MAX];
	int answer_size; /* negative: stall */
};

#define USB_CONTROL_NULL ((struct usb_control){ .ep0 = -1, .bell = -1 })

/* What usb_control_next() found. */
struct usb_event {
	enum usb_functionfs_event_type type;
	struct usb_request request; /* of FUNCTIONFS_SETUP; answered before the next event */
};

enum {
	USB_CONTROL_NOTHING = 1, /* no event, or an answer is still under way */
};

/*
 * Starts without a file: whoever opens ep0 puts it into the struct, which owns it from then on.
 * bell is an eventfd, borrowed. Fatal: -errno.
 */
int usb_control_init(struct usb_control *control, int bell);

/*
 * The next event. Does not wait, but for a moment while the kernel unbinds. Returns 0 or
 * USB_CONTROL_NOTHING; fatal: -errno.
 */
int usb_control_next(struct usb_control *control, struct usb_event *event);

/*
 * Whether usb_control_next() would find an event now: the device may have got a new driver since
 * the last look. False while an answer is under way, because then nobody can tell.
 */
bool usb_control_is_pending(const struct usb_control *control);

/*
 * Answers a request: size bytes of control->answer (cut to wLength), 0 to acknowledge, negative to
 * stall. Rings the bell when it is through, whatever became of it. Fatal: -errno.
 */
int usb_control_answer(struct usb_control *control, const struct usb_request *request, int size);

/* Ends an answer that is under way; ep0 stays open. May be called twice. */
void usb_control_stop(struct usb_control *control);

/* Stops and closes; may be called twice. */
void usb_control_deinit(struct usb_control *control);
