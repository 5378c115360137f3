/*
 * Traces of a daemon over its control socket: who gets one, what becomes of those who read slowly, or go,
 * or are still there when the daemon ends. Everything but the daemon's readers is real.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/record.h"
#include "control/trace_stream.h"
#include "tests/unit/control/folder.h"
#include "tests/unit/trace/capture.h"

#define PIN "93471856"
#define LIMIT 5000 /* ms for what should come at once */
#define FILE_MAX (8u * 1024 * 1024)

static char file[64], said_file[64];

/* VERIFY */
static const uint8_t verify[] = "\x6F\x0D\0\0\0\0\0\0\0\0" "\0\x20\0\x81\x08" PIN;
static const uint8_t class_descriptor[TRACE_CLASS_DESCRIPTOR_SIZE] = { 54, 0x21 };

struct stand {
	uv_loop_t loop;
	struct control_socket socket;
	struct control_server *server;
	struct tracers tracers;
	size_t traces;  /* that were asked for */
};

static void tell_devices(void *owner, struct tracer *tracer)
{
	const struct trace_device device = { .address = 1, .class_descriptor = class_descriptor, .name = "A reader" };

	(void)owner;
	tracer_add_device(tracer, 1, &device);
}

static json_t *answer(void *owner, const struct control_question *question)
{
	struct stand *stand = owner;
	const struct trace_source source = { .tracers = &stand->tracers, .devices = tell_devices, .owner = stand };

	if (question->request.verb != CONTROL_TRACE)
		return json_pack("{s:s}", "verb", control_verb_name(question->request.verb));
	stand->traces++;
	return trace_stream_answer(&source, question);
}

static void stand_up(struct stand *stand)
{
	char why[CONTROL_WHY_MAX] = "";

	*stand = (struct stand){ .socket = CONTROL_SOCKET_NULL,
		.tracers = { .program = "a program", .interface = "an interface", .bus = 1 } };
	assert_int_equal(uv_loop_init(&stand->loop), 0);
	assert_int_equal(control_socket_open(&stand->socket, folder_socket, why), 0);
	assert_int_equal(control_server_start(&stand->server, &stand->loop, &stand->socket, answer, stand), 0);
}

static void take_down(struct stand *stand)
{
	stand->server = control_server_stop(stand->server);
	(void)uv_run(&stand->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&stand->loop), 0);
	assert_null(stand->tracers.first);
}

static void run_for(struct stand *stand, int ms)
{
	uint64_t begun = uv_hrtime();

	do {
		(void)uv_run(&stand->loop, UV_RUN_NOWAIT);
		(void)poll(NULL, 0, 1);
	} while (uv_hrtime() - begun < (uint64_t)ms * 1000000);
}

/* So many packets, whose numbers in the comment follow each other. */
static void tell(struct stand *stand, size_t count)
{
	static uint32_t call;

	for (size_t i = 0; i < count; i++) {
		struct trace_message message = { .time = 1, .address = 1, .direction = TRACE_OUT, .call = ++call };

		trace_split(&message, (struct payload_view){ verify, sizeof verify - 1 });
		tracers_message(&stand->tracers, &message);
	}
}

/* ---- somebody who traces ---- */

struct client {
	int fd;
	uint8_t *bytes; /* that have come */
	size_t size;
	bool end;
};

