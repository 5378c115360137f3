/*
 * What a connection may cost, that none can use up another's, and what all may cost together.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host-bridge/handshake_limit.h"
#include "relay/secure.h"

/* How many of so many handshakes, of one multiplication each, are looked at. */
static unsigned int take(struct handshake_limit *limit, uint32_t connection, uint64_t now,
	unsigned int count)
{
	unsigned int taken = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct handshake_account *account = handshake_limit_ask(limit, connection, now);

		if (account == NULL)
			continue;
		handshake_limit_charge(limit, account, 1);
		taken++;
	}
	return taken;
}

static void test_flood(void **state)
{
	struct handshake_limit limit = { .accounts = { { 0 } } };
	unsigned int taken = 0;

	(void)state;
	assert_int_equal(take(&limit, 1, 1000, 10000), HANDSHAKE_AT_ONCE);
	assert_int_equal(take(&limit, 1, 1000, 100), 0);
	assert_int_equal(take(&limit, 1, 1000 + HANDSHAKE_EVERY, 100), 1);
	/* Nothing is saved up beyond the first ones. */
	assert_int_equal(take(&limit, 1, 10000000, 1000), HANDSHAKE_AT_ONCE);
	for (uint64_t now = 20000000; now < 20000000 + 100 * HANDSHAKE_EVERY; now++)
		taken += take(&limit, 1, now, 10);
	assert_in_range(taken, HANDSHAKE_AT_ONCE + 99, HANDSHAKE_AT_ONCE + 101);
}

static void test_cost(void **state)
{
	struct handshake_limit limit = { .accounts = { { 0 } } };
	struct handshake_account *account;
	unsigned int taken = 0;

	(void)state;
	while ((account = handshake_limit_ask(&limit, 1, 5)) != NULL) {
		handshake_limit_charge(&limit, account, HANDSHAKE_COST_ANSWER);
		taken++;
	}
	assert_int_equal(taken, (HANDSHAKE_AT_ONCE + HANDSHAKE_COST_ANSWER - 1) /
		HANDSHAKE_COST_ANSWER);
}

static void test_others(void **state)
{
	struct handshake_limit limit = { .accounts = { { 0 } } };

	(void)state;
	assert_int_equal(take(&limit, 0, 0, 1000), HANDSHAKE_AT_ONCE);
	assert_int_equal(take(&limit, 7, 0, 1000), HANDSHAKE_AT_ONCE);
	assert_int_equal(take(&limit, UINT32_MAX, 0, 1000), HANDSHAKE_AT_ONCE);
	assert_int_equal(take(&limit, 0, 1, 100), 0);
}

/*
 * Our guest's own pace for an hour, over a link where nothing comes back, with new links at the
 * pace of the session: it is never refused, even if each repetition costs as the first one.
 */
static void test_guest(void **state)
{
	struct handshake_limit limit = { .accounts = { { 0 } } };
	uint64_t pace = SECURE_REPEAT_FIRST;

	(void)state;
	for (uint64_t now = 5; now < 3600000; now += pace) {
		struct handshake_account *account = handshake_limit_ask(&limit, 3, now);

		assert_non_null(account);
		handshake_limit_charge(&limit, account, HANDSHAKE_COST_ANSWER);
		(void)take(&limit, 4, now, 1000);
		pace = 2 * pace < SECURE_REPEAT ? 2 * pace : SECURE_REPEAT;
	}
}

/* As if nobody else had cost anything. */
static unsigned int take_alone(struct handshake_limit *limit, uint32_t connection, uint64_t now,
	unsigned int count)
{
	limit->all_paid_until = 0;
	return take(limit, connection, now, count);
}

/* As many connections as there are places: the one that asked least recently is forgotten. */
static void test_many(void **state)
{
	struct handshake_limit limit = { .accounts = { { 0 } } };
	const uint64_t now = HANDSHAKE_CONNECTIONS;

	(void)state;
	for (uint32_t i = 1; i <= HANDSHAKE_CONNECTIONS; i++)
		assert_int_equal(take_alone(&limit, i, now, 1000), HANDSHAKE_AT_ONCE);
	/* All are remembered, and the first is not the oldest any more. */
	for (uint32_t i = 1; i <= HANDSHAKE_CONNECTIONS; i++)
		assert_int_equal(take_alone(&limit, i, now + (i != 2), 1), 0);
	assert_int_equal(take_alone(&limit, 1000, now + 1, 1000), HANDSHAKE_AT_ONCE);
	assert_int_equal(take_alone(&limit, 1, now + 1, 1), 0);
	assert_int_equal(take_alone(&limit, 2, now + 1, 1000), HANDSHAKE_AT_ONCE);
}

/* 400 connections, each within what it may have: together they cost no more than all may. */
static void test_all(void **state)
{
	struct handshake_limit limit = { .accounts = { { 0 } } };
	unsigned int taken = 0;

	(void)state;
	for (uint32_t i = 0; i < 400; i++)
		taken += take(&limit, i, 1000, 25);
	assert_int_equal(taken, HANDSHAKE_ALL);
	taken = 0;
	for (uint64_t now = 1001; now <= 3000; now++)
		taken += take(&limit, (uint32_t)now % 400, now, 5);
	assert_in_range(taken, 1999 / HANDSHAKE_ALL_EVERY, 2000 / HANDSHAKE_ALL_EVERY + 1);
	/* Nothing is saved up beyond that, and a moment of peace is enough for the next guest. */
	assert_int_equal(take(&limit, 1000, 3000, 1), 0);
	assert_int_equal(take(&limit, 1000, 3100, HANDSHAKE_COST_ANSWER), HANDSHAKE_COST_ANSWER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_guest),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
