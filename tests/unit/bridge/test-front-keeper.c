/*
 * Fronts that have been taken over, or never were ours: whatever they write into their pipe, or
 * don't read from it, core's loop goes on, its memory stays small, and there is a new front soon.
 *
 * The program is its own front: core starts /proc/self/exe with the role, so main() plays the one
 * that is named by the file of the endpoint.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "host-bridge/frame_buffer.h"
#include "host-bridge/front.h"
#include "host-bridge/front_keeper.h"
#include "host-bridge/front_record.h"
#include "host-bridge/process.h"

#define HEARTBEAT 10 /* ms of a timer that tells whether the loop goes on */

/* ---- the fronts ---- */

static void say(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size > 0) {
		ssize_t n = write(PROCESS_CHANNEL, at, size);

		if (n <= 0)
			_exit(1);
		at += n;
		size -= (size_t)n;
	}
}

static void say_record(enum front_record_type type, const char *text)
{
	static uint8_t bytes[FRAME_PREFIX + FRONT_RECORD_MAX];
	const struct front_record record = {
		.type = type,
		.route = {
			.bytes = { 1, 2, 3, 4, 0x80, 0, 0, 1 },
			.size = type == FRONT_FRAME ? 8 : 0,
		},
		.content = { (const uint8_t *)text, strlen(text) },
	};
	size_t size = 0;

	assert_int_equal(front_record_encode(&record, bytes, &size), 0);
	say(bytes, size);
}

static void listen_in_folder(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "./" FRONT_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fchdir(PROCESS_FOLDER) != 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0)
		_exit(2);
}

static void read_everything(void)
{
	char bytes[4096];

	while (read(PROCESS_CHANNEL, bytes, sizeof bytes) > 0)
		continue;
}

static void play_good(void)
{
	say_record(FRONT_READY, "");
	say_record(FRONT_FRAME, "hello");
	read_everything();
}

static void play_garbage(void)
{
	static const uint8_t garbage[256] = { 0x10, 0, 0, 0, 0x77, 0x01, 0x02 };

	say_record(FRONT_READY, "");
	say(garbage, sizeof garbage);
	read_everything();
}

static void play_huge(void)
{
	static const uint8_t huge[] = { 0xFF, 0xFF, 0xFF, 0xFF, 1, 0 };

	say_record(FRONT_READY, "");
	say(huge, sizeof huge);
	read_everything();
}

static void play_route(void)
{
	static const uint8_t route[] = { 4, 0, 0, 0, 1, 200, 1, 2 };

	say_record(FRONT_READY, "");
	say(route, sizeof route);
	read_everything();
}

static void play_truncated(void)
{
	static const uint8_t half[] = { 100, 0, 0, 0, 1, 8, 1, 2, 3 };

	say_record(FRONT_READY, "");
	say(half, sizeof half);
}

static void play_early(void)
{
	say_record(FRONT_FRAME, "hello");
	say_record(FRONT_READY, "");
	read_everything();
}

static void play_twice(void)
{
	say_record(FRONT_READY, "");
	say_record(FRONT_READY, "");
	read_everything();
}

static void play_late(void)
{
	say_record(FRONT_READY, "");
	say_record(FRONT_PROBLEM, "not any more");
	read_everything();
}

static void play_flood(void)
{
	say_record(FRONT_READY, "");
	for (;;)
		say_record(FRONT_FRAME, "x");
}

static void play_deaf(void)
{
	say_record(FRONT_READY, "");
	for (;;)
		(void)pause();
}

/* Its sockets are there, and nobody behind them. */
static void play_hung(void)
{
	say_record(FRONT_READY, "");
	(void)raise(SIGSTOP);
}

static void play_pong(void)
{
	say_record(FRONT_READY, "");
	say_record(FRONT_PING, "");
	read_everything();
}

static void play_problem(void)
{
	say_record(FRONT_PROBLEM, "the address is in use");
}

static void play_nothing(void)
{
}

