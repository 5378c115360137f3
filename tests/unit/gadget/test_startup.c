/*
 * How long those wait who come after the daemon.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gadget/startup.h"

static const struct {
	uint64_t elapsed;
	enum daemon_progress progress;
	bool over;
} cases[] = {
	{ 0, DAEMON_WAITS, false },
	{ 4999, DAEMON_WAITS, false },
	{ 5000, DAEMON_WAITS, true },
	{ 0, DAEMON_PLUGS, false },
	{ 5000, DAEMON_PLUGS, false },
	{ 9999, DAEMON_PLUGS, false },
	{ 10000, DAEMON_PLUGS, true },
	{ 0, DAEMON_SETTLED, true },
	{ 5000, DAEMON_SETTLED, true },
};

static void test_limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%llu ms, %d\n", (unsigned long long)cases[i].elapsed, cases[i].progress);
		assert_int_equal(startup_is_over(cases[i].elapsed, cases[i].progress), cases[i].over);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
