/*
 * The part of a status that both daemons have: which members there are, whatever was counted; and who
 * may set the log level.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "control/status.h"

static void test_head(void **state)
{
	const struct control_daemon daemon = { .program = "ccid-test", .config = "/etc/\xE4", .since = 1 };
	json_t *head = control_status_head(&daemon);

	(void)state;
	assert_int_equal(control_json_number(head, "schema"), 1);
	assert_int_equal(control_json_number(head, "pid"), getpid());
	assert_string_equal(control_json_get(head, "program", ""), "ccid-test");
	assert_string_equal(control_json_get(head, "since", ""), "1970-01-01T00:00:01Z");
	assert_string_equal(control_json_get(head, "config", ""), "/etc/\xEF\xBF\xBD");
	assert_string_equal(control_json_get(head, "log_level", ""), "info");
	assert_int_equal(json_object_size(head), 8);
	json_decref(head);
}

static json_t *calls_of(const struct call_stats *stats, size_t members)
{
	json_t *calls = control_status_calls(stats);

	assert_int_equal(json_object_size(calls), 5);
	assert_int_equal(json_object_size(json_object_get(calls, "errors")), members);
	assert_int_equal(json_object_size(json_object_get(calls, "latency_us")), 4);
	return calls;
}

static void test_calls(void **state)
{
	static const uint8_t bytes[300];
	struct call_stats stats = { .apdus = 0 };
	const struct wire_reply good = { .data = { bytes, 2 } }, long_one = { .data = { bytes, 300 } };
	const struct wire_reply busy = { .outcome = WIRE_CARD_BUSY }, odd = { .outcome = 200 },
		late = { .outcome = WIRE_TIMED_OUT };
	json_t *calls = calls_of(&stats, CALL_STATS_OUTCOMES - 1), *part;

	(void)state;
	json_decref(calls);
	call_stats_ended(&stats, WIRE_CONNECT, 0, &long_one, 900000);
	call_stats_ended(&stats, WIRE_CONNECT, 0, &busy, 900000);
	call_stats_ended(&stats, WIRE_TRANSMIT, 5, &good, 1000);
	call_stats_ended(&stats, WIRE_TRANSMIT, 261, &long_one, 3000);
	call_stats_ended(&stats, WIRE_TRANSMIT, 4, &busy, 2000);
	call_stats_ended(&stats, WIRE_DISCONNECT, 0, &odd, 0);
	call_stats_ended(&stats, WIRE_SECURE, 0, &late, 0);
	call_stats_not_made(&stats, &busy);
	calls = calls_of(&stats, CALL_STATS_OUTCOMES - 1);
	assert_int_equal(control_json_number(calls, "apdus"), 3);
	assert_int_equal(control_json_number(calls, "bytes_sent"), 270);
	assert_int_equal(control_json_number(calls, "bytes_received"), 302);
	part = json_object_get(calls, "errors");
	assert_int_equal(control_json_number(part, wire_outcome_name(WIRE_CARD_BUSY)), 3);
	assert_int_equal(control_json_number(part, wire_outcome_name(WIRE_NO_CARD)), 0);
	assert_int_equal(control_json_number(part, wire_outcome_name(WIRE_TIMED_OUT)), 1);
	part = json_object_get(calls, "latency_us");
	assert_int_equal(control_json_number(part, "min"), 1000);
	assert_int_equal(control_json_number(part, "mean"), 2000);
	assert_int_equal(control_json_number(part, "max"), 3000);
	assert_int_equal(control_json_number(part, "p99"), 3000);
	json_decref(calls);
}

static const char *text_of(void (*show)(const json_t *, FILE *), const json_t *json)
{
	static char text[2000];
	FILE *out = fmemopen(text, sizeof text, "w");

	assert_non_null(out);
	show(json, out);
	(void)fclose(out);
	return text;
}

static void show_indented(const json_t *calls, FILE *out)
{
	control_status_show_calls(calls, "  ", out);
}

static void test_text(void **state)
{
	static const uint8_t bytes[2];
	struct call_stats stats = { .apdus = 0 };
	const struct wire_reply good = { .data = { bytes, 2 } }, busy = { .outcome = WIRE_CARD_BUSY };
	const struct wire_reply none = { .outcome = WIRE_NO_CARD };
	const struct control_daemon daemon = { .program = "p", .config = "\x1B[2J", .since = 1 };
	json_t *json = control_status_calls(&stats);
	char expected[200];

	(void)state;
	assert_string_equal(text_of(show_indented, json), "  0 APDUs, 0 bytes sent, 0 received\n");
	json_decref(json);
	call_stats_ended(&stats, WIRE_TRANSMIT, 5, &good, 1500);
	call_stats_ended(&stats, WIRE_CONNECT, 0, &busy, 0);
	call_stats_ended(&stats, WIRE_CONNECT, 0, &none, 0);
	json = control_status_calls(&stats);
	(void)snprintf(expected, sizeof expected, "\n  1 of: %s; 1 of: %s\n",
		wire_outcome_name(WIRE_NO_CARD), wire_outcome_name(WIRE_CARD_BUSY));
	assert_non_null(strstr(text_of(show_indented, json), expected));
	assert_non_null(strstr(text_of(show_indented, json), "takes 1.5 ms on average"));
	json_decref(json);
	json = control_status_head(&daemon);
	assert_non_null(strstr(text_of(control_status_show_head, json), "configuration ?[2J, log"));
	json_decref(json);
	/* Of another version. */
	json = json_object();
	(void)text_of(control_status_show_head, json);
	(void)text_of(show_indented, json);
	(void)text_of(control_status_show_log_level, json);
	json_decref(json);
}

/* Returns what the level is afterwards, and in *refused whether the answer is an error. */
static enum log_level ask(const char *argument, bool trusted, bool *refused)
{
	struct control_question question = {
		.request.verb = CONTROL_LOG_LEVEL, .trusted = trusted };
	json_t *answer;

	(void)snprintf(question.request.argument, sizeof question.request.argument, "%s", argument);
	answer = control_status_log_level(&question);
	*refused = control_json_get(answer, "error", NULL) != NULL;
	if (!*refused)
		assert_string_equal(control_json_get(answer, "log_level", ""),
			log_level_name(log_get_level()));
	json_decref(answer);
	return log_get_level();
}

static void test_log_level(void **state)
{
	bool refused;

	(void)state;
	log_init("test", LOG_LEVEL_INFO);
	assert_int_equal(ask("", false, &refused), LOG_LEVEL_INFO);
	assert_false(refused);
	assert_int_equal(ask("debug", false, &refused), LOG_LEVEL_INFO);
	assert_true(refused);
	assert_int_equal(ask("loud", true, &refused), LOG_LEVEL_INFO);
	assert_true(refused);
	assert_int_equal(ask("debug", true, &refused), LOG_LEVEL_DEBUG);
	assert_false(refused);
	assert_int_equal(ask("", true, &refused), LOG_LEVEL_DEBUG);
	assert_int_equal(ask("error", true, &refused), LOG_LEVEL_ERROR);
	log_init("test", LOG_LEVEL_INFO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_log_level),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