static const struct {
	const char *name;
	void (*play)(void);
} plays[] = {
	{ "good", play_good }, { "garbage", play_garbage }, { "huge", play_huge },
	{ "route", play_route }, { "truncated", play_truncated }, { "early", play_early },
	{ "twice", play_twice }, { "late", play_late }, { "flood", play_flood },
	{ "deaf", play_deaf }, { "hung", play_hung }, { "pong", play_pong },
	{ "problem", play_problem }, { "nothing", play_nothing },
};

static int play(const char *endpoint)
{
	const char *name = strrchr(endpoint, '/') + 1;

	listen_in_folder();
	for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
		if (strcmp(plays[i].name, name) == 0)
			plays[i].play();
	}
	return 0;
}

/* ---- core ---- */

struct fixture {
	char folder[64];
	char endpoint[128];
	uv_loop_t loop;
	uv_timer_t heartbeat, end;
	struct front_keeper keeper;
	struct front_route route; /* of the newest frame */
	char why[256];            /* of the failure */
	unsigned int up, lost, frames, failed;
	unsigned int wanted_lost; /* the test is over when so many were */
	uint64_t beat;            /* ms of the last heartbeat */
	uint64_t worst;           /* ms between two */
	bool over;
};

static void finish(struct fixture *f)
{
	if (f->over)
		return;
	f->over = true;
	front_keeper_stop(&f->keeper);
	uv_close((uv_handle_t *)&f->heartbeat, NULL);
	uv_close((uv_handle_t *)&f->end, NULL);
}

static void on_end(uv_timer_t *timer)
{
	finish(timer->data);
}

static void on_heartbeat(uv_timer_t *timer)
{
	struct fixture *f = timer->data;
	uint64_t now = uv_hrtime() / 1000000;

	if (f->beat != 0 && now - f->beat > f->worst)
		f->worst = now - f->beat;
	f->beat = now;
}

static void on_up(void *context)
{
	((struct fixture *)context)->up++;
}

static void on_failed(void *context, const char *why)
{
	struct fixture *f = context;

	f->failed++;
	(void)snprintf(f->why, sizeof f->why, "%s", why != NULL ? why : "(nothing)");
	finish(f);
}

static void on_frame(void *context, const struct front_route *from, struct payload_view frame)
{
	struct fixture *f = context;

	f->frames++;
	f->route = *from;
	assert_true(frame.size > 0);
}

static void on_lost(void *context, const struct front_keeper *keeper)
{
	struct fixture *f = context;

	assert_ptr_equal(keeper, &f->keeper);
	f->lost++;
	if (f->lost == f->wanted_lost)
		finish(f);
}

static void on_fail(void *context, int error)
{
	(void)context;
	fail_msg("fatal: %d", error);
}

/* Lets the front of that name live, and others after it, for at most so many ms. */
static void run(struct fixture *f, const char *name, unsigned int lost, uint64_t limit)
{
	char why[512] = "";

	(void)snprintf(f->endpoint, sizeof f->endpoint, "ipc://%s/%s", f->folder, name);
	f->wanted_lost = lost;
	f->keeper.endpoint = f->endpoint;
	if (front_keeper_start(&f->keeper, why, sizeof why) != 0)
		fail_msg("%s", why);
	assert_int_equal(uv_timer_start(&f->heartbeat, on_heartbeat, 0, HEARTBEAT), 0);
	assert_int_equal(uv_timer_start(&f->end, on_end, limit, 0), 0);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	(void)snprintf(f->folder, sizeof f->folder, "/tmp/front-keeper.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_int_equal(uv_loop_init(&f->loop), 0);
	(void)uv_timer_init(&f->loop, &f->heartbeat);
	(void)uv_timer_init(&f->loop, &f->end);
	f->heartbeat.data = f;
	f->end.data = f;
	f->keeper = (struct front_keeper){
		.loop = &f->loop,
		.maker = { .other = false },
		.owner = { on_up, on_failed, on_frame, on_lost, on_fail, f },
	};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	front_keeper_deinit(&f->keeper);
	front_keeper_deinit(&f->keeper);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	/* Nothing is left in it. */
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static void test_good(void **state)
{
	struct fixture *f = *state;

	run(f, "good", 0, 3000); /* time enough to start a process on a machine with much to do */
	assert_int_equal(f->up, 1);
	assert_int_equal(f->frames, 1);
	assert_int_equal(f->route.link.size, 8);
	assert_ptr_equal(f->route.front, &f->keeper);
	assert_int_equal(f->failed, 0);
}

/* Each is killed and started again, and again; core was told of the first only that it is up. */
static void test_bad(void **state)
{
	static const char *const names[] = {
		"garbage", "huge", "route", "truncated", "twice", "late", "pong",
	};
	struct fixture *f;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		set_up((void **)&f);
		print_message("%s\n", names[i]);
		run(f, names[i], 3, 10000);
		assert_int_equal(f->up, 1);
		assert_int_equal(f->lost, 3);
		assert_int_equal(f->failed, 0);
		assert_int_equal(f->frames, 0);
		tear_down((void **)&f);
	}
}

/* The first start fails, with the front's words or without any: core is told, once. */
static void test_first_start_fails(void **state)
{
	static const struct {
		const char *name;
		const char *why;
	} rows[] = {
		{ "problem", "the address is in use" },
		{ "nothing", "(nothing)" },
		{ "early", "(nothing)" },
	};
	struct fixture *f;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		set_up((void **)&f);
		print_message("%s\n", rows[i].name);
		run(f, rows[i].name, 0, 10000);
		assert_int_equal(f->failed, 1);
		assert_string_equal(f->why, rows[i].why);
		assert_int_equal(f->up, 0);
		assert_int_equal(f->frames, 0);
		tear_down((void **)&f);
	}
}

