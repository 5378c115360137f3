/*
 * The device: makes its parts in the order in which one needs the other, and takes them down in the
 * order that does not deadlock the kernel.
 *
 * One eventfd, the bell, is rung for everything: events on ep0 (the kernel does it:
 * FUNCTIONFS_EVENTFD), completions on the other endpoints, answers that are through; and a timer
 * rings beside it when it is time to look at the host again. Each ring is worked off in one order: completions are collected, then the events are looked at, then the
 * completions. So a message of a driver that has gone is never delivered after the enable that
 * brought the next one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/usb.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "gadget/usb/claim.h"
#include "gadget/usb/control.h"
#include "gadget/usb/endpoints.h"
#include "gadget/usb/maker.h"

struct usb_device {
	uv_poll_t poll; /* on the bell */
	uv_poll_t look; /* on the timer */
	int handles;    /* of these, that are not closed: the last one's callback frees the device */
	char name[USB_NAME_MAX + 1];
	const struct usb_callbacks *callbacks;
	void *owner;
	bool closed;
	bool gone;
	int bell;
	int timer;
	struct usb_maker *maker; /* borrowed */
	bool made;               /* it has a gadget for us */
	char udc[64];            /* that it is plugged into; empty: none */
	struct usb_control control;
	struct usb_endpoints endpoints;
};

/* The UDC was taken away, or something broke that can't be repaired. */
static void usb_device_lose(struct usb_device *device)
{
	if (device->closed || device->gone)
		return;
	usb_endpoints_disable(&device->endpoints);
	if (device->closed)
		return;
	device->gone = true;
	(void)uv_poll_stop(&device->poll);
	(void)uv_poll_stop(&device->look);
	device->callbacks->gone(device->owner);
}

/* A class request: asks the owner, and has the answer written. */
static int usb_device_setup(struct usb_device *device, const struct usb_request *request)
{
	bool brings_data = (request->bmRequestType & USB_DIR_IN) == 0 && request->wLength > 0;
	int size = -1;

	if (!brings_data) {
		size = device->callbacks->control(device->owner, request, device->control.answer);
		if (device->closed)
			return 0;
	}
	return usb_control_answer(&device->control, request, size);
}

static int usb_device_event(struct usb_device *device, const struct usb_event *event)
{
	switch (event->type) {
	case FUNCTIONFS_ENABLE:
		/* SET_CONFIGURATION or SET_INTERFACE, maybe after a disable that nobody saw. */
		log_debug(device->name, "enabled");
		usb_endpoints_enable(&device->endpoints);
		return 0;
	case FUNCTIONFS_DISABLE:
		/* Unplugged, reset, or SET_CONFIGURATION 0. */
		log_debug(device->name, "disabled");
		usb_endpoints_disable(&device->endpoints);
		return 0;
	case FUNCTIONFS_UNBIND:
		/* We unbind only when nobody listens to events any more: this was somebody else. */
		log_warning(device->name, "the virtual USB port was taken away");
		usb_device_lose(device);
		return 0;
	case FUNCTIONFS_SETUP:
		return usb_device_setup(device, &event->request);
	case FUNCTIONFS_BIND:
	case FUNCTIONFS_SUSPEND:
	case FUNCTIONFS_RESUME:
		/* Nothing changes for the transfers: a suspended bus delivers them later. */
		return 0;
	}
	return 0;
}

static int usb_device_events(struct usb_device *device)
{
	struct usb_event event;
	int r = 0;

	while (r == 0 && !device->closed && !device->gone) {
		r = usb_control_next(&device->control, &event);
		if (r == USB_CONTROL_NOTHING)
			return 0;
		if (r == 0)
			r = usb_device_event(device, &event);
	}
	return r;
}

static void usb_device_ring(uv_poll_t *poll, int status, int events)
{
	struct usb_device *device = poll->data;
	eventfd_t rings;
	int r;

	(void)events;
	/* If both have rung, the other one's turn comes. */
	(void)eventfd_read(poll == &device->look ? device->timer : device->bell, &rings);
	r = status < 0 ? status : usb_endpoints_harvest(&device->endpoints);
	if (r == 0)
		r = usb_device_events(device);
	if (r == 0 && !device->closed && !device->gone)
		r = usb_endpoints_dispatch(&device->endpoints);
	if (r < 0 && !device->closed) {
		log_error(device->name, "USB transfers fail: %s", strerror(-r));
		usb_device_lose(device);
	}
}

/* Everything that the kernel has to be asked for. */
static int usb_device_make(struct usb_device *device, const struct usb_settings *settings)
{
	struct usb_files files = USB_FILES_NULL;
	int r = usb_maker_make(device->maker, settings, device->bell, &files);

	if (r != 0)
		return r;
	device->made = true;
	device->control.ep0 = files.ep0;
	usb_endpoints_adopt(&device->endpoints, &files);
	r = usb_maker_bind(device->maker, settings->name, device->udc);
	if (r == 0)
		usb_endpoints_plugged(&device->endpoints, device->udc);
	return r;
}

