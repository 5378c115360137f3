/*
 * The checked cursor: what it reads and writes, and that it can't be made to leave its buffer.
 * Buffers are allocated in their own size, so that a sanitizer sees a step beyond them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cursor.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 };

/* A copy of the first size bytes, in a buffer of this size; to be freed. */
static uint8_t *first(size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	return copy;
}

static void test_reads_integers(void **state)
{
	struct cursor_in in = cursor_in(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(in_u8(&in), 0x01);
	assert_int_equal(in_le16(&in), 0x0302);
	assert_int_equal(in_le32(&in), 0x07060504);
	assert_int_equal(in_le64(&in), 0x0F0E0D0C0B0A0908);
	assert_true(in_ok(&in));
	assert_int_equal(in_be16(&in), 0x1011);
	assert_true(in_done(&in));
}

static void test_reads_bytes(void **state)
{
	struct cursor_in in = cursor_in(bytes, 5);
	uint8_t copy[3] = { 0 };

	(void)state;
	assert_ptr_equal(in_bytes(&in, 2), bytes);
	in_copy(&in, copy, 3);
	assert_memory_equal(copy, bytes + 2, 3);
	assert_non_null(in_bytes(&in, 0));
	assert_true(in_done(&in));
}

static void test_rest_is_not_done(void **state)
{
	struct cursor_in in = cursor_in(bytes, 2);

	(void)state;
	assert_int_equal(in_u8(&in), 1);
	assert_true(in_ok(&in));
	assert_false(in_done(&in));
}

/* Each kind of read on each size that is too small for it: zero, failed, and failed for good. */
static void test_never_reads_beyond(void **state)
{
	(void)state;
	for (size_t size = 0; size < 8; size++) {
		uint8_t *copy = first(size);
		struct cursor_in in = cursor_in(copy, size);
		uint8_t copied[8] = { 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE };

		assert_int_equal(in_le64(&in), 0);
		assert_false(in_ok(&in));
		assert_false(in_done(&in));
		assert_int_equal(in_u8(&in), 0);
		assert_int_equal(in_le16(&in), 0);
		assert_int_equal(in_be16(&in), 0);
		assert_int_equal(in_le32(&in), 0);
		assert_null(in_bytes(&in, 0));
		in_copy(&in, copied, sizeof(copied));
		assert_memory_equal(copied, "\0\0\0\0\0\0\0\0", 8);
		free(copy);
	}
}

static void test_huge_lengths(void **state)
{
	struct cursor_in in = cursor_in(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(in_u8(&in), 1);
	assert_null(in_bytes(&in, SIZE_MAX));
	assert_false(in_ok(&in));
	in = cursor_in(bytes, sizeof(bytes));
	assert_null(in_bytes(&in, sizeof(bytes) + 1));
}

static void test_no_buffer(void **state)
{
	struct cursor_in in = cursor_in(NULL, 0);

	(void)state;
	assert_true(in_done(&in));
	in_copy(&in, NULL, 0);
	assert_true(in_done(&in));
	assert_int_equal(in_u8(&in), 0);
	assert_false(in_ok(&in));
	in = cursor_in(NULL, 1);
	assert_false(in_ok(&in));
}

static void test_writes(void **state)
{
	static const uint8_t expected[] = { 1, 3, 2, 7, 6, 5, 4, 15, 14, 13, 12, 11, 10, 9, 8, 16, 17,
		1, 2, 3, 0, 0 };
	uint8_t *room = malloc(sizeof(expected));
	struct cursor_out out = cursor_out(room, sizeof(expected));

	(void)state;
	assert_non_null(room);
	out_u8(&out, 1);
	out_le16(&out, 0x0203);
	out_le32(&out, 0x04050607);
	out_le64(&out, 0x08090A0B0C0D0E0F);
	out_be16(&out, 0x1011);
	out_bytes(&out, bytes, 3);
	out_bytes(&out, NULL, 0);
	out_zeros(&out, 2);
	out_zeros(&out, 0);
	assert_true(out_ok(&out));
	assert_int_equal(out.size, sizeof(expected));
	assert_memory_equal(room, expected, sizeof(expected));
	free(room);
}

static void write_one(struct cursor_out *out, int kind)
{
	switch (kind) {
	case 0:
		out_u8(out, 0xFF);
		break;
	case 1:
		out_le16(out, 0xFFFF);
		break;
	case 2:
		out_be16(out, 0xFFFF);
		break;
	case 3:
		out_le32(out, 0xFFFFFFFF);
		break;
	case 4:
		out_le64(out, UINT64_MAX);
		break;
	case 5:
		out_bytes(out, bytes, 9);
		break;
	default:
		out_zeros(out, 9);
		break;
	}
}

/* Each kind of write, into every room that is too small for it. */
static void test_never_writes_beyond(void **state)
{
	static const size_t sizes[] = { 1, 2, 2, 4, 8, 9, 9 };

	(void)state;
	for (int kind = 0; kind < 7; kind++) {
		for (size_t room = 0; room < sizes[kind]; room++) {
			uint8_t *buffer = malloc(room > 0 ? room : 1);
			struct cursor_out out = cursor_out(buffer, room);

			write_one(&out, kind);
			assert_false(out_ok(&out));
			assert_true(out.size <= room);
			write_one(&out, 0);
			assert_false(out_ok(&out));
			free(buffer);
		}
	}
}

static void test_huge_write(void **state)
{
	uint8_t room[4];
	struct cursor_out out = cursor_out(room, sizeof(room));

	(void)state;
	out_u8(&out, 1);
	out_zeros(&out, SIZE_MAX);
	assert_false(out_ok(&out));
	out_bytes(&out, bytes, SIZE_MAX);
	assert_false(out_ok(&out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_integers),
		cmocka_unit_test(test_reads_bytes),
		cmocka_unit_test(test_rest_is_not_done),
		cmocka_unit_test(test_never_reads_beyond),
		cmocka_unit_test(test_huge_lengths),
		cmocka_unit_test(test_no_buffer),
		cmocka_unit_test(test_writes),
		cmocka_unit_test(test_never_writes_beyond),
		cmocka_unit_test(test_huge_write),
	};

	return cmocka_run_group_tests_name("base-cursor", tests, NULL, NULL);
}
