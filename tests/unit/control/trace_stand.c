/*
 * See trace_stand.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/unit/control/trace_stand.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/control/folder.h"

#define LIMIT 5000 /* ms for what should come at once */
#define FILE_MAX (8u * 1024 * 1024)

struct stand stand;

/* ---- the daemon ---- */

void stand_devices(void *owner, struct tracer *tracer)
{
	static const uint8_t class_descriptor[TRACE_CLASS_DESCRIPTOR_SIZE] = { 54, 0x21 };
	const struct trace_device device = { .address = 1, .class_descriptor = class_descriptor, .name = "A reader" };

	(void)owner;
	tracer_add_device(tracer, 1, &device);
}

static json_t *answer(void *owner, const struct control_question *question)
{
	const struct trace_source source = { .tracers = &stand.tracers, .devices = stand_devices, .owner = owner };

	if (question->request.verb != CONTROL_TRACE)
		return json_pack("{s:s}", "verb", control_verb_name(question->request.verb));
	stand.traces++;
	return trace_stream_answer(&source, question);
}

int stand_up(void **state)
{
	char why[CONTROL_WHY_MAX] = "";

	(void)state;
	stand = (struct stand){ .socket = CONTROL_SOCKET_NULL,
		.tracers = { .program = "a program", .interface = "an interface", .bus = 1 } };
	assert_int_equal(uv_loop_init(&stand.loop), 0);
	assert_int_equal(control_socket_open(&stand.socket, folder_socket, why), 0);
	assert_int_equal(control_server_start(&stand.server, &stand.loop, &stand.socket, answer, &stand), 0);
	return 0;
}

int stand_down(void **state)
{
	(void)state;
	if (stand.server == NULL)
		return 0;
	stand.server = control_server_stop(stand.server);
	(void)uv_run(&stand.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&stand.loop), 0);
	assert_null(stand.tracers.first);
	return 0;
}

void stand_run(int ms)
{
	uint64_t begun = uv_hrtime();

	do {
		(void)uv_run(&stand.loop, UV_RUN_NOWAIT);
		(void)poll(NULL, 0, 1);
	} while (uv_hrtime() - begun < (uint64_t)ms * 1000000);
}

void stand_tell(size_t count)
{
	static const uint8_t verify[] = "\x6F\x0D\0\0\0\0\0\0\0\0" "\0\x20\0\x81\x08" PIN;
	static uint32_t call;

	for (size_t i = 0; i < count; i++) {
		struct trace_message message = { .time = 1, .address = 1, .direction = TRACE_OUT, .call = ++call };

		trace_split(&message, (struct payload_view){ verify, sizeof verify - 1 });
		tracers_message(&stand.tracers, &message);
	}
}

/* ---- somebody who traces ---- */

void client_ask(struct client *client, const char *line)
{
	*client = (struct client){ .fd = control_socket_connect(folder_socket), .bytes = malloc(FILE_MAX) };
	assert_true(client->fd >= 0);
	assert_non_null(client->bytes);
	(void)fcntl(client->fd, F_SETFL, O_NONBLOCK);
	assert_int_equal(send(client->fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
}

void client_begin(struct client *client)
{
	size_t before = stand.traces;

	client_ask(client, "trace\n");
	for (int i = 0; i < LIMIT && stand.traces == before; i++)
		stand_run(1);
}

bool client_read(struct client *client)
{
	ssize_t n = recv(client->fd, client->bytes + client->size, FILE_MAX - client->size, 0);

	client->size += n > 0 ? (size_t)n : 0;
	client->end = client->end || n == 0 || (n < 0 && errno != EAGAIN);
	return n > 0;
}

void client_take(struct client *client, bool until_end)
{
	for (int i = 0; i < LIMIT && !client->end; i++) {
		stand_run(1);
		while (client_read(client))
			stand_run(0);
		if (!until_end && i > 20)
			return;
	}
	assert_int_equal(client->end, until_end);
}

struct capture_sum client_finish(struct client *client)
{
	(void)shutdown(client->fd, SHUT_WR);
	client_take(client, true);
	return capture_sum(client->bytes, client->size);
}

void client_go(struct client *client)
{
	(void)close(client->fd);
	free(client->bytes);
	client->bytes = NULL;
}
