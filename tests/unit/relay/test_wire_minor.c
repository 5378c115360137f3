/*
 * The codec over a table of its own, in which a message has grown twice: what an older minor
 * version doesn't send reads as 0 or empty, and all else is as strict as ever.
 *
 * This file stands in for wire_table.c, of which the linker then takes nothing.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "relay/wire.h"
#include "relay/wire_table.h"

#define MEMBER(member) .name = #member, .offset = offsetof(struct wire_hello, member)

/* HELLO, had its incarnation come with version 1.1, and its name with 1.2. */
static const struct wire_field fields[] = {
	{ MEMBER(minor), .kind = WIRE_FIELD_MINOR },
	{ MEMBER(features), .kind = WIRE_FIELD_U32 },
	{ MEMBER(incarnation), .kind = WIRE_FIELD_U32, .since = 1 },
	{ MEMBER(guest), .kind = WIRE_FIELD_STRING, .bound = WIRE_NAME_MAX, .since = 2 },
};

static const struct wire_layout layout = {
	.fields = fields,
	.count = sizeof(fields) / sizeof(fields[0]),
	.size = sizeof(struct wire_hello),
};

const struct wire_layout *wire_layout_of(uint8_t type)
{
	return type == WIRE_HELLO || type == WIRE_REFUSED ? &layout : NULL;
}

const char *wire_type_name(uint8_t type)
{
	(void)type;
	return "HELLO";
}

const char *wire_outcome_name(uint8_t outcome)
{
	(void)outcome;
	return "";
}

#define HEADER(major, type, minor) major, type, minor, 0, 0, 0, 0, 0, 0, 0, 0, 0

static const uint8_t whole[] = { HEADER(1, WIRE_HELLO, 0), 5, 0, 0, 0, 7, 0, 0, 0, 2, 'v', 'm' };

#define HAS_0 (WIRE_HEADER_SIZE + 4)
#define HAS_1 (HAS_0 + 4)
#define HAS_2 sizeof(whole)

static int decode(uint8_t minor, size_t size, struct wire_hello *hello)
{
	uint8_t frame[sizeof(whole) + 1] = { 0 };
	struct wire_message message;
	int result;

	assert_true(size <= sizeof(frame));
	memcpy(frame, whole, sizeof(whole));
	frame[2] = minor;
	result = wire_decode(frame, size, &message);
	*hello = message.hello;
	return result;
}

static void test_fields_of_each_version(void **state)
{
	static const struct {
		uint8_t minor;
		size_t size;
		uint32_t incarnation;
		const char *guest;
	} rows[] = {
		{ 0, HAS_0, 0, "" },
		{ 1, HAS_1, 7, "" },
		{ 2, HAS_2, 7, "vm" },
		{ 3, HAS_2, 7, "vm" },
	};
	struct wire_hello hello;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(decode(rows[i].minor, rows[i].size, &hello), 0);
		assert_int_equal(hello.minor, rows[i].minor);
		assert_int_equal(hello.features, 5);
		assert_int_equal(hello.incarnation, rows[i].incarnation);
		assert_string_equal(hello.guest, rows[i].guest);
	}
}

/* Each version is held to the fields that it has. */
static void test_cut_and_overlong_frames(void **state)
{
	static const size_t has[] = { HAS_0, HAS_1, HAS_2, HAS_2 };
	struct wire_hello hello;

	(void)state;
	for (uint8_t minor = 0; minor < 4; minor++) {
		for (size_t size = 0; size < has[minor]; size++)
			assert_int_equal(decode(minor, size, &hello), WIRE_MALFORMED);
		assert_int_equal(decode(minor, has[minor] + 1, &hello),
			minor > WIRE_MINOR ? 0 : WIRE_MALFORMED);
	}
}

/* Of another major version only that is read which all have: its minor version says nothing. */
static void test_foreign_refusal(void **state)
{
	static const uint8_t frame[] = { HEADER(2, WIRE_REFUSED, 9), 5, 0, 0, 0, 7, 0, 0, 0 };
	struct wire_message message;

	(void)state;
	assert_int_equal(wire_decode(frame, sizeof(frame), &message), 0);
	assert_int_equal(message.hello.minor, 9);
	assert_int_equal(message.hello.features, 5);
	assert_int_equal(message.hello.incarnation, 0);
}

/* We send all that we know: an older peer ignores what it doesn't. */
static void test_encoding(void **state)
{
	struct wire_message message = {
		.type = WIRE_HELLO,
		.hello = { .features = 5, .incarnation = 7, .guest = "vm" },
	};
	uint8_t frame[64];
	size_t size;

	(void)state;
	assert_int_equal(wire_encode(&message, frame, sizeof(frame), &size), 0);
	assert_int_equal(size, sizeof(whole));
	assert_memory_equal(frame, whole, sizeof(whole));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_of_each_version),
		cmocka_unit_test(test_cut_and_overlong_frames),
		cmocka_unit_test(test_foreign_refusal),
		cmocka_unit_test(test_encoding),
	};

	return cmocka_run_group_tests_name("relay-wire-minor", tests, NULL, NULL);
}
