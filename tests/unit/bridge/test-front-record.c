/*
 * Records between core and the front: bytes to records and back, and what neither end takes.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "host-bridge/frame_buffer.h"
#include "host-bridge/front_record.h"

static uint8_t bytes[FRAME_PREFIX + FRONT_RECORD_MAX];

#define ROUTE_8 { .bytes = { 1, 2, 3, 4, 0x80, 0, 0, 1 }, .size = 8 }

static void test_bytes(void **state)
{
	static const uint8_t hello[] = { 'h', 'i' };
	static const struct {
		const char *name;
		struct front_record record;
		size_t size;
		uint8_t bytes[32];
	} rows[] = {
		{ "frame", { FRONT_FRAME, ROUTE_8, { hello, 2 } }, 16,
			{ 12, 0, 0, 0, 1, 8, 1, 2, 3, 4, 0x80, 0, 0, 1, 'h', 'i' } },
		{ "empty frame", { FRONT_FRAME, ROUTE_8, { hello, 0 } }, 14,
			{ 10, 0, 0, 0, 1, 8, 1, 2, 3, 4, 0x80, 0, 0, 1 } },
		{ "no route", { FRONT_FRAME, { .size = 0 }, { hello, 1 } }, 7,
			{ 3, 0, 0, 0, 1, 0, 'h' } },
		{ "ready", { FRONT_READY, { .size = 0 }, { hello, 0 } }, 6, { 2, 0, 0, 0, 2, 0 } },
		{ "ping", { FRONT_PING, { .size = 0 }, { hello, 0 } }, 6, { 2, 0, 0, 0, 4, 0 } },
		{ "problem", { FRONT_PROBLEM, { .size = 0 }, { hello, 2 } }, 8,
			{ 4, 0, 0, 0, 3, 0, 'h', 'i' } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct front_record *expected = &rows[i].record;
		struct front_record record;
		size_t size = 0;

		print_message("%s\n", rows[i].name);
		assert_int_equal(front_record_encode(expected, bytes, &size), 0);
		assert_int_equal(size, rows[i].size);
		assert_memory_equal(bytes, rows[i].bytes, size);
		assert_int_equal(front_record_decode((struct payload_view){
			&bytes[FRAME_PREFIX], size - FRAME_PREFIX }, &record), 0);
		assert_int_equal(record.type, expected->type);
		assert_int_equal(record.route.size, expected->route.size);
		assert_memory_equal(record.route.bytes, expected->route.bytes, LINK_ROUTE_MAX);
		assert_int_equal(record.content.size, expected->content.size);
		assert_memory_equal(record.content.bytes, expected->content.bytes,
			record.content.size);
	}
}

static void test_malformed(void **state)
{
	static const struct {
		const char *name;
		size_t size;
		uint8_t bytes[64];
	} rows[] = {
		{ "nothing", 0, { 0 } },
		{ "a type alone", 1, { 1 } },
		{ "type 0", 2, { 0, 0 } },
		{ "an unknown type", 2, { 5, 0 } },
		{ "a ping, and more", 3, { 4, 0, 1 } },
		{ "a route that is cut", 9, { 1, 8, 1, 2, 3, 4, 5, 6, 7 } },
		{ "a route that is too long", 60, { 1, LINK_ROUTE_MAX + 1 } },
		{ "a route of 255 bytes", 64, { 1, 255 } },
		{ "ready, and more", 3, { 2, 0, 1 } },
		{ "ready with a route", 3, { 2, 1, 1 } },
		{ "a problem with a route", 4, { 3, 1, 1, 'x' } },
	};
	struct front_record record;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(front_record_decode((struct payload_view){
			rows[i].bytes, rows[i].size }, &record), FRONT_RECORD_MALFORMED);
	}
}

/* The largest frame with the longest route fits the pipe; a byte more is refused by both ends. */
static void test_bounds(void **state)
{
	static uint8_t frame[WIRE_FRAME_MAX + 1];
	struct front_record record = {
		.type = FRONT_FRAME,
		.route = { .size = LINK_ROUTE_MAX },
		.content = { frame, WIRE_FRAME_MAX },
	};
	static uint8_t longer[FRONT_RECORD_MAX + 1] = { FRONT_FRAME, LINK_ROUTE_MAX };
	struct front_record decoded;
	size_t size = 0;

	(void)state;
	assert_int_equal(front_record_encode(&record, bytes, &size), 0);
	assert_int_equal(size, sizeof bytes);
	assert_int_equal(front_record_decode((struct payload_view){ longer, sizeof longer - 1 },
		&decoded), 0);
	assert_int_equal(front_record_decode((struct payload_view){ longer, sizeof longer },
		&decoded), FRONT_RECORD_MALFORMED);
	record.content.size++;
	assert_int_equal(front_record_encode(&record, bytes, &size), FRONT_RECORD_MALFORMED);
	record.content.size = 1;
	record.route.size++;
	assert_int_equal(front_record_encode(&record, bytes, &size), FRONT_RECORD_MALFORMED);
	longer[0] = FRONT_PROBLEM;
	longer[1] = 0;
	assert_int_equal(front_record_decode((struct payload_view){ longer, 2 + FRONT_PROBLEM_MAX },
		&decoded), 0);
	assert_int_equal(front_record_decode((struct payload_view){ longer, 3 + FRONT_PROBLEM_MAX },
		&decoded), FRONT_RECORD_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
