/*
 * Frames on the pipe between core and its children, however the stream is cut.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "host-bridge/frame_buffer.h"

static struct frame_buffer buffer;
static uint8_t stream[2 * (FRAME_PREFIX + FRAME_MAX)];

/* A transmit with so many bytes of command, behind what the stream holds. Returns its size. */
static size_t append(size_t at, size_t command_size, uint32_t number)
{
	static uint8_t command[WIRE_APDU_MAX];
	const struct wire_message message = {
		.type = WIRE_CALL,
		.session = 1,
		.call = {
			.number = number,
			.operation = WIRE_TRANSMIT,
			.data = { .bytes = command, .size = command_size },
		},
	};
	size_t size = 0;

	memset(command, 0xA5, sizeof command);
	assert_int_equal(frame_encode(&message, &stream[at], &size), 0);
	return size;
}

static void feed(const uint8_t *bytes, size_t size)
{
	uint8_t *room;
	size_t room_size;

	frame_buffer_room(&buffer, &room, &room_size);
	assert_true(size <= room_size);
	memcpy(room, bytes, size);
	frame_buffer_filled(&buffer, size);
}

static void expect_call(uint32_t number, size_t command_size)
{
	struct payload_view frame;
	struct wire_message message;

	assert_int_equal(frame_buffer_first(&buffer, &frame), 0);
	assert_int_equal(wire_decode(frame.bytes, frame.size, &message), 0);
	assert_int_equal(message.type, WIRE_CALL);
	assert_int_equal(message.call.number, number);
	assert_int_equal(message.call.data.size, command_size);
	frame_buffer_drop(&buffer);
}

static void expect_nothing(int result)
{
	struct payload_view frame;

	assert_int_equal(frame_buffer_first(&buffer, &frame), result);
}

/* Byte by byte: no frame is seen before its last byte. */
static void test_byte_by_byte(void **state)
{
	size_t size = append(0, 5, 1);

	(void)state;
	size += append(size, 0, 2);
	for (size_t at = 0; at < size; at++) {
		feed(&stream[at], 1);
		if (at + 1 == append(0, 5, 1))
			expect_call(1, 5);
		else if (at + 1 < size)
			expect_nothing(FRAME_INCOMPLETE);
	}
	expect_call(2, 0);
	expect_nothing(FRAME_INCOMPLETE);
	assert_int_equal(buffer.size, 0);
}

/* Several in one read, the last of them cut; what is dropped is wiped. */
static void test_several(void **state)
{
	size_t first = append(0, 100, 1);
	size_t second = append(first, 200, 2);

	(void)state;
	feed(stream, first + second - 1);
	expect_call(1, 100);
	expect_nothing(FRAME_INCOMPLETE);
	feed(&stream[first + second - 1], 1);
	expect_call(2, 200);
	for (size_t i = 0; i < sizeof buffer.bytes; i++)
		assert_int_equal(buffer.bytes[i], 0);
}

static void test_largest(void **state)
{
	size_t size = append(0, WIRE_APDU_MAX, 1);

	(void)state;
	feed(stream, size);
	expect_call(1, WIRE_APDU_MAX);
}

static void test_bad_lengths(void **state)
{
	static const uint8_t too_long[] = { 0x41, 0x18, 0x01, 0x00 };
	static const uint8_t huge[] = { 0xFF, 0xFF, 0xFF, 0xFF };
	static const uint8_t longest[] = { 0x40, 0x18, 0x01, 0x00 };

	(void)state;
	assert_int_equal(FRAME_MAX, 0x11840);
	feed(too_long, sizeof too_long);
	expect_nothing(FRAME_MALFORMED);
	frame_buffer_drop(&buffer);
	expect_nothing(FRAME_MALFORMED);
	frame_buffer_deinit(&buffer);
	feed(huge, sizeof huge);
	expect_nothing(FRAME_MALFORMED);
	frame_buffer_deinit(&buffer);
	feed(longest, sizeof longest);
	expect_nothing(FRAME_INCOMPLETE);
}

static void test_too_large(void **state)
{
	static uint8_t command[WIRE_APDU_MAX + 1];
	const struct wire_message message = {
		.type = WIRE_CALL,
		.session = 1,
		.call = { .number = 1, .data = { .bytes = command, .size = sizeof command } },
	};
	size_t size;

	(void)state;
	assert_int_equal(frame_encode(&message, stream, &size), FRAME_TOO_LARGE);
}

static int reset(void **state)
{
	(void)state;
	memset(&buffer, 0, sizeof buffer);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_byte_by_byte, reset),
		cmocka_unit_test_setup(test_several, reset),
		cmocka_unit_test_setup(test_largest, reset),
		cmocka_unit_test_setup(test_bad_lengths, reset),
		cmocka_unit_test_setup(test_too_large, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