/* It writes as fast as it can: everything else goes on meanwhile. */
static void test_flood(void **state)
{
	struct fixture *f = *state;

	run(f, "flood", 0, 1000);
	print_message("%u frames; the loop was away for %llu ms at most\n", f->frames,
		(unsigned long long)f->worst);
	assert_true(f->frames > 1000);
	assert_true(f->worst < 500);
}

/* One that is asked whether it lives, and doesn't say so, is replaced. */
static void test_hung(void **state)
{
	struct fixture *f = *state;

	run(f, "hung", 1, 5 * KEEPER_PING);
	assert_int_equal(f->up, 1);
	assert_int_equal(f->lost, 1);
}

static void on_send(uv_timer_t *timer)
{
	static uint8_t bytes[WIRE_FRAME_MAX];
	struct fixture *f = timer->data;
	const struct front_route route = { .front = &f->keeper, .link = { .size = 8 } };
	const struct payload_view frame = { bytes, sizeof bytes };

	on_heartbeat(timer);
	for (int i = 0; i < 10; i++)
		front_keeper_send(&route, frame);
}

/* It reads nothing: what it is sent is dropped, and after a while it is replaced. */
static void test_deaf(void **state)
{
	struct fixture *f = *state;
	struct mallinfo2 before = mallinfo2(), after;
	char why[512] = "";

	(void)snprintf(f->endpoint, sizeof f->endpoint, "ipc://%s/deaf", f->folder);
	f->wanted_lost = 1;
	f->keeper.endpoint = f->endpoint;
	assert_int_equal(front_keeper_start(&f->keeper, why, sizeof why), 0);
	assert_int_equal(uv_timer_start(&f->heartbeat, on_send, HEARTBEAT, HEARTBEAT), 0);
	assert_int_equal(uv_timer_start(&f->end, on_end, 3 * CHILD_QUEUE_PATIENCE, 0), 0);
	while (uv_run(&f->loop, UV_RUN_ONCE) != 0) {
		after = mallinfo2();
		assert_true(after.uordblks + after.hblkhd <
			before.uordblks + before.hblkhd + CHILD_QUEUE_MAX + 1024 * 1024);
	}
	assert_int_equal(f->lost, 1);
	assert_true(f->worst < 500);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, set_up, tear_down),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_first_start_fails),
		cmocka_unit_test_setup_teardown(test_flood, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hung, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_deaf, set_up, tear_down),
	};

	if (argc == 7 && strcmp(argv[1], "--" PROCESS_ROLE_OPTION) == 0)
		return play(argv[6]);
	(void)signal(SIGPIPE, SIG_IGN);
	log_init("test-front-keeper", LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
