/*
 * bench-reader: a CCID reader on FunctionFS with nothing behind it, which is the floor of what any
 * reader in this guest can cost.
 *
 *     bench-reader                      "open" on standard output when it is plugged in
 *
 * Its gadget and its descriptors are made as ccid-gadget's, so that the driver treats it as that.
 * But one thread does all: it waits for a command in a plain read(), and gives the answer to a plain
 * write(). It has no connection, no timers, and none of the care that a real reader must take of
 * drivers that come and go.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/usb/functionfs.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "gadget/ccid/descriptor.h"
#include "gadget/ccid/message.h"
#include "gadget/usb/descriptors.h"
#include "gadget/usb/gadget.h"
#include "gadget/usb/mount.h"
#include "tests/benchmark/memory-card.h"

#define READER_NAME "bench-reader"

static struct usb_gadget gadget = USB_GADGET_NULL;
static int ep0, out, in, notify;

static _Noreturn void give_up(const char *what)
{
	log_error(READER_NAME, "%s: %s", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static struct usb_settings reader_settings(void)
{
	struct usb_settings settings = {
		.name = READER_NAME,
		.identity = {
			.idVendor = 0x0E0F,
			.idProduct = 0x0004,
			.bcdDevice = 0x0100,
			.manufacturer = "ccid-relay",
			.product = "bench",
			.serial = "0001",
			.interface = "Bare reader",
		},
		.bInterfaceClass = CCID_INTERFACE_CLASS,
		.class_descriptor_size = CCID_DESCRIPTOR_SIZE,
		.interrupt = true,
		.message_max = CCID_MESSAGE_MAX,
		.missing = ccid_message_missing,
	};

	ccid_descriptor(settings.class_descriptor, &(struct ccid_pin_pad){ .bPINSupport = 0 });
	return settings;
}

static void write_blob(const struct cursor_out *blob)
{
	if (!out_ok(blob) || write(ep0, blob->start, blob->size) != (ssize_t)blob->size)
		give_up("ep0");
}

static int open_file(int mount, const char *name)
{
	int fd = openat(mount, name, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		give_up(name);
	return fd;
}

static void plug(const struct usb_settings *settings)
{
	uint8_t bytes[USB_DESCRIPTORS_MAX];
	struct cursor_out blob = cursor_out(bytes, sizeof(bytes));
	int mount;

	usb_mount_autoload();
	if (usb_gadget_init(&gadget, settings) != 0 || usb_mount(settings->name, &mount) != 0)
		give_up("cannot make the gadget");
	ep0 = open_file(mount, "ep0");
	usb_descriptors_write(&blob, settings, eventfd(0, EFD_CLOEXEC));
	write_blob(&blob);
	blob = cursor_out(bytes, sizeof(bytes));
	usb_strings_write(&blob, settings);
	write_blob(&blob);
	out = open_file(mount, "ep1");
	in = open_file(mount, "ep2");
	notify = open_file(mount, "ep3");
	(void)close(mount);
	if (usb_gadget_bind(&gadget, settings) != 0)
		give_up("cannot bind the gadget");
}

/* Class requests are stalled: by a transfer in the direction that was not asked for. */
static void *watch_ep0(void *unused)
{
	struct usb_functionfs_event event;
	ssize_t r = 0;

	(void)unused;
	while (read(ep0, &event, sizeof(event)) == (ssize_t)sizeof(event)) {
		if (event.type != FUNCTIONFS_SETUP)
			continue;
		if ((event.u.setup.bRequestType & USB_DIR_IN) != 0)
			r = read(ep0, NULL, 0);
		else
			r = write(ep0, NULL, 0);
		if (r >= 0 || errno != EL2HLT)
			log_warning(READER_NAME, "a class request was not stalled");
	}
	return NULL;
}

/* Reads a whole message. Returns its size. */
static size_t receive(uint8_t *bytes, size_t capacity)
{
	size_t size = 0, ask = USB_HIGH_SPEED_BULK;
	ssize_t n;

	for (;;) {
		n = read(out, bytes + size, ask);
		if (n < 0)
			return 0; /* the host has let go; the next read waits for another */
		size += (size_t)n;
		if ((size_t)n < ask)
			return size;
		ask = ccid_message_missing(bytes, size);
		if (ask == 0)
			return size;
		ask = (ask + USB_HIGH_SPEED_BULK - 1) / USB_HIGH_SPEED_BULK * USB_HIGH_SPEED_BULK;
		if (ask > capacity - size)
			return 0;
	}
}

/* An answer of whole packets ends with an empty one (USB 2.0, 5.8.3). */
static void answer_with(const uint8_t *bytes, size_t size)
{
	ssize_t n = write(in, bytes, size);

	if (n > 0 && (size_t)n == size && size % USB_HIGH_SPEED_BULK == 0)
		n = write(in, bytes, 0);
	if (n < 0)
		log_warning(READER_NAME, "an answer was not taken: %s", strerror(errno));
}

static void serve(void)
{
	static uint8_t message[CCID_MESSAGE_MAX + 2 * USB_HIGH_SPEED_BULK], answer[sizeof(message)];
	struct memory_card card = { .packet_size = USB_HIGH_SPEED_BULK };
	size_t size;

	for (;;) {
		size = receive(message, sizeof(message));
		size = memory_card_answer(&card, (struct payload_view){ message, size }, answer,
			sizeof(answer));
		if (size > 0)
			answer_with(answer, size);
	}
}

static void unplug(int number)
{
	(void)number;
	_exit(EXIT_SUCCESS); /* the last file that is closed unbinds the gadget */
}

int main(void)
{
	struct usb_settings settings = reader_settings();
	pthread_t thread;

	log_init(READER_NAME, LOG_LEVEL_INFO);
	plug(&settings);
	(void)signal(SIGTERM, unplug);
	if (pthread_create(&thread, NULL, watch_ep0, NULL) != 0)
		give_up("thread");
	printf("open\n");
	(void)fflush(stdout);
	serve();
}
