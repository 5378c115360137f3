/*
 * Durations in, quantiles out: never too low, and too high by an eighth at most.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/latency.h"

static void assert_about(uint64_t value, uint64_t exact)
{
	assert_in_range(value, exact, exact + exact / 8);
}

static void test_nothing(void **state)
{
	const struct latency latency = { .count = 0 };

	(void)state;
	assert_int_equal(latency_mean(&latency), 0);
	assert_int_equal(latency_quantile(&latency, 99), 0);
}

/* One duration of every size is all of its quantiles. */
static void test_one(void **state)
{
	static const uint64_t rows[] = { 0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 1000, 999999, 4294967295,
		68719476735, 68719476736, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct latency latency = { .count = 0 };

		latency_add(&latency, rows[i]);
		assert_int_equal(latency.min, rows[i]);
		assert_int_equal(latency.max, rows[i]);
		assert_int_equal(latency_mean(&latency), rows[i]);
		assert_int_equal(latency_quantile(&latency, 1), rows[i]);
		assert_int_equal(latency_quantile(&latency, 100), rows[i]);
	}
}

static void test_many(void **state)
{
	struct latency latency = { .count = 0 };

	(void)state;
	for (uint64_t us = 10000; us > 0; us--)
		latency_add(&latency, us);
	assert_int_equal(latency.count, 10000);
	assert_int_equal(latency.min, 1);
	assert_int_equal(latency.max, 10000);
	assert_int_equal(latency_mean(&latency), 5000);
	for (unsigned int percent = 1; percent <= 100; percent++)
		assert_about(latency_quantile(&latency, percent), 100 * percent);
}

/* A hundredth that takes long doesn't move p99; a bit more of it does. */
static void test_tail(void **state)
{
	struct latency latency = { .count = 0 };

	(void)state;
	for (int i = 0; i < 990; i++)
		latency_add(&latency, 100);
	for (int i = 0; i < 10; i++)
		latency_add(&latency, 50000);
	assert_about(latency_quantile(&latency, 99), 100);
	latency_add(&latency, 50000);
	assert_about(latency_quantile(&latency, 99), 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_tail),
	};

	return cmocka_run_group_tests_name("latency", tests, NULL, NULL);
}
