/*
 * Traces of a daemon over its control socket: who gets one, what becomes of those who read slowly, or go,
 * or are still there when the daemon ends. Everything but the daemon's readers is real.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

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
#include "tests/unit/control/folder.h"
#include "tests/unit/control/trace_stand.h"

#define LIMIT 5000 /* ms for what should come at once */

static char file[64], said_file[64];

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
	const struct trace_source source = { .tracers = &tracers, .devices = stand_devices };

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
	struct client cut, whole;

	(void)state;
	if (geteuid() != 0)
		skip();
	client_begin(&cut);
	client_ask(&whole, "trace with-data\n");
	stand_run(20);
	stand_tell(3);
	assert_int_equal(client_finish(&cut).packets, TRACE_DEVICE_PACKETS + 3);
	assert_int_equal(client_finish(&whole).packets, TRACE_DEVICE_PACKETS + 3);
	assert_null(memmem(cut.bytes, cut.size, PIN, 3));
	assert_non_null(memmem(whole.bytes, whole.size, PIN, 8));
	client_go(&cut);
	client_go(&whole);
}

/* ---- those who read ---- */

/* Two at once, of which one comes later and goes earlier: each has its own, and the devices. */
static void test_two(void **state)
{
	struct client first, second;
	struct capture_sum sum;

	(void)state;
	client_begin(&first);
	stand_tell(5);
	client_begin(&second);
	stand_tell(7);
	client_take(&first, false);
	sum = client_finish(&second);
	assert_int_equal(sum.packets, TRACE_DEVICE_PACKETS + 7);
	assert_int_equal(sum.ends, 1);
	assert_int_equal(sum.counts.received, TRACE_DEVICE_PACKETS + 7);
	client_go(&second);
	stand_tell(2);
	sum = client_finish(&first);
	assert_int_equal(sum.packets, TRACE_DEVICE_PACKETS + 14);
	assert_int_equal(sum.counts.received, TRACE_DEVICE_PACKETS + 14);
	assert_int_equal(sum.counts.lost, 0);
	client_go(&first);
	stand_run(20);
	assert_null(stand.tracers.first);
}

/* Packets arrive as they are told, and nobody has to ask for the end to see them. */
static void test_at_once(void **state)
{
	struct client client;
	struct capture_sum sum;

	(void)state;
	client_begin(&client);
	for (size_t i = 1; i <= 10; i++) {
		stand_tell(1);
		client_take(&client, false);
		sum = capture_sum(client.bytes, client.size);
		assert_int_equal(sum.packets, TRACE_DEVICE_PACKETS + i);
		assert_int_equal(sum.ends, 0);
	}
	client_go(&client);
}

/* One more than can be: it is told why, costs nothing, and others can still ask. */
static void test_many(void **state)
{
	struct client clients[CONTROL_STREAMS_MAX], client;
	size_t tracers = 0;

	(void)state;
	for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++)
		client_begin(&clients[i]);
	client_ask(&client, "trace\n");
	client_take(&client, true);
	assert_non_null(memmem(client.bytes, client.size, "as many traces as can be", 24));
	client_go(&client);
	client_ask(&client, "status\n");
	client_take(&client, true);
	assert_non_null(memmem(client.bytes, client.size, "\"status\"", 8));
	client_go(&client);
	stand_tell(1);
	for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++) {
		tracers += client_finish(&clients[i]).packets == TRACE_DEVICE_PACKETS + 1;
		client_go(&clients[i]);
	}
	assert_int_equal(tracers, CONTROL_STREAMS_MAX);
	stand_run(20);
	assert_null(stand.tracers.first);
}

