/*
 * The open calls of a slot: found by the session's number, as many as there are places, never by none.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gadget/open_calls.h"

static void test_places(void **state)
{
	struct open_calls calls = { .list = { { .number = 0 } } };
	struct open_call *call;

	(void)state;
	assert_null(open_calls_find(&calls, 0)); /* a free place is no call */
	for (uint32_t number = 1; number <= OPEN_CALLS_MAX; number++) {
		call = open_calls_place(&calls);
		assert_non_null(call);
		*call = (struct open_call){ .number = number * 7, .slot_number = number };
	}
	assert_null(open_calls_place(&calls));
	for (uint32_t number = OPEN_CALLS_MAX; number >= 1; number--) {
		call = open_calls_find(&calls, number * 7);
		assert_non_null(call);
		assert_int_equal(call->slot_number, number);
		open_calls_end(call);
		assert_null(open_calls_find(&calls, number * 7));
		assert_ptr_equal(open_calls_place(&calls), call);
		*call = (struct open_call){ .number = 1000 + number };
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_places) };

	return cmocka_run_group_tests_name("open-calls", tests, NULL, NULL);
}
