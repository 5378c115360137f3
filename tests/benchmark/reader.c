/*
 * bench-reader: a CCID reader on FunctionFS with nothing behind it, which is the floor of what any
 * reader in this guest can cost.
 *
 *     bench-reader [plain|threads|aio|mixed]    "open" on standard output when it is plugged in
 *
 * Its gadget and its descriptors are made as ccid-gadget's, so that the driver treats it as that.
 * But as a rule (plain) one thread does all: it waits for a command in a plain read(), and gives the
 * answer to a plain write(). It has no connection, no timers, and none of the care that a real reader
 * must take of drivers that come and go. For the other ways see endpoint-ways.h.
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
#include "tests/benchmark/endpoint-ways.h"

#define READER_NAME "bench-reader"

static struct usb_gadget gadget = USB_GADGET_NULL;
static struct endpoint_files endpoints;
static int ep0, notify;

static const struct way {
	const char *name;
	void (*serve)(const struct endpoint_files *files);
	int flags; /* of the endpoints' files */
} ways[] = {
	{ "plain", endpoint_serve_plain, 0 },
	{ "threads", endpoint_serve_threads, 0 },
	{ "aio", endpoint_serve_aio, O_NONBLOCK }, /* see gadget/usb/transfer.h */
	{ "mixed", endpoint_serve_mixed, 0 },
};

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

static int open_file(int mount, const char *name, int flags)
{
	int fd = openat(mount, name, O_RDWR | O_CLOEXEC | flags);

	if (fd < 0)
		give_up(name);
	return fd;
}

static void plug(const struct usb_settings *settings, int flags)
{
	uint8_t bytes[USB_DESCRIPTORS_MAX];
	struct cursor_out blob = cursor_out(bytes, sizeof(bytes));
	int mount;

	usb_mount_autoload();
	if (usb_gadget_init(&gadget, settings) != 0 || usb_mount(settings->name, &mount) != 0)
		give_up("cannot make the gadget");
	ep0 = open_file(mount, "ep0", 0);
	usb_descriptors_write(&blob, settings, eventfd(0, EFD_CLOEXEC));
	write_blob(&blob);
	blob = cursor_out(bytes, sizeof(bytes));
	usb_strings_write(&blob, settings);
	write_blob(&blob);
	endpoints.out = open_file(mount, "ep1", flags);
	endpoints.in = open_file(mount, "ep2", flags);
	notify = open_file(mount, "ep3", flags);
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

static void unplug(int number)
{
	(void)number;
	_exit(EXIT_SUCCESS); /* the last file that is closed unbinds the gadget */
}

/* NULL: there is none of this name. */
static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct usb_settings settings = reader_settings();
	const struct way *way = argc > 1 ? find_way(argv[1]) : &ways[0];
	pthread_t thread;

	log_init(READER_NAME, LOG_LEVEL_INFO);
	if (way == NULL || argc > 2) {
		(void)fprintf(stderr, "usage: bench-reader [plain|threads|aio|mixed]\n");
		return 2;
	}
	plug(&settings, way->flags);
	(void)signal(SIGTERM, unplug);
	if (pthread_create(&thread, NULL, watch_ep0, NULL) != 0)
		give_up("thread");
	printf("open\n");
	(void)fflush(stdout);
	way->serve(&endpoints);
	give_up(way->name);
}