static void client_ask(struct client *client, const char *line)
{
	*client = (struct client){ .fd = control_socket_connect(folder_socket), .bytes = malloc(FILE_MAX) };
	assert_true(client->fd >= 0);
	assert_non_null(client->bytes);
	(void)fcntl(client->fd, F_SETFL, O_NONBLOCK);
	assert_int_equal(send(client->fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
}

static void begin(struct stand *stand, struct client *client)
{
	size_t before = stand->traces;

	client_ask(client, "trace\n");
	for (int i = 0; i < LIMIT && stand->traces == before; i++)
		run_for(stand, 1);
}

static void go(struct client *client)
{
	(void)close(client->fd);
	free(client->bytes);
	client->bytes = NULL;
}

static bool read_once(struct client *client)
{
	ssize_t n = recv(client->fd, client->bytes + client->size, FILE_MAX - client->size, 0);

	client->size += n > 0 ? (size_t)n : 0;
	client->end = client->end || n == 0 || (n < 0 && errno != EAGAIN);
	return n > 0;
}

/* Reads while there is something, or until the end. */
static void take(struct stand *stand, struct client *client, bool until_end)
{
	for (int i = 0; i < LIMIT && !client->end; i++) {
		run_for(stand, 1);
		while (read_once(client))
			run_for(stand, 0);
		if (!until_end && i > 20)
			return;
	}
	assert_int_equal(client->end, until_end);
}

/* Asks for the end, and reads up to it. */
static struct capture_sum finish(struct stand *stand, struct client *client)
{
	(void)shutdown(client->fd, SHUT_WR);
	take(stand, client, true);
	return capture_sum(client->bytes, client->size);
}

/* ---- who gets one ---- */

static void test_rights(void **state)
{
	static const struct {
		bool trusted, root;
		const char *argument;
		const char *error;
	} rows[] = {
		{ false, false, "", "a trace is for root and the daemon's user only" },
		{ false, false, "with-data", "a trace is for root and the daemon's user only" },
		{ true, false, "with-data", "a trace with data shows PINs and keys: it is for root only" },
		{ true, true, "with-dat", "this daemon knows no such trace" },
		{ true, true, "with-data2", "this daemon knows no such trace" },
		{ false, false, "x", "this daemon knows no such trace" },
	};
	struct tracers tracers = { .program = "a program", .interface = "an interface" };
	const struct trace_source source = { .tracers = &tracers, .devices = tell_devices };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct control_question question = { .request = { .verb = CONTROL_TRACE }, .trusted = rows[i].trusted,
			.root = rows[i].root };
		json_t *error;

		(void)snprintf(question.request.argument, sizeof question.request.argument, "%s", rows[i].argument);
		error = trace_stream_answer(&source, &question);
		assert_memory_equal(control_json_get(error, "error", ""), rows[i].error, strlen(rows[i].error));
		assert_null(tracers.first);
		json_decref(error);
	}
}

static void test_with_data(void **state)
{
	struct stand stand;
	struct client cut, whole;

	(void)state;
	if (geteuid() != 0)
		skip();
	stand_up(&stand);
	begin(&stand, &cut);
	client_ask(&whole, "trace with-data\n");
	run_for(&stand, 20);
	tell(&stand, 3);
	assert_int_equal(finish(&stand, &cut).packets, TRACE_DEVICE_PACKETS + 3);
	assert_int_equal(finish(&stand, &whole).packets, TRACE_DEVICE_PACKETS + 3);
	assert_null(memmem(cut.bytes, cut.size, PIN, 3));
	assert_non_null(memmem(whole.bytes, whole.size, PIN, 8));
	go(&cut);
	go(&whole);
	take_down(&stand);
}

/* ---- those who read ---- */

/* Two at once, of which one comes later and goes earlier: each has its own, and the devices. */
static void test_two(void **state)
{
	struct stand stand;
	struct client first, second;
	struct capture_sum sum;

	(void)state;
	stand_up(&stand);
	begin(&stand, &first);
	tell(&stand, 5);
	begin(&stand, &second);
	tell(&stand, 7);
	take(&stand, &first, false);
	sum = finish(&stand, &second);
	assert_int_equal(sum.packets, TRACE_DEVICE_PACKETS + 7);
	assert_int_equal(sum.ends, 1);
	assert_int_equal(sum.counts.received, TRACE_DEVICE_PACKETS + 7);
	go(&second);
	tell(&stand, 2);
	sum = finish(&stand, &first);
	assert_int_equal(sum.packets, TRACE_DEVICE_PACKETS + 14);
	assert_int_equal(sum.counts.received, TRACE_DEVICE_PACKETS + 14);
	assert_int_equal(sum.counts.lost, 0);
	go(&first);
	run_for(&stand, 20);
	assert_null(stand.tracers.first);
	take_down(&stand);
}

/* Packets arrive as they are told, and nobody has to ask for the end to see them. */
static void test_at_once(void **state)
{
	struct stand stand;
	struct client client;
	struct capture_sum sum;

	(void)state;
	stand_up(&stand);
	begin(&stand, &client);
	for (size_t i = 1; i <= 10; i++) {
		tell(&stand, 1);
		take(&stand, &client, false);
		sum = capture_sum(client.bytes, client.size);
		assert_int_equal(sum.packets, TRACE_DEVICE_PACKETS + i);
		assert_int_equal(sum.ends, 0);
	}
	go(&client);
	take_down(&stand);
}

/* One more than can be: it is told why, costs nothing, and others can still ask. */
static void test_many(void **state)
{
	struct stand stand;
	struct client clients[CONTROL_STREAMS_MAX], client;
	size_t tracers = 0;

	(void)state;
	stand_up(&stand);
	for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++)
		begin(&stand, &clients[i]);
	client_ask(&client, "trace\n");
	take(&stand, &client, true);
	assert_non_null(memmem(client.bytes, client.size, "as many traces as can be", 24));
	go(&client);
	client_ask(&client, "status\n");
	take(&stand, &client, true);
	assert_non_null(memmem(client.bytes, client.size, "\"status\"", 8));
	go(&client);
	tell(&stand, 1);
	for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++) {
		tracers += finish(&stand, &clients[i]).packets == TRACE_DEVICE_PACKETS + 1;
		go(&clients[i]);
	}
	assert_int_equal(tracers, CONTROL_STREAMS_MAX);
	run_for(&stand, 20);
	assert_null(stand.tracers.first);
	take_down(&stand);
}