/* Whether it is the name of a gadget: that of a folder and of a FunctionFS instance. */
static bool usb_name_is_valid(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL &&
		strnlen(name, USB_NAME_MAX + 1) <= USB_NAME_MAX;
}

static void usb_device_free(uv_handle_t *handle)
{
	struct usb_device *device = handle->data;

	if (--device->handles == 0)
		free(device);
}

static int usb_device_watch(struct usb_device *device, uv_loop_t *loop, uv_poll_t *poll, int fd)
{
	int r = fd >= 0 ? uv_poll_init(loop, poll, fd) : error_from_errno();

	if (r == 0) {
		poll->data = device;
		device->handles++;
	}
	return r;
}

/* The bell and the timer. */
static int usb_device_make_watches(struct usb_device *device, uv_loop_t *loop)
{
	int r;

	device->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = usb_device_watch(device, loop, &device->poll, device->bell);
	if (r < 0)
		return r;
	device->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return usb_device_watch(device, loop, &device->look, device->timer);
}

static int usb_device_start(struct usb_device *device)
{
	int r = uv_poll_start(&device->poll, UV_READABLE, usb_device_ring);

	return r == 0 ? uv_poll_start(&device->look, UV_READABLE, usb_device_ring) : r;
}

int usb_open(struct usb_device **device, uv_loop_t *loop, struct usb_maker *maker,
	const struct usb_settings *settings, const struct usb_callbacks *callbacks, void *owner)
{
	struct usb_device *made = NULL;
	int r = -EINVAL;

	if (!usb_name_is_valid(settings->name) ||
	    settings->class_descriptor_size > USB_CLASS_DESCRIPTOR_MAX)
		return r;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return -ENOMEM;
	memcpy(made->name, settings->name, sizeof(made->name));
	made->callbacks = callbacks;
	made->owner = owner;
	made->maker = maker;
	made->control = USB_CONTROL_NULL;
	made->endpoints = USB_ENDPOINTS_NULL;
	made->bell = -1;
	made->timer = -1;

	/* From here on usb_close() takes down whatever there is. */
	r = usb_device_make_watches(made, loop);
	if (r == 0)
		r = usb_control_init(&made->control, made->bell);
	if (r == 0)
		r = usb_endpoints_init(&made->endpoints, loop, settings, &made->control,
			made->bell, made->timer, callbacks, owner);
	if (r == 0)
		r = usb_device_make(made, settings);
	if (r == 0)
		r = usb_device_start(made);
	if (r != 0)
		made = usb_close(made);
	*device = made;
	return r;
}

/* The device lives until the loop has let go of both. */
static void usb_device_close_watches(struct usb_device *device)
{
	bool bell = device->handles > 0, timer = device->handles > 1;

	if (timer)
		uv_close((uv_handle_t *)&device->look, usb_device_free);
	if (bell)
		uv_close((uv_handle_t *)&device->poll, usb_device_free);
	if (device->timer >= 0)
		(void)close(device->timer);
	if (device->bell >= 0)
		(void)close(device->bell);
	if (!bell)
		free(device);
}

struct usb_device *usb_close(struct usb_device *device)
{
	if (device == NULL || device->closed)
		return NULL;
	device->closed = true;
	device->endpoints.closed = true;

	/*
	 * An answer that hangs holds the lock of ep0 that unbinding needs, so it is ended first.
	 * Then the gadget is unbound while its files are open: when the last close does it, an open
	 * of ep0 at the same moment would deadlock the kernel. Then the files are closed, and with
	 * them the mount goes; the folders of configfs are last.
	 */
	usb_control_stop(&device->control);
	if (device->made)
		usb_maker_unbind(device->maker, device->name);
	usb_endpoints_deinit(&device->endpoints);
	usb_control_deinit(&device->control);
	if (device->made)
		usb_maker_remove(device->maker, device->name);
	usb_device_close_watches(device);
	return NULL;
}

const char *usb_udc(const struct usb_device *device)
{
	return device->udc;
}

bool usb_is_claimed(const struct usb_device *device)
{
	return usb_claim_is_there(USB_CLAIM_DEVICES, device->udc);
}

size_t usb_asked(const struct usb_device *device)
{
	return usb_endpoints_asked(&device->endpoints);
}

int usb_send(struct usb_device *device, struct payload_view message, size_t needs)
{
	return usb_endpoints_send(&device->endpoints, message, needs);
}

void usb_cancel_send(struct usb_device *device)
{
	usb_endpoints_cancel_send(&device->endpoints);
}

int usb_notify(struct usb_device *device, const uint8_t *bytes, size_t size)
{
	return usb_endpoints_notify(&device->endpoints, bytes, size);
}