/* Who has gone has no place, wherever his was. */
static void test_places(void **state)
{
	struct client clients[CONTROL_STREAMS_MAX], client;
	int others[CONTROL_CLIENTS_MAX - CONTROL_STREAMS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		others[i] = control_socket_connect(folder_socket);
	for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++)
		client_begin(&clients[i]);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		(void)close(others[i]);
	(void)client_finish(&clients[0]);
	client_go(&clients[0]);
	stand_run(20);
	client_begin(&client);
	stand_tell(1);
	assert_int_equal(client_finish(&client).packets, TRACE_DEVICE_PACKETS + 1);
	client_go(&client);
	for (size_t i = 1; i < CONTROL_STREAMS_MAX; i++)
		client_go(&clients[i]);
}

/* ---- those who read slowly, or not ---- */

/* What one doesn't read is bounded; the rest is counted, in the file and at its end, and nobody else waits. */
static void test_slow(void **state)
{
	struct client slow, quick;
	struct capture_sum sum;
	const size_t told = 40000;

	(void)state;
	client_begin(&slow);
	client_begin(&quick);
	for (size_t i = 0; i < told; i += 200) {
		stand_tell(200);
		while (client_read(&quick) || uv_run(&stand.loop, UV_RUN_NOWAIT) == 0)
			;
		stand_run(0);
	}
	/* What waited goes as it reads; the next packet says what is missing before it. */
	client_take(&slow, false);
	assert_true(slow.size < 4u * TRACE_QUEUE_MAX);
	stand_tell(1);
	client_take(&slow, false);
	sum = client_finish(&slow);
	assert_int_equal(sum.counts.received, TRACE_DEVICE_PACKETS + told + 1);
	assert_int_equal(sum.packets + sum.counts.lost, sum.counts.received);
	assert_int_equal(sum.lost, sum.counts.lost);
	assert_true(sum.lost > told / 2);
	sum = client_finish(&quick);
	assert_int_equal(sum.packets, TRACE_DEVICE_PACKETS + told + 1);
	assert_int_equal(sum.counts.lost, 0);
	client_go(&slow);
	client_go(&quick);
}

/* Whoever takes a while to read what is left, but reads, gets all of it. */
static void test_slow_end(void **state)
{
	struct client client;
	struct capture_sum sum;

	(void)state;
	client_begin(&client);
	stand_run(20);
	stand_tell(20000);
	stand_run(20);
	stand_tell(20000);
	(void)shutdown(client.fd, SHUT_WR);
	stand_run(CONTROL_WRITE_MAX * 11 / 20);
	/* So much that the first half of the queue has gone, and not the second one. */
	for (int i = 0; i < LIMIT && client.size < TRACE_QUEUE_MAX; i++) {
		ssize_t n = recv(client.fd, client.bytes + client.size, TRACE_QUEUE_MAX - client.size, 0);

		client.size += n > 0 ? (size_t)n : 0;
		stand_run(1);
	}
	stand_run(CONTROL_WRITE_MAX * 11 / 20);
	sum = client_finish(&client);
	assert_int_equal(sum.ends, 1);
	assert_int_equal(sum.packets + sum.counts.lost, TRACE_DEVICE_PACKETS + 40000);
	client_go(&client);
}

/* One that asks for the end has what was before, and nothing that is told behind it. */
static void test_behind_the_end(void **state)
{
	struct client client;
	struct capture_sum sum;

	(void)state;
	client_begin(&client);
	stand_tell(20000);
	(void)shutdown(client.fd, SHUT_WR);
	stand_run(50);
	assert_int_equal(tracer_counts(stand.tracers.first).received, TRACE_DEVICE_PACKETS + 20000);
	stand_tell(100);
	assert_int_equal(tracer_counts(stand.tracers.first).received, TRACE_DEVICE_PACKETS + 20000);
	sum = client_finish(&client);
	assert_int_equal(sum.counts.received, TRACE_DEVICE_PACKETS + 20000);
	client_go(&client);
}

/* ---- those who go, and the daemon that does ---- */