/* Who has gone has no place, wherever his was. */
static void test_places(void **state)
{
	struct stand stand;
	struct client clients[CONTROL_STREAMS_MAX], client;
	int others[CONTROL_CLIENTS_MAX - CONTROL_STREAMS_MAX];

	(void)state;
	stand_up(&stand);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		others[i] = control_socket_connect(folder_socket);
	for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++)
		begin(&stand, &clients[i]);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		(void)close(others[i]);
	(void)finish(&stand, &clients[0]);
	go(&clients[0]);
	run_for(&stand, 20);
	begin(&stand, &client);
	tell(&stand, 1);
	assert_int_equal(finish(&stand, &client).packets, TRACE_DEVICE_PACKETS + 1);
	go(&client);
	for (size_t i = 1; i < CONTROL_STREAMS_MAX; i++)
		go(&clients[i]);
	take_down(&stand);
}

/* ---- those who read slowly, or not ---- */

/* What one doesn't read is bounded; the rest is counted, in the file and at its end, and nobody else waits. */
static void test_slow(void **state)
{
	struct stand stand;
	struct client slow, quick;
	struct capture_sum sum;
	const size_t told = 40000;

	(void)state;
	stand_up(&stand);
	begin(&stand, &slow);
	begin(&stand, &quick);
	for (size_t i = 0; i < told; i += 200) {
		tell(&stand, 200);
		while (read_once(&quick) || uv_run(&stand.loop, UV_RUN_NOWAIT) == 0)
			;
		run_for(&stand, 0);
	}
	/* What waited goes as it reads; the next packet says what is missing before it. */
	take(&stand, &slow, false);
	assert_true(slow.size < 4u * TRACE_QUEUE_MAX);
	tell(&stand, 1);
	take(&stand, &slow, false);
	sum = finish(&stand, &slow);
	assert_int_equal(sum.counts.received, TRACE_DEVICE_PACKETS + told + 1);
	assert_int_equal(sum.packets + sum.counts.lost, sum.counts.received);
	assert_int_equal(sum.lost, sum.counts.lost);
	assert_true(sum.lost > told / 2);
	sum = finish(&stand, &quick);
	assert_int_equal(sum.packets, TRACE_DEVICE_PACKETS + told + 1);
	assert_int_equal(sum.counts.lost, 0);
	go(&slow);
	go(&quick);
	take_down(&stand);
}

