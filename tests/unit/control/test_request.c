/*
 * Lines of the control socket, as a table: what comes, in which pieces, and what it is.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/request.h"

struct row {
	const char *line;
	int result;
	enum control_verb verb;
	const char *argument;
};

static const struct row rows[] = {
	{ "readers\n", 0, CONTROL_READERS, "" },
	{ "status\n", 0, CONTROL_STATUS, "" },
	{ "log-level\n", 0, CONTROL_LOG_LEVEL, "" },
	{ "log-level debug\n", 0, CONTROL_LOG_LEVEL, "debug" },
	{ "trace\n", 0, CONTROL_TRACE, "" },
	{ "trace with-data\n", 0, CONTROL_TRACE, CONTROL_WITH_DATA },
	{ "readers", CONTROL_LINE_PART, 0, "" },
	{ "", CONTROL_LINE_PART, 0, "" },
	{ "\n", CONTROL_LINE_UNKNOWN, 0, "" },
	{ "reader\n", CONTROL_LINE_UNKNOWN, 0, "" },
	{ "readersx\n", CONTROL_LINE_UNKNOWN, 0, "" },
	{ "Readers\n", CONTROL_LINE_UNKNOWN, 0, "" },
	{ " readers\n", CONTROL_LINE_UNKNOWN, 0, "" },
	{ "readers \n", CONTROL_LINE_UNKNOWN, 0, "" },
	{ "readers all\n", CONTROL_LINE_UNKNOWN, 0, "" },
	{ "log-level  debug\n", CONTROL_LINE_UNKNOWN, 0, "" },
	{ "log-level debug now\n", CONTROL_LINE_UNKNOWN, 0, "" },
	{ "readers\nreaders\n", CONTROL_LINE_BAD, 0, "" },
	{ "readers\n\n", CONTROL_LINE_BAD, 0, "" },
	{ "readers\r\n", CONTROL_LINE_BAD, 0, "" },
	{ "readers\t\n", CONTROL_LINE_BAD, 0, "" },
	{ "r\xC3\xA9\n", CONTROL_LINE_BAD, 0, "" },
	{ "\x7F", CONTROL_LINE_BAD, 0, "" },
};

/* All at once, and byte by byte: what comes together is no different from what comes apart. */
static int feed(const char *line, size_t piece, struct control_request *request)
{
	struct control_line state = { .size = 0 };
	size_t size = strlen(line), at = 0;
	int r = CONTROL_LINE_PART;

	while (at < size && r == CONTROL_LINE_PART) {
		size_t n = size - at < piece ? size - at : piece;

		r = control_line_add(&state, line + at, n, request);
		at += n;
	}
	return at == size ? r : CONTROL_LINE_BAD;
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t piece = 1; piece < 20; piece++) {
			struct control_request request = { .verb = CONTROL_VERB_COUNT };

			assert_int_equal(feed(rows[i].line, piece, &request), rows[i].result);
			if (rows[i].result != 0)
				continue;
			assert_int_equal(request.verb, rows[i].verb);
			assert_string_equal(request.argument, rows[i].argument);
		}
	}
}

/* A zero is a byte like any other that is not printable. */
static void test_zero(void **state)
{
	struct control_line line = { .size = 0 };
	struct control_request request;

	(void)state;
	assert_int_equal(control_line_add(&line, "readers\0\n", 9, &request), CONTROL_LINE_BAD);
}

/* The longest line, and one byte more. */
static void test_length(void **state)
{
	char text[CONTROL_LINE_MAX + 8];
	struct control_request request;

	(void)state;
	for (size_t size = CONTROL_LINE_MAX - 3; size < CONTROL_LINE_MAX + 4; size++) {
		(void)snprintf(text, sizeof text, "log-level ");
		memset(text + 10, 'x', size - 11);
		text[size - 1] = '\n';
		text[size] = '\0';
		assert_int_equal(feed(text, 7, &request), size <= CONTROL_LINE_MAX ? 0 : CONTROL_LINE_BAD);
		text[size - 1] = 'x';
		assert_int_equal(feed(text, 64, &request),
			size < CONTROL_LINE_MAX ? CONTROL_LINE_PART : CONTROL_LINE_BAD);
	}
}

/* What a command writes, a daemon reads. */
static void test_write(void **state)
{
	struct control_request request = { .verb = CONTROL_LOG_LEVEL, .argument = "warning" };
	struct control_request read = { .verb = CONTROL_READERS };
	char text[CONTROL_LINE_MAX + 1];

	(void)state;
	assert_int_equal(control_line_write(&request, text), 0);
	assert_string_equal(text, "log-level warning\n");
	assert_int_equal(feed(text, 3, &read), 0);
	assert_int_equal(read.verb, CONTROL_LOG_LEVEL);
	assert_string_equal(read.argument, "warning");
	memset(request.argument, 'x', sizeof request.argument - 1);
	request.argument[sizeof request.argument - 1] = '\0';
	assert_int_equal(control_line_write(&request, text), CONTROL_LINE_BAD);
	for (enum control_verb verb = 0; verb < CONTROL_VERB_COUNT; verb++) {
		assert_true(control_verb_by_name(control_verb_name(verb), &read.verb));
		assert_int_equal(read.verb, verb);
	}
	assert_false(control_verb_by_name("doctor", &read.verb));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_zero),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
