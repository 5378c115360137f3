/*
 * The traces of a daemon: each gets what it asked for and nothing else, none has more than its queue,
 * and what was lost is said.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trace/tracers.h"

#define PIN "93471856"

static const uint8_t verify[] = "\x6F\x0D\0\0\0\0\0\0\0\0" "\0\x20\0\x81\x08" PIN;

struct reader {
	struct tracer *tracer;
	size_t woken;
	uint8_t file[4 * TRACE_QUEUE_MAX];
	size_t size;
	const uint8_t *last; /* where the last piece was */
};

static struct reader readers[3];
static struct tracers all;

static void on_wake(void *context)
{
	struct reader *reader = context;

	reader->woken++;
}

static struct reader *begin(size_t i, bool with_data)
{
	const struct tracer_owner owner = { .wake = on_wake, .context = &readers[i] };

	readers[i] = (struct reader){ .size = 0 };
	assert_int_equal(tracer_new(&readers[i].tracer, &all, with_data, &owner), 0);
	return &readers[i];
}

static int set_up(void **state)
{
	(void)state;
	all = (struct tracers){ .program = "a program", .interface = "an interface", .bus = 2 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		readers[i].tracer = tracer_free(readers[i].tracer);
	return all.first == NULL ? 0 : -1;
}

static void take(struct reader *reader)
{
	struct payload_view piece;

	do {
		piece = tracer_next(reader->tracer);
		memcpy(reader->file + reader->size, piece.bytes, piece.size);
		reader->size += piece.size;
		if (piece.size > 0)
			reader->last = piece.bytes;
	} while (piece.size > 0);
}

static void tell_with(const char *text)
{
	struct trace_message message = { .time = 1, .address = 1, .direction = TRACE_OUT, .call = 17,
		.text = text };

	trace_split(&message, (struct payload_view){ verify, sizeof(verify) - 1 });
	tracers_message(&all, &message);
}

static void tell(void)
{
	tell_with(NULL);
}

static uint32_t number(const uint8_t *at)
{
	struct cursor_in in = cursor_in(at, 4);

	return in_le32(&in);
}

/* How many blocks of a type there are; each is whole. lost: what those that are packets say in sum. */
static size_t count(const struct reader *reader, uint32_t type, uint64_t *lost)
{
	size_t found = 0;

	*lost = 0;
	for (size_t at = 0; at < reader->size;) {
		size_t size = number(reader->file + at + 4);

		assert_true(at + size <= reader->size);
		assert_int_equal(number(reader->file + at + size - 4), size);
		found += number(reader->file + at) == type;
		/* epb_dropcount is the last option before the end. */
		if (number(reader->file + at) == 6 && number(reader->file + at + size - 20) == 0x00080004)
			*lost += number(reader->file + at + size - 16);
		at += size;
	}
	return found;
}

static void test_each_as_it_asked(void **state)
{
	struct reader *cut = begin(0, false), *whole = begin(1, true);
	uint64_t lost;

	(void)state;
	tell();
	assert_int_equal(cut->woken, 1);
	take(cut);
	take(whole);
	assert_int_equal(count(cut, 6, &lost), 1);
	assert_int_equal(count(whole, 6, &lost), 1);
	assert_int_equal(lost, 0);
	assert_null(memmem(cut->file, cut->size, PIN, 3));
	assert_non_null(memmem(whole->file, whole->size, PIN, 8));
	assert_non_null(memmem(cut->file, cut->size, "call=17", 7));
	assert_non_null(memmem(whole->file, whole->size, "call=17", 7));
}

/* One who has begun later has no packets from before, and one who has gone costs nothing. */
static void test_come_and_go(void **state)
{
	struct reader *first = begin(0, false), *second;
	uint64_t lost;

	(void)state;
	tell();
	second = begin(1, false);
	tell();
	take(first);
	take(second);
	assert_int_equal(count(first, 6, &lost), 2);
	assert_int_equal(count(second, 6, &lost), 1);
	first->tracer = tracer_free(first->tracer);
	tell();
	take(second);
	assert_int_equal(count(second, 6, &lost), 2);
	first = begin(0, false);
	first->tracer = tracer_free(first->tracer);
	tell();
	take(second);
	assert_int_equal(count(second, 6, &lost), 3);
}

/* What has been read, and what did not fit, is nowhere in the queue any more. */
static void test_wiped(void **state)
{
	struct reader *whole = begin(0, true);

	(void)state;
	tell();
	take(whole);
	assert_null(memmem(whole->last, 4096, PIN, 3));
}

static void test_who_never_reads(void **state)
{
	struct reader *slow = begin(0, false), *quick = begin(1, false);
	struct pcapng_counts counts;
	uint64_t lost;
	size_t kept;

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		tell();
		take(quick);
		quick->size = 0;
	}
	assert_int_equal(tracer_counts(quick->tracer).lost, 0);
	counts = tracer_counts(slow->tracer);
	assert_int_equal(counts.received, 20000);
	assert_in_range(counts.lost, 1, 19999);
	take(slow);
	assert_true(slow->size <= TRACE_QUEUE_MAX);
	kept = count(slow, 6, &lost);
	assert_int_equal(kept + counts.lost, 20000);
	assert_int_equal(lost, 0);
	/* The next packet says how many are missing before it, and only that one. */
	tell();
	tell();
	take(slow);
	assert_int_equal(count(slow, 6, &lost), kept + 2);
	assert_int_equal(lost, counts.lost);
}

/* There is always room for the last block, however full the queue is, and nothing comes behind it. */
static void test_end(void **state)
{
	char text[128] = "";
	uint64_t lost, all_lost;

	(void)state;
	for (size_t size = 0; size < sizeof(text) - 1; size += 4) {
		struct reader *slow = begin(0, true);

		memset(text, 'x', size);
		for (size_t i = 0; i < 4000; i++)
			tell_with(text);
		all_lost = tracer_counts(slow->tracer).lost;
		assert_in_range(all_lost, 1, 3999);
		tracer_end(slow->tracer, 5);
		tracer_end(slow->tracer, 6);
		take(slow);
		tell();
		take(slow);
		assert_int_equal(count(slow, 5, &lost), 1);
		assert_int_equal(number(slow->file + slow->size - PCAPNG_COUNTS_SIZE), 5);
		assert_int_equal(number(slow->file + slow->size - PCAPNG_COUNTS_SIZE + 24), 4000);
		assert_int_equal(number(slow->file + slow->size - PCAPNG_COUNTS_SIZE + 36), all_lost);
		slow->tracer = tracer_free(slow->tracer);
	}
}

static void test_requests_and_devices(void **state)
{
	static const uint8_t descriptor[TRACE_CLASS_DESCRIPTOR_SIZE] = { 54, 0x21 };
	const struct trace_device device = { .address = 1, .class_descriptor = descriptor, .name = "A" };
	const struct trace_request request = { .time = 1, .address = 1, .setup = { 0x21, 1, 0, 5 },
		.text = "ABORT" };
	struct reader *reader = begin(0, false);
	uint64_t lost;

	(void)state;
	tracers_device(&all, 1, &device);
	assert_int_equal(tracer_counts(reader->tracer).received, 4);
	tracers_request(&all, &request);
	take(reader);
	assert_int_equal(count(reader, 6, &lost), 5);
	assert_int_equal(tracer_counts(reader->tracer).received, 5);
	assert_non_null(memmem(reader->file, reader->size, "ABORT", 5));
	assert_non_null(memmem(reader->file, reader->size, "\x21\x01\x00\x05\0\0\0\0", 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_as_it_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_come_and_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wiped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_who_never_reads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_requests_and_devices, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