/* Whoever takes a while to read what is left, but reads, gets all of it. */
static void test_slow_end(void **state)
{
	struct stand stand;
	struct client client;
	struct capture_sum sum;

	(void)state;
	stand_up(&stand);
	begin(&stand, &client);
	run_for(&stand, 20);
	tell(&stand, 20000);
	run_for(&stand, 20);
	tell(&stand, 20000);
	(void)shutdown(client.fd, SHUT_WR);
	run_for(&stand, CONTROL_WRITE_MAX * 11 / 20);
	/* So much that the first half of the queue has gone, and not the second one. */
	for (int i = 0; i < LIMIT && client.size < TRACE_QUEUE_MAX; i++) {
		ssize_t n = recv(client.fd, client.bytes + client.size, TRACE_QUEUE_MAX - client.size, 0);

		client.size += n > 0 ? (size_t)n : 0;
		run_for(&stand, 1);
	}
	run_for(&stand, CONTROL_WRITE_MAX * 11 / 20);
	take(&stand, &client, true);
	sum = capture_sum(client.bytes, client.size);
	assert_int_equal(sum.ends, 1);
	assert_int_equal(sum.packets + sum.counts.lost, TRACE_DEVICE_PACKETS + 40000);
	go(&client);
	take_down(&stand);
}

/* One that asks for the end has what was before, and nothing that is told behind it. */
static void test_behind_the_end(void **state)
{
	struct stand stand;
	struct client client;
	struct capture_sum sum;

	(void)state;
	stand_up(&stand);
	begin(&stand, &client);
	tell(&stand, 20000);
	(void)shutdown(client.fd, SHUT_WR);
	run_for(&stand, 50);
	assert_int_equal(tracer_counts(stand.tracers.first).received, TRACE_DEVICE_PACKETS + 20000);
	tell(&stand, 100);
	assert_int_equal(tracer_counts(stand.tracers.first).received, TRACE_DEVICE_PACKETS + 20000);
	take(&stand, &client, true);
	sum = capture_sum(client.bytes, client.size);
	assert_int_equal(sum.counts.received, TRACE_DEVICE_PACKETS + 20000);
	go(&client);
	take_down(&stand);
}

/* ---- those who go, and the daemon that does ---- */

static void test_go(void **state)
{
	struct stand stand;
	struct client reads, waits, chatters;

	(void)state;
	stand_up(&stand);
	begin(&stand, &reads);
	begin(&stand, &waits);
	begin(&stand, &chatters);
	tell(&stand, 20000);
	take(&stand, &reads, false);
	go(&reads);
	go(&waits);
	/* It says more than one thing. */
	assert_int_equal(send(chatters.fd, "x", 1, MSG_NOSIGNAL), 1);
	run_for(&stand, 50);
	assert_null(stand.tracers.first);
	tell(&stand, 10);
	go(&chatters);
	begin(&stand, &reads);
	tell(&stand, 1);
	assert_int_equal(finish(&stand, &reads).packets, TRACE_DEVICE_PACKETS + 1);
	go(&reads);
	take_down(&stand);
}

