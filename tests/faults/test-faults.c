/*
 * The proxy's cores: framing, and what the rules do to a row of frames.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/faults/faults.h"

static const uint8_t stream[] = {
	0, 'S', 'P', 0, 0, 0x30, 0, 0,
	1, 0, 0, 0, 0, 0, 0, 0, 6, 0x80, 0, 0, 1, 'a', 'b',
	1, 0, 0, 0, 0, 0, 0, 0, 0,
};

static void put(struct frames *frames, const uint8_t *bytes, size_t size)
{
	size_t room;
	uint8_t *where = frames_room(frames, &room);

	assert_true(room >= size);
	memcpy(where, bytes, size);
	frames_added(frames, size);
}

/* Takes all frames that are complete; checks the size of each. Returns how many. */
static size_t take(struct frames *frames, size_t done)
{
	static const size_t sizes[] = { 8, 15, 9 };
	struct frame *frame;
	const uint8_t *body;
	size_t size;

	while (frames_next(frames, &frame) == 0) {
		assert_true(done < 3);
		assert_int_equal(frame->size, sizes[done]);
		assert_int_equal(frame->greeting, done == 0);
		assert_int_equal(frame_body(frame, &body, &size), done == 1);
		if (done == 1) {
			assert_int_equal(size, 2);
			assert_memory_equal(body, "ab", 2);
		}
		done++;
		free(frame);
	}
	return done;
}

static void test_frames(void **state)
{
	static struct frames frames;
	size_t done;

	(void)state;
	for (size_t step = 1; step <= sizeof(stream); step++) {
		frames_init(&frames);
		done = 0;
		for (size_t at = 0; at < sizeof(stream); at += step) {
			size_t size = sizeof(stream) - at < step ? sizeof(stream) - at : step;

			put(&frames, &stream[at], size);
			done = take(&frames, done);
		}
		assert_int_equal(done, 3);
	}
}

static void test_foreign(void **state)
{
	static const uint8_t wrong_type[] = { 2 };
	static const uint8_t too_long[] = { 1, 0, 0, 0, 0, 0, 2, 0, 0 };
	static struct frames frames;
	struct frame *frame;

	(void)state;
	frames_init(&frames);
	put(&frames, stream, FRAMES_GREETING);
	(void)take(&frames, 0);
	put(&frames, wrong_type, sizeof(wrong_type));
	assert_int_equal(frames_next(&frames, &frame), FRAMES_FOREIGN);
	frames_init(&frames);
	put(&frames, stream, FRAMES_GREETING);
	(void)take(&frames, 0);
	put(&frames, too_long, sizeof(too_long));
	assert_int_equal(frames_next(&frames, &frame), FRAMES_FOREIGN);
}

static struct frame *letter(char name)
{
	struct frame *frame = calloc(1, sizeof(*frame) + 1);

	assert_non_null(frame);
	frame->size = 1;
	frame->bytes[0] = (uint8_t)name;
	frame->marked = name >= 'A' && name <= 'Z';
	return frame;
}

static void give(struct faults *faults, uint64_t now, const char *names)
{
	for (; *names != '\0'; names++)
		assert_int_equal(faults_take(faults, now, letter(*names)), 0);
}

static void expect(struct faults *faults, uint64_t now, const char *names)
{
	struct frame *frame;
	char got[64] = "";
	size_t size = 0;

	while ((frame = faults_next(faults, now)) != NULL) {
		got[size++] = (char)frame->bytes[0];
		free(frame);
	}
	assert_string_equal(got, names);
}

static void test_rules(void **state)
{
	static const struct {
		struct faults_rules rules;
		const char *in, *out;
	} rows[] = {
		{ { 0 }, "abcdef", "abcdef" },
		{ { .drop = 3 }, "abcdef", "abde" },
		{ { .drop = 1 }, "abc", "" },
		{ { .duplicate = 2 }, "abcd", "abbcdd" },
		{ { .reorder = 2 }, "abcde", "acbed" },
		{ { .reorder = 1 }, "abcd", "badc" },
		{ { .reorder = 2, .duplicate = 3 }, "abcdef", "acbcedf" },
	};
	struct faults faults;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		faults_init(&faults);
		faults.rules = rows[i].rules;
		give(&faults, 0, rows[i].in);
		expect(&faults, 0, rows[i].out);
		faults_deinit(&faults);
	}
}

static void test_delay(void **state)
{
	struct faults faults;

	(void)state;
	faults_init(&faults);
	faults.rules.delay = 200;
	give(&faults, 1000, "a");
	give(&faults, 1100, "b");
	assert_int_equal(faults_deadline(&faults), 1200);
	expect(&faults, 1199, "");
	expect(&faults, 1200, "a");
	assert_int_equal(faults_deadline(&faults), 1300);
	expect(&faults, 1300, "b");
	assert_true(faults_deadline(&faults) == FAULTS_NEVER);
	faults_deinit(&faults);
}

static void test_hold(void **state)
{
	struct faults faults;

	(void)state;
	faults_init(&faults);
	give(&faults, 0, "aX");
	expect(&faults, 0, "aX");
	faults_hold(&faults);
	give(&faults, 0, "b");
	expect(&faults, 0, "b");
	assert_int_equal(faults.state, FAULTS_WAITING);
	give(&faults, 0, "Yc");
	expect(&faults, 0, "");
	assert_int_equal(faults.state, FAULTS_HOLDING);
	assert_int_equal(faults.queued, 2);
	assert_true(faults_deadline(&faults) == FAULTS_NEVER);
	faults_release(&faults);
	expect(&faults, 0, "Yc");
	faults_hold(&faults);
	give(&faults, 0, "Z");
	faults_discard(&faults);
	faults_release(&faults);
	give(&faults, 0, "d");
	expect(&faults, 0, "d");
	assert_int_equal(faults.lost, 1);
	faults_deinit(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_delay),
		cmocka_unit_test(test_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
