/*
 * The three ways. See endpoint-ways.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/benchmark/endpoint-ways.h"

#include <errno.h>
#include <linux/usb/functionfs.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "gadget/ccid/descriptor.h"
#include "gadget/ccid/message.h"
#include "gadget/usb/descriptors.h"
#include "gadget/usb/transfer.h"
#include "tests/benchmark/memory-card.h"

#define WAYS "endpoints"
#define TRANSFERS 2

/* A command, as far as it has been read. */
struct incoming {
	uint8_t bytes[CCID_MESSAGE_MAX + 2 * USB_HIGH_SPEED_BULK];
	size_t size;
	size_t ask; /* for the next read */
};

struct answer {
	uint8_t bytes[sizeof(((struct incoming *)0)->bytes)];
	size_t size;
};

static struct incoming incoming;
static struct answer answer;
static struct memory_card card = { .packet_size = USB_HIGH_SPEED_BULK };

static void incoming_restart(void)
{
	incoming.size = 0;
	incoming.ask = USB_HIGH_SPEED_BULK;
}

/* Whether the command is whole with n more bytes. One that makes no sense is forgotten. */
static bool incoming_take(size_t n)
{
	bool is_short = n < incoming.ask;

	incoming.size += n;
	incoming.ask = ccid_message_missing(incoming.bytes, incoming.size);
	if (is_short || incoming.ask == 0)
		return true;
	incoming.ask = (incoming.ask + USB_HIGH_SPEED_BULK - 1) / USB_HIGH_SPEED_BULK * USB_HIGH_SPEED_BULK;
	if (incoming.ask > sizeof(incoming.bytes) - incoming.size)
		incoming_restart();
	return false;
}

static void make_answer(void)
{
	answer.size = memory_card_answer(&card,
		(struct payload_view){ incoming.bytes, incoming.size }, answer.bytes, sizeof(answer.bytes));
}

/* ---- plain, and what the threads do ---- */

static void read_command(int out)
{
	ssize_t n;

	incoming_restart();
	do {
		n = read(out, incoming.bytes + incoming.size, incoming.ask);
		if (n < 0)
			incoming_restart(); /* the host has let go; the next read waits for another */
	} while (n < 0 || !incoming_take((size_t)n));
}

/* An answer of whole packets ends with an empty one (USB 2.0, 5.8.3). */
static void write_answer(int in)
{
	ssize_t n = write(in, answer.bytes, answer.size);

	if (n > 0 && (size_t)n == answer.size && answer.size % USB_HIGH_SPEED_BULK == 0)
		n = write(in, answer.bytes, 0);
	if (n < 0)
		log_warning(WAYS, "an answer was not taken: %s", strerror(errno));
}

void endpoint_serve_plain(const struct endpoint_files *files)
{
	for (;;) {
		read_command(files->out);
		make_answer();
		if (answer.size > 0)
			write_answer(files->in);
	}
}

/* ---- threads ---- */

/* What they tell each other by: a command is there, it was taken, an answer is there. */
static int arrived, taken, due;
static atomic_bool is_there; /* a command */

static void wait_for(int event)
{
	eventfd_t rings;

	while (eventfd_read(event, &rings) != 0)
		continue;
}

static void *run_reader(void *argument)
{
	const struct endpoint_files *files = argument;

	for (;;) {
		read_command(files->out);
		atomic_store(&is_there, true);
		(void)eventfd_write(arrived, 1);
		wait_for(taken);
	}
	return NULL;
}

static void *run_writer(void *argument)
{
	const struct endpoint_files *files = argument;

	for (;;) {
		wait_for(due);
		write_answer(files->in);
	}
	return NULL;
}

static int start_thread(void *(*run)(void *), const struct endpoint_files *files)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, run, (void *)(uintptr_t)files);
	return errno;
}

