/*
 * What a service manager hears, and when: the datagrams at a socket of our own.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/notify.h"
#include "base/watchdog.h"

static int manager;

/* A manager with an abstract name, so that no file is left behind. */
static int set_up(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[sizeof(address.sun_path)];
	int n = snprintf(name, sizeof(name), "@ccid-relay-test-%d", (int)getpid());

	(void)state;
	memcpy(&address.sun_path[1], &name[1], (size_t)n - 1);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(manager >= 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return close(manager);
}

/* The next datagram, or "" without one. */
static const char *heard(void)
{
	static char text[1024];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void test_notify(void **state)
{
	(void)state;
	notify("READY=1\nSTATUS=%d readers", 2);
	assert_string_equal(heard(), "READY=1\nSTATUS=2 readers");
	assert_string_equal(heard(), "");
}

static void test_no_manager(void **state)
{
	static const char *const wrong[] = { "", "/", "relative", "/nonesuch/socket" };
	char *name = strdup(getenv("NOTIFY_SOCKET"));

	(void)state;
	(void)unsetenv("NOTIFY_SOCKET");
	notify("READY=1");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)setenv("NOTIFY_SOCKET", wrong[i], 1);
		notify("READY=1");
	}
	(void)setenv("NOTIFY_SOCKET", name, 1);
	free(name);
	assert_string_equal(heard(), "");
}

static void test_limit(void **state)
{
	char us[32], process[32];

	(void)state;
	(void)unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_watchdog(), 0);
	(void)setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog(), 30000);
	(void)snprintf(process, sizeof(process), "%d", (int)getpid());
	(void)setenv("WATCHDOG_PID", process, 1);
	assert_int_equal(notify_watchdog(), 30000);
	(void)setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog(), 0);
	(void)unsetenv("WATCHDOG_PID");
	(void)snprintf(us, sizeof(us), "soon");
	(void)setenv("WATCHDOG_USEC", us, 1);
	assert_int_equal(notify_watchdog(), 0);
	(void)setenv("WATCHDOG_USEC", "-1", 1);
	assert_int_equal(notify_watchdog(), 0);
}

static bool is_well(void *owner)
{
	return *(const bool *)owner;
}

/* It is told while all is well, and not when it isn't; and it doesn't keep a loop from ending. */
static void test_watchdog(void **state)
{
	struct watchdog watchdog;
	bool well = true;
	uv_loop_t loop;

	(void)state;
	(void)setenv("WATCHDOG_USEC", "30000", 1);
	assert_int_equal(uv_loop_init(&loop), 0);
	watchdog_start(&watchdog, &loop, is_well, &well);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_string_equal(heard(), "");
	uv_ref((uv_handle_t *)&watchdog.timer);
	(void)uv_run(&loop, UV_RUN_ONCE);
	assert_string_equal(heard(), "WATCHDOG=1");
	well = false;
	(void)uv_run(&loop, UV_RUN_ONCE);
	assert_string_equal(heard(), "");
	watchdog_stop(&watchdog);
	watchdog_stop(&watchdog);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_no_manager),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_watchdog),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