/* The daemon stops: who reads has a file with its end; who doesn't has whole blocks, and makes nobody wait. */
static void test_stop(void **state)
{
	struct stand stand;
	struct client reads, waits;
	struct capture_sum sum;
	uint64_t begun;

	(void)state;
	stand_up(&stand);
	begin(&stand, &reads);
	begin(&stand, &waits);
	tell(&stand, 10000);
	take(&stand, &reads, false);
	tell(&stand, 3);
	begun = uv_hrtime();
	take_down(&stand);
	assert_true(uv_hrtime() - begun < CONTROL_WRITE_MAX * 1000000ull);
	while (read_once(&reads))
		;
	sum = capture_sum(reads.bytes, reads.size);
	assert_true(reads.end);
	assert_int_equal(sum.ends, 1);
	assert_int_equal(sum.packets + sum.lost, TRACE_DEVICE_PACKETS + 10003);
	while (read_once(&waits))
		;
	assert_true(waits.end);
	go(&reads);
	go(&waits);
}

/* ---- the command at the other end ---- */

static pid_t start_command(void)
{
	const struct control_recording recording = { .program = "program", .path = folder_socket, .file = file };
	pid_t child;
	int said;

	(void)fflush(NULL);
	child = fork();
	if (child != 0)
		return child;
	said = open(said_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (said < 0 || dup2(said, STDERR_FILENO) < 0)
		_exit(EXIT_FAILURE);
	_exit(control_record(&recording));
}

/* Lets the loop run until the command ends. Returns its exit status. */
static int await_command(struct stand *stand, pid_t child)
{
	int status = -1;

	for (int i = 0; i < LIMIT && waitpid(child, &status, WNOHANG) == 0; i++) {
		if (stand->server != NULL)
			run_for(stand, 1);
		else
			(void)poll(NULL, 0, 1);
	}
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static struct capture_sum sum_of_file(void)
{
	static uint8_t bytes[1024 * 1024];
	FILE *stream = fopen(file, "r");
	size_t size;

	assert_non_null(stream);
	size = fread(bytes, 1, sizeof bytes, stream);
	(void)fclose(stream);
	return capture_sum(bytes, size);
}

static void assert_said(const char *words)
{
	char said[2048];
	FILE *stream = fopen(said_file, "r");

	assert_non_null(stream);
	said[fread(said, 1, sizeof said - 1, stream)] = '\0';
	(void)fclose(stream);
	if (strstr(said, words) == NULL)
		fail_msg("\"%s\" isn't said, but: %s", words, said);
}

/* The user ends the trace; the daemon does. */
static void test_command(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stand stand;
		struct capture_sum sum;
		pid_t child;

		stand_up(&stand);
		child = start_command();
		for (int k = 0; k < LIMIT && file_size(file) == 0; k++)
			run_for(&stand, 1);
		tell(&stand, 100);
		run_for(&stand, 50);
		if (i == 0)
			(void)kill(child, SIGTERM);
		else
			take_down(&stand);
		assert_int_equal(await_command(&stand, child), i == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
		assert_said("104 packets\n");
		if (i == 0)
			take_down(&stand);
		else
			assert_said("the daemon has ended, and so does the trace");
		sum = sum_of_file();
		assert_int_equal(sum.packets, TRACE_DEVICE_PACKETS + 100);
		assert_int_equal(sum.ends, 1);
		(void)unlink(file);
	}
}

/* A file that can't be made is the end of the trace, on both sides. */
static void test_command_without_file(void **state)
{
	struct stand stand;
	pid_t child;

	(void)state;
	stand_up(&stand);
	assert_int_equal(symlink("/dev/full", file), 0);
	child = start_command();
	assert_int_equal(await_command(&stand, child), EXIT_FAILURE);
	assert_said("is there already");
	run_for(&stand, 20);
	assert_null(stand.tracers.first);
	(void)unlink(file);
	take_down(&stand);
}

static int set_up(void **state)
{
	if (folder_set_up(state) != 0)
		return -1;
	(void)snprintf(file, sizeof file, "%s/x.pcapng", folder_path);
	(void)snprintf(said_file, sizeof said_file, "%s/said", folder_path);
	return 0;
}

static int tear_down(void **state)
{
	(void)unlink(said_file);
	return folder_tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_with_data),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_slow_end),
		cmocka_unit_test(test_behind_the_end),
		cmocka_unit_test(test_go),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_command_without_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