static void test_go(void **state)
{
	struct client reads, waits, chatters;

	(void)state;
	client_begin(&reads);
	client_begin(&waits);
	client_begin(&chatters);
	stand_tell(20000);
	client_take(&reads, false);
	client_go(&reads);
	client_go(&waits);
	/* It says more than one thing. */
	assert_int_equal(send(chatters.fd, "x", 1, MSG_NOSIGNAL), 1);
	stand_run(50);
	assert_null(stand.tracers.first);
	stand_tell(10);
	client_go(&chatters);
	client_begin(&reads);
	stand_tell(1);
	assert_int_equal(client_finish(&reads).packets, TRACE_DEVICE_PACKETS + 1);
	client_go(&reads);
}

/* The daemon stops: who reads has a file with its end; who doesn't has whole blocks, and makes nobody wait. */
static void test_stop(void **state)
{
	struct client reads, waits;
	struct capture_sum sum;
	uint64_t begun;

	(void)state;
	client_begin(&reads);
	client_begin(&waits);
	stand_tell(10000);
	client_take(&reads, false);
	stand_tell(3);
	begun = uv_hrtime();
	(void)stand_down(state);
	assert_true(uv_hrtime() - begun < CONTROL_WRITE_MAX * 1000000ull);
	while (client_read(&reads))
		;
	sum = capture_sum(reads.bytes, reads.size);
	assert_true(reads.end);
	assert_int_equal(sum.ends, 1);
	assert_int_equal(sum.packets + sum.lost, TRACE_DEVICE_PACKETS + 10003);
	while (client_read(&waits))
		;
	assert_true(waits.end);
	client_go(&reads);
	client_go(&waits);
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
static int await_command(pid_t child)
{
	int status = -1;

	for (int i = 0; i < LIMIT && waitpid(child, &status, WNOHANG) == 0; i++) {
		if (stand.server != NULL)
			stand_run(1);
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

/* A command that has a hundred packets. */
static pid_t start_and_tell(void)
{
	pid_t child = start_command();

	for (int i = 0; i < LIMIT && file_size(file) == 0; i++)
		stand_run(1);
	stand_tell(100);
	stand_run(50);
	return child;
}

static void assert_whole_file(void)
{
	struct capture_sum sum = sum_of_file();

	assert_int_equal(sum.packets, TRACE_DEVICE_PACKETS + 100);
	assert_int_equal(sum.ends, 1);
	assert_said("104 packets\n");
	(void)unlink(file);
}

static void test_command_is_ended(void **state)
{
	pid_t child = start_and_tell();

	(void)state;
	(void)kill(child, SIGTERM);
	assert_int_equal(await_command(child), EXIT_SUCCESS);
	assert_whole_file();
}

static void test_daemon_ends(void **state)
{
	pid_t child = start_and_tell();

	(void)stand_down(state);
	assert_int_equal(await_command(child), EXIT_FAILURE);
	assert_said("the daemon has ended, and so does the trace");
	assert_whole_file();
}

/* A file that can't be made is the end of the trace, on both sides. */
static void test_command_without_file(void **state)
{
	pid_t child;

	(void)state;
	assert_int_equal(symlink("/dev/full", file), 0);
	child = start_command();
	assert_int_equal(await_command(child), EXIT_FAILURE);
	assert_said("is there already");
	stand_run(20);
	assert_null(stand.tracers.first);
	(void)unlink(file);
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

#define WITH_STAND(test) cmocka_unit_test_setup_teardown(test, stand_up, stand_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights),
		WITH_STAND(test_with_data),
		WITH_STAND(test_two),
		WITH_STAND(test_at_once),
		WITH_STAND(test_many),
		WITH_STAND(test_places),
		WITH_STAND(test_slow),
		WITH_STAND(test_slow_end),
		WITH_STAND(test_behind_the_end),
		WITH_STAND(test_go),
		WITH_STAND(test_stop),
		WITH_STAND(test_command_is_ended),
		WITH_STAND(test_daemon_ends),
		WITH_STAND(test_command_without_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
