/*
 * One counter of tries: where it may fall, where it rises again, and how far.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host-bridge/pin_count.h"

/* Selections: two applications. */
enum {
	HERE = 11,
	THERE = 22,
};

static struct pin_count count;

static void assert_left(uint8_t here, uint8_t there)
{
	assert_int_equal(pin_count_left(&count, HERE), here);
	assert_int_equal(pin_count_left(&count, THERE), there);
}

static int set_up(void **state)
{
	(void)state;
	count = (struct pin_count){ .left = 99 };
	assert_ptr_equal(pin_count_use(&count), &count);
	assert_left(PIN_COUNT_ASSUMED, PIN_COUNT_ASSUMED);
	return 0;
}

static void test_use_keeps(void **state)
{
	(void)state;
	pin_count_take(&count, HERE);
	(void)pin_count_use(&count);
	assert_left(2, 2);
}

/* It doesn't fall below none. */
static void test_take(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		pin_count_take(&count, HERE);
	assert_left(0, 0);
}

/* More than is assumed is known of the application whose card has said so, and of no other. */
static void test_told_more(void **state)
{
	(void)state;
	pin_count_told(&count, HERE, 9, 10);
	assert_left(9, PIN_COUNT_ASSUMED);
	pin_count_take(&count, THERE);
	assert_left(2, 2);
}

/* A higher number of another application is another PIN's. */
static void test_told_elsewhere(void **state)
{
	(void)state;
	pin_count_told(&count, HERE, 1, 2);
	pin_count_told(&count, THERE, 8, 9);
	assert_left(1, 1);
	pin_count_restored(&count, HERE);
	assert_left(2, 2);
	pin_count_told(&count, THERE, 0, 1);
	assert_left(0, 0);
	pin_count_told(&count, HERE, 1, 2);
	assert_left(0, 0);
}

/* The right PIN gives back what it had at its best. */
static void test_restored(void **state)
{
	(void)state;
	pin_count_told(&count, HERE, 4, 5);
	pin_count_told(&count, HERE, 3, 4);
	pin_count_restored(&count, THERE);
	assert_int_equal(pin_count_left(&count, HERE), 3);
	pin_count_restored(&count, HERE);
	assert_int_equal(pin_count_left(&count, HERE), 5);
}

static void test_blocked(void **state)
{
	(void)state;
	pin_count_told(&count, HERE, 4, 5);
	pin_count_blocked(&count, HERE);
	assert_left(0, 0);
	pin_count_restored(&count, THERE);
	assert_left(0, 0);
	pin_count_restored(&count, HERE);
	assert_left(5, PIN_COUNT_ASSUMED);
}

/* What was used in two applications comes back in the second one, up to what the first had left. */
static void test_floor(void **state)
{
	(void)state;
	pin_count_take(&count, HERE);
	pin_count_take(&count, THERE);
	assert_left(1, 1);
	pin_count_restored(&count, THERE);
	assert_left(2, 2);
	pin_count_told(&count, THERE, 3, 3);
	assert_left(2, 2);
}

/* Of two answers nobody knows which was first: they only lower, until all are back. */
static void test_crossed(void **state)
{
	(void)state;
	pin_count_depart(&count);
	pin_count_depart(&count);
	pin_count_arrive(&count);
	pin_count_told(&count, HERE, 1, 2);
	pin_count_settle(&count);
	pin_count_arrive(&count);
	pin_count_told(&count, HERE, 2, 3);
	assert_left(1, 1);
	pin_count_restored(&count, HERE);
	assert_left(1, 1);
	pin_count_settle(&count);
	pin_count_told(&count, HERE, 2, 3);
	assert_left(2, 2);
}

/* What was in flight when the bridge ended is used; there was no more than that. */
static void test_recall(void **state)
{
	struct pin_count unused = { .left = 9, .pending = 4 };

	(void)state;
	pin_count_depart(&count);
	pin_count_recall(&count);
	assert_left(2, 2);
	assert_int_equal(count.pending, 0);
	pin_count_recall(&count);
	assert_left(2, 2);
	for (int i = 0; i < 300; i++)
		pin_count_depart(&count);
	pin_count_recall(&count);
	assert_left(0, 0);
	pin_count_recall(&unused);
	assert_int_equal(unused.left, 0);
	assert_int_equal(unused.pending, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_use_keeps, set_up),
		cmocka_unit_test_setup(test_take, set_up),
		cmocka_unit_test_setup(test_told_more, set_up),
		cmocka_unit_test_setup(test_told_elsewhere, set_up),
		cmocka_unit_test_setup(test_restored, set_up),
		cmocka_unit_test_setup(test_blocked, set_up),
		cmocka_unit_test_setup(test_floor, set_up),
		cmocka_unit_test_setup(test_crossed, set_up),
		cmocka_unit_test_setup(test_recall, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
