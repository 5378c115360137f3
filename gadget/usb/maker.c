/*
 * The daemon's end of the socket to the maker. See maker.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/maker.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "gadget/usb/fd_message.h"
#include "gadget/usb/maker_process.h"
#include "gadget/usb/maker_record.h"

/* ms; its slowest request takes two seconds: the kernel takes down what a dead process left */
#define MAKER_PATIENCE 20000

struct usb_maker {
	int socket;
	bool broken; /* it has ended, or did not answer */
	pid_t process;
};

int usb_maker_start(struct usb_maker **makerp, const struct usb_maker_rules *rules)
{
	struct usb_maker *maker = calloc(1, sizeof(*maker));
	int ends[2];

	*makerp = NULL;
	if (maker == NULL)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		free(maker);
		return error_from_errno();
	}
	maker->process = fork();
	if (maker->process == 0) {
		(void)close(ends[0]);
		_exit(usb_maker_run(ends[1], rules));
	}
	(void)close(ends[1]);
	maker->socket = ends[0];
	if (maker->process < 0) {
		(void)close(maker->socket);
		free(maker);
		return error_from_errno();
	}
	*makerp = maker;
	return 0;
}

int usb_maker_fd(const struct usb_maker *maker)
{
	return maker->socket;
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
}

/* Nothing that comes after a failure could be told from a late answer: so nothing does. */
static int maker_broken(struct usb_maker *maker, int error)
{
	log_error("usb", "the process that makes USB devices does not answer");
	(void)shutdown(maker->socket, SHUT_RDWR);
	maker->broken = true;
	return error;
}

/* The socket is in the loop, which reads nothing from it but made it non-blocking. Fatal: -errno. */
static int maker_wait(const struct usb_maker *maker)
{
	struct pollfd answer = { .fd = maker->socket, .events = POLLIN };
	int r;

	do
		r = poll(&answer, 1, MAKER_PATIENCE);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return error_from_errno();
	return r == 1 ? 0 : -ETIMEDOUT;
}

/* Asks, and waits. files, of FD_MESSAGE_MAX, are what the answer brought. Fatal: -errno. */
static int maker_ask(struct usb_maker *maker, const struct usb_maker_request *request, int bell,
	struct usb_maker_answer *answer, int *files, size_t *count)
{
	uint8_t bytes[USB_MAKER_REQUEST_SIZE], answered[USB_MAKER_ANSWER_SIZE];
	struct payload_view view = { .bytes = answered };
	int r;

	*count = 0;
	if (maker->broken)
		return -EPIPE;
	usb_maker_request_encode(request, bytes);
	r = fd_message_send(maker->socket, bytes, sizeof(bytes), &bell, bell >= 0 ? 1 : 0);
	if (r == 0)
		r = maker_wait(maker);
	if (r == 0)
		r = fd_message_receive(maker->socket, answered, sizeof(answered), files, count);
	if (r <= 0)
		return maker_broken(maker, r < 0 ? r : -EPIPE);
	view.size = (size_t)r;
	if (usb_maker_answer_decode(view, answer) == 0)
		return 0;
	close_all(files, *count);
	*count = 0;
	return maker_broken(maker, -EPROTO);
}

/* A request that brings no files. Returns the answer's result. */
static int maker_do(struct usb_maker *maker, enum usb_maker_type type, const char *name,
	struct usb_maker_answer *answer)
{
	struct usb_maker_request request = { .type = type };
	int files[FD_MESSAGE_MAX];
	size_t count;
	int r;

	(void)snprintf(request.settings.name, sizeof(request.settings.name), "%s", name);
	r = maker_ask(maker, &request, -1, answer, files, &count);
	close_all(files, count);
	return r == 0 ? answer->result : r;
}

int usb_maker_make(struct usb_maker *maker, const struct usb_settings *settings, int bell,
	struct usb_files *files)
{
	const struct usb_maker_request request = { .type = USB_MAKER_MAKE, .settings = *settings };
	size_t count, wanted = settings->interrupt ? 4 : 3;
	struct usb_maker_answer answer;
	int fds[FD_MESSAGE_MAX];
	int r = maker_ask(maker, &request, bell, &answer, fds, &count);

	if (r == 0)
		r = answer.result;
	if (r == 0 && count != wanted)
		r = -EPROTO;
	if (r != 0) {
		close_all(fds, count);
		return r;
	}
	*files = (struct usb_files){ .ep0 = fds[0], .out = fds[1], .in = fds[2],
		.notify = wanted == 4 ? fds[3] : -1 };
	return 0;
}

int usb_maker_bind(struct usb_maker *maker, const char *name, char *udc)
{
	struct usb_maker_answer answer;
	int r = maker_do(maker, USB_MAKER_BIND, name, &answer);

	if (r == 0)
		(void)snprintf(udc, sizeof(answer.udc), "%s", answer.udc);
	return r;
}

void usb_maker_unbind(struct usb_maker *maker, const char *name)
{
	struct usb_maker_answer answer;

	/* Without a maker, closing the files unbinds. */
	(void)maker_do(maker, USB_MAKER_UNBIND, name, &answer);
}

void usb_maker_remove(struct usb_maker *maker, const char *name)
{
	struct usb_maker_answer answer;

	(void)maker_do(maker, USB_MAKER_REMOVE, name, &answer);
}

struct usb_maker *usb_maker_free(struct usb_maker *maker)
{
	if (maker == NULL)
		return NULL;
	(void)close(maker->socket);
	while (waitpid(maker->process, NULL, 0) < 0 && errno == EINTR)
		;
	free(maker);
	return NULL;
}
