/*
 * See asked.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/unit/control/asked.h"

#include <poll.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/ask.h"
#include "relay/call_stats.h"
#include "tests/unit/control/folder.h"

#define DOCUMENT_MAX (64 * 1024) /* bytes */
#define PATIENCE 1000            /* looks at the command, 10 ms apart */

/* ---- the command ---- */

static pid_t start_command(enum control_verb verb, int *out)
{
	const struct control_asking asking = { .program = "test", .path = folder_socket, .json = true,
		.request = { .verb = verb } };
	int ends[2];
	pid_t process;

	assert_int_equal(pipe(ends), 0);
	process = fork();
	assert_true(process >= 0);
	if (process == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)close(ends[0]);
		(void)close(ends[1]);
		_exit(control_ask(&asking));
	}
	(void)close(ends[1]);
	*out = ends[0];
	return process;
}

json_t *asked(uv_loop_t *loop, enum control_verb verb)
{
	static char text[DOCUMENT_MAX];
	struct pollfd out = { .events = POLLIN };
	pid_t process = start_command(verb, &out.fd);
	size_t size = 0;
	ssize_t n = 1;
	int status = 0;
	json_t *document;

	for (int i = 0; i < PATIENCE && n > 0; i++) {
		(void)uv_run(loop, UV_RUN_NOWAIT);
		if (poll(&out, 1, 10) == 0)
			continue;
		n = read(out.fd, text + size, sizeof text - size);
		size += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(n, 0);
	(void)close(out.fd);
	assert_int_equal(waitpid(process, &status, 0), process);
	assert_int_equal(status, 0);
	document = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_is_object(document));
	return document;
}

/* ---- what no test can know ---- */

static void replace(json_t *object, const char *key, json_t *value)
{
	assert_int_equal(json_object_set_new(object, key, value), 0);
}

static void replace_time(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	regex_t iso8601;

	assert_int_equal(regcomp(&iso8601, "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:"
		"[0-6][0-9]Z$", REG_EXTENDED | REG_NOSUB), 0);
	assert_non_null(text);
	assert_int_equal(regexec(&iso8601, text, 0, NULL, 0), 0);
	regfree(&iso8601);
	replace(object, key, json_string("T"));
}

static void replace_errors(json_t *calls)
{
	const json_t *errors = json_object_get(calls, "errors");
	json_int_t sum = 0;

	assert_true(json_is_object(errors));
	assert_int_equal(json_object_size(errors), CALL_STATS_OUTCOMES - 1);
	for (uint8_t outcome = WIRE_OK + 1; outcome < CALL_STATS_OUTCOMES; outcome++) {
		const json_t *count = json_object_get(errors, wire_outcome_name(outcome));

		assert_true(json_is_integer(count));
		sum += json_integer_value(count);
	}
	replace(calls, "errors", json_integer(sum));
}

/* In each object that has them, however deep. */
static void replace_all_errors(json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;

	json_array_foreach(value, i, member)
		replace_all_errors(member);
	json_object_foreach(value, key, member) {
		if (strcmp(key, "calls") == 0)
			replace_errors(member);
		else
			replace_all_errors(member);
	}
}

/* ---- the document ---- */

static json_t *document_of(const char *expected)
{
	char text[DOCUMENT_MAX];
	json_error_t error;
	json_t *document;

	(void)snprintf(text, sizeof text, "%s", expected);
	for (char *at = strchr(text, '\''); at != NULL; at = strchr(at, '\''))
		*at = '"';
	document = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (document == NULL)
		fail_msg("line %d of what is expected: %s", error.line, error.text);
	return document;
}

void asked_is(json_t *document, const char *expected)
{
	json_t *wanted = document_of(expected);

	replace_time(document, "time");
	if (json_object_get(document, "pid") != NULL) {
		assert_int_equal(json_integer_value(json_object_get(document, "pid")), getpid());
		replace(document, "pid", json_integer(1));
		replace_time(document, "since");
	}
	replace_all_errors(document);
	if (!json_equal(document, wanted)) {
		char *is = json_dumps(document, JSON_INDENT(1) | JSON_SORT_KEYS);
		char *should = json_dumps(wanted, JSON_INDENT(1) | JSON_SORT_KEYS);

		fail_msg("the document is\n%s\nand should be\n%s", is, should);
	}
	json_decref(wanted);
	json_decref(document);
}