void endpoint_serve_threads(const struct endpoint_files *files)
{
	struct pollfd bell;

	arrived = eventfd(0, EFD_CLOEXEC);
	taken = eventfd(0, EFD_CLOEXEC);
	due = eventfd(0, EFD_CLOEXEC);
	bell = (struct pollfd){ .fd = arrived, .events = POLLIN };
	if (arrived < 0 || taken < 0 || due < 0 || start_thread(run_reader, files) != 0 ||
	    start_thread(run_writer, files) != 0)
		return;
	while (poll(&bell, 1, -1) >= 0 || errno == EINTR) {
		wait_for(arrived);
		make_answer();
		(void)eventfd_write(taken, 1);
		if (answer.size > 0)
			(void)eventfd_write(due, 1);
	}
}

/* ---- aio ---- */

struct aio {
	io_context_t context;
	int bell, mute;
	struct usb_transfer out, in;
	bool empty_is_due; /* after an answer of whole packets */
};

static void aio_check(int r)
{
	if (r < 0)
		log_warning(WAYS, "a transfer can't be started: %s", strerror(-r));
}

static void aio_read(struct aio *aio)
{
	aio_check(usb_transfer_read(&aio->out, aio->context, aio->bell,
		incoming.bytes + incoming.size, incoming.ask));
}

static void aio_write(struct aio *aio, bool quiet)
{
	if (answer.size == 0)
		return;
	aio->empty_is_due = answer.size % USB_HIGH_SPEED_BULK == 0;
	quiet = quiet && !aio->empty_is_due;
	aio_check(usb_transfer_write(&aio->in, aio->context, quiet ? aio->mute : aio->bell, quiet,
		answer.bytes, answer.size));
}

/* Before the answer is written, the next read: so it is in place when the host gets it. */
static void aio_answer(struct aio *aio)
{
	make_answer();
	incoming_restart();
	aio_read(aio);
	aio_write(aio, true);
}

static void aio_out_done(struct aio *aio)
{
	aio->out.done = false;
	if (aio->out.result < 0)
		incoming_restart();
	if (aio->out.result >= 0 && incoming_take((size_t)aio->out.result))
		aio_answer(aio);
	else
		aio_read(aio);
}

static void aio_in_done(struct aio *aio)
{
	aio->in.done = false;
	if (!aio->empty_is_due || aio->in.result < 0)
		return;
	aio->empty_is_due = false;
	aio_check(usb_transfer_write(&aio->in, aio->context, aio->bell, false, answer.bytes, 0));
}

static bool aio_start(struct aio *aio, const struct endpoint_files *files)
{
	*aio = (struct aio){ .out = USB_TRANSFER_NULL, .in = USB_TRANSFER_NULL };
	aio->out.fd = files->out;
	aio->in.fd = files->in;
	aio->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	aio->mute = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	errno = -io_setup(TRANSFERS, &aio->context); /* libaio returns -errno */
	return aio->bell >= 0 && aio->mute >= 0 && errno == 0;
}

/* Until the bell rings, and collects what is through. */
static bool aio_wait(struct aio *aio)
{
	struct pollfd bell = { .fd = aio->bell, .events = POLLIN };
	eventfd_t rings;

	if (poll(&bell, 1, -1) < 0 && errno != EINTR)
		return false;
	(void)eventfd_read(aio->bell, &rings);
	aio_check(usb_transfer_harvest(aio->context));
	return true;
}

void endpoint_serve_aio(const struct endpoint_files *files)
{
	static struct aio aio;

	if (!aio_start(&aio, files))
		return;
	incoming_restart();
	aio_read(&aio);
	while (aio_wait(&aio)) {
		if (aio.in.done)
			aio_in_done(&aio);
		if (aio.out.done)
			aio_out_done(&aio);
	}
}

/* ---- a thread that reads, and aio that writes ---- */

void endpoint_serve_mixed(const struct endpoint_files *files)
{
	static struct aio aio;

	taken = eventfd(0, EFD_CLOEXEC);
	if (taken < 0 || !aio_start(&aio, files))
		return;
	arrived = aio.bell;
	if (start_thread(run_reader, files) != 0)
		return;
	while (aio_wait(&aio)) {
		if (aio.in.done)
			aio_in_done(&aio);
		/* The kernel's worker may say later that an answer is through than the thread reads on. */
		if (usb_transfer_is_active(&aio.in) || !atomic_exchange(&is_there, false))
			continue;
		make_answer();
		(void)eventfd_write(taken, 1);
		aio_write(&aio, false);
	}
}
