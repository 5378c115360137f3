/*
 * The payload type: it holds what fits, refuses what doesn't, and leaves nothing behind.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/payload.h"

static const uint8_t secret[] = "0123456789";
static const uint8_t zeros[sizeof(secret)];

static struct payload_view view(size_t size)
{
	return (struct payload_view){ .bytes = secret, .size = size };
}

static void test_holds_what_fits(void **state)
{
	struct payload payload = PAYLOAD_NULL;

	(void)state;
	assert_int_equal(payload_init(&payload, 10), 0);
	assert_int_equal(payload_view(&payload).size, 0);
	assert_int_equal(payload_append(&payload, view(4)), 0);
	assert_int_equal(payload_append(&payload, view(6)), 0);
	assert_int_equal(payload.size, 10);
	assert_memory_equal(payload.bytes, "0123012345", 10);
	assert_int_equal(payload_append(&payload, view(1)), PAYLOAD_FULL);
	assert_int_equal(payload.size, 10);
	assert_memory_equal(payload.bytes, "0123012345", 10);
	assert_int_equal(payload_append(&payload, (struct payload_view){ .bytes = NULL }), 0);
	payload_deinit(&payload);
}

static void test_replaces(void **state)
{
	struct payload payload = PAYLOAD_NULL;

	(void)state;
	assert_int_equal(payload_init(&payload, 10), 0);
	assert_int_equal(payload_set(&payload, view(10)), 0);
	assert_int_equal(payload_set(&payload, view(3)), 0);
	assert_int_equal(payload_view(&payload).size, 3);
	assert_memory_equal(payload_view(&payload).bytes, "012", 3);
	/* What the shorter content didn't cover is wiped. */
	assert_memory_equal(payload.bytes + 3, zeros, 7);
	assert_int_equal(payload_set(&payload, view(11)), PAYLOAD_FULL);
	assert_memory_equal(payload.bytes, "012", 3);
	payload_deinit(&payload);
}

static void test_huge_sizes(void **state)
{
	struct payload payload = PAYLOAD_NULL;

	(void)state;
	assert_int_equal(payload_init(&payload, 10), 0);
	assert_int_equal(payload_set(&payload, view(4)), 0);
	assert_int_equal(payload_append(&payload, view(SIZE_MAX)), PAYLOAD_FULL);
	assert_int_equal(payload_append(&payload, view(SIZE_MAX - 3)), PAYLOAD_FULL);
	assert_int_equal(payload_set(&payload, view(SIZE_MAX)), PAYLOAD_FULL);
	assert_int_equal(payload.size, 4);
	payload_deinit(&payload);
}

static void test_clear_wipes(void **state)
{
	struct payload payload = PAYLOAD_NULL;

	(void)state;
	assert_int_equal(payload_init(&payload, 10), 0);
	assert_int_equal(payload_set(&payload, view(10)), 0);
	payload_clear(&payload);
	assert_int_equal(payload.size, 0);
	assert_memory_equal(payload.bytes, zeros, 10);
	payload_clear(&payload);
	payload_deinit(&payload);
}

static void test_deinit_twice(void **state)
{
	struct payload payload = PAYLOAD_NULL;

	(void)state;
	payload_deinit(&payload);
	assert_int_equal(payload_init(&payload, 0), 0);
	assert_int_equal(payload_set(&payload, view(0)), 0);
	assert_int_equal(payload_set(&payload, view(1)), PAYLOAD_FULL);
	payload_deinit(&payload);
	payload_deinit(&payload);
	assert_null(payload.bytes);
	assert_int_equal(payload.capacity, 0);
}

static void test_wipe(void **state)
{
	uint8_t bytes[sizeof(secret)];

	(void)state;
	memcpy(bytes, secret, sizeof(secret));
	payload_wipe(bytes, 4);
	assert_memory_equal(bytes, zeros, 4);
	assert_memory_equal(bytes + 4, secret + 4, sizeof(secret) - 4);
	payload_wipe(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds_what_fits),
		cmocka_unit_test(test_replaces),
		cmocka_unit_test(test_huge_sizes),
		cmocka_unit_test(test_clear_wipes),
		cmocka_unit_test(test_deinit_twice),
		cmocka_unit_test(test_wipe),
	};

	return cmocka_run_group_tests_name("base-payload", tests, NULL, NULL);
}
