/*
 * The audit log, read back from a pipe in the place of stderr: the form of each line, and its limits.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host-bridge/audit.h"
#include "tests/unit/bridge/captured_log.h"

#define START 5000
#define VERIFY_81 ((struct pin_command){ .kind = PIN_VERIFY, .reference = 0x81 })

static struct audit audit;

static int set_up(void **state)
{
	audit_init(&audit, "vm1");
	return captured_log_set_up(state);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
		n++;
	return n;
}

static void verification(uint64_t now, enum audit_event result, int tries, uint16_t sw)
{
	struct pin_command command = VERIFY_81;

	audit_verification(&audit, now, "R \"1\"", &(struct audit_verification){
		.command = &command, .result = result, .tries = tries, .sw = sw });
}

static void test_lines(void **state)
{
	struct bridge_guest_config policy = { .share = { .mode = SHARE_EXCLUSIVE }, .pin_pad = true,
		.pin_guard = 2 };

	(void)state;
	audit_session_open(&audit, START, &policy);
	assert_string_equal(captured_log(), "program: info: vm1: audit: event=session-open share=exclusive "
		"pin-pad=yes escape=no pin-guard=2 guest=\"vm1\"\n");
	audit_card_opened(&audit, START, "R 00 00", 1);
	assert_string_equal(captured_log(), "program: info: vm1: audit: event=card-opened protocol=T1 "
		"guest=\"vm1\" reader=\"R 00 00\"\n");
	audit_card_closed(&audit, START, "R 00 00");
	assert_string_equal(captured_log(), "program: info: vm1: audit: event=card-closed guest=\"vm1\" "
		"reader=\"R 00 00\"\n");
	audit_refused_call(&audit, START, "", "escape", "policy");
	assert_string_equal(captured_log(), "program: info: vm1: audit: event=refused-call call=escape "
		"why=policy guest=\"vm1\"\n");
}

static void test_verifications(void **state)
{
	(void)state;
	verification(START, AUDIT_WRONG, 2, 0x63C2);
	assert_string_equal(captured_log(), "program: info: vm1: audit: event=verification command=verify "
		"reference=81 result=wrong tries=2 sw=63C2 guest=\"vm1\" reader=\"R ?1?\"\n");
	verification(START, AUDIT_LOST, -1, 0);
	assert_string_equal(captured_log(), "program: info: vm1: audit: event=verification command=verify "
		"reference=81 result=lost guest=\"vm1\" reader=\"R ?1?\"\n");
}

/* All that there can be in one, at its longest; and a name that looks like the end of another line. */
static void test_fields(void **state)
{
	static const char line[] = "program: info: a?b: audit: event=verification command=reset-retry-counter "
		"reference=8A result=blocked tries=0 sw=6983 pin-pad=yes guest=\"a?b\" reader=\"R?1? x\"\n";
	struct pin_command command = { .kind = PIN_RESET, .p1 = 0x02, .reference = 0x8A, .pin_pad = true };
	const char *text;

	(void)state;
	audit_init(&audit, "a\"b");
	audit_verification(&audit, START, "R\\1\" x", &(struct audit_verification){
		.command = &command, .result = AUDIT_BLOCKED, .tries = 0, .sw = 0x6983 });
	text = captured_log();
	assert_string_equal(strstr(text, "audit: "), strstr(line, "audit: "));
}

/* A refused verification is one, and counts with them. */
static void test_refused(void **state)
{
	(void)state;
	for (int i = 0; i < AUDIT_LINES + 5; i++)
		audit_card_closed(&audit, START, "R");
	(void)captured_log();
	verification(START, AUDIT_REFUSED, 1, 0);
	assert_string_equal(captured_log(), "program: info: vm1: audit: event=verification command=verify "
		"reference=81 result=refused tries=1 guest=\"vm1\" reader=\"R ?1?\"\n");
}

/* The next minute has as many of both, and what it leaves out is counted anew, in whole seconds. */
static void test_next_minute(void **state)
{
	const uint64_t first = AUDIT_INTERVAL, second = first + AUDIT_INTERVAL + 1;
	const char *text;

	(void)state;
	audit_tick(&audit, first);
	for (int i = 0; i < AUDIT_VERIFICATIONS + 9; i++)
		verification(first, AUDIT_WRONG, 2, 0x63C2);
	for (int i = 0; i < AUDIT_LINES + 4; i++)
		audit_card_closed(&audit, first, "R");
	(void)captured_log();
	for (int i = 0; i < AUDIT_VERIFICATIONS + 1; i++)
		verification(second, AUDIT_VERIFIED, -1, 0x9000);
	for (int i = 0; i < AUDIT_LINES + 1; i++)
		audit_card_closed(&audit, second, "R");
	text = captured_log();
	assert_int_equal(count(text, "result=verified"), AUDIT_VERIFICATIONS);
	assert_int_equal(count(text, "card-closed "), AUDIT_LINES);
	assert_non_null(strstr(text, "event=left-out seconds=61 "));
	assert_non_null(strstr(text, " wrong=9 "));
	assert_int_equal(audit_deadline(&audit), second + AUDIT_INTERVAL);
	audit_flush(&audit, second + 1500);
	text = captured_log();
	assert_non_null(strstr(text, "event=left-out seconds=2 verified=1 wrong=0 "));
	assert_non_null(strstr(text, " card-closed=1 "));
}

/* A second daemon that comes again and again is said at once, and then now and then. */
static void test_contested(void **state)
{
	static const char line[] = "program: info: vm1: audit: event=session-contested guest=\"vm1\"\n";

	(void)state;
	for (uint64_t now = START; now < START + 2 * AUDIT_CONTESTED_INTERVAL; now += 500)
		audit_session_contested(&audit, now);
	assert_int_equal(count(captured_log(), line), 2);
	audit_flush(&audit, START + 2 * AUDIT_CONTESTED_INTERVAL);
	assert_int_equal(count(captured_log(), " session-contested=38 "), 1);
}

/* What opens and closes cards without end can't hide a verification, nor fill a disk. */
static void test_flood(void **state)
{
	const char *text;

	(void)state;
	for (int i = 0; i < 1000; i++)
		audit_card_closed(&audit, START, "R");
	verification(START, AUDIT_WRONG, 2, 0x63C2);
	text = captured_log();
	assert_int_equal(count(text, "card-closed"), AUDIT_LINES);
	assert_int_equal(count(text, "event=verification"), 1);
	for (int i = 0; i < 500; i++)
		verification(START + 1, AUDIT_WRONG, 2, 0x63C2);
	assert_int_equal(count(captured_log(), "event=verification"), AUDIT_VERIFICATIONS - 1);
	assert_true(audit_deadline(&audit) != AUDIT_NEVER);
	audit_tick(&audit, audit_deadline(&audit));
	text = captured_log();
	assert_int_equal(count(text, "event=left-out"), 1);
	assert_non_null(strstr(text, " wrong=441 "));
	assert_non_null(strstr(text, " card-closed=940 "));
	assert_int_equal(audit_deadline(&audit), AUDIT_NEVER);
	verification(START + 2 * AUDIT_INTERVAL, AUDIT_VERIFIED, -1, 0x9000);
	assert_int_equal(count(captured_log(), "result=verified"), 1);
}

/* What was left out is said at the end, too. */
static void test_end(void **state)
{
	(void)state;
	audit_flush(&audit, START);
	assert_string_equal(captured_log(), "");
	for (int i = 0; i < AUDIT_LINES + 3; i++)
		audit_card_closed(&audit, START, "R");
	(void)captured_log();
	audit_flush(&audit, START + 10);
	assert_non_null(strstr(captured_log(), " card-closed=3 "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, set_up, captured_log_tear_down),
		cmocka_unit_test_setup_teardown(test_verifications, set_up, captured_log_tear_down),
		cmocka_unit_test_setup_teardown(test_fields, set_up, captured_log_tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, captured_log_tear_down),
		cmocka_unit_test_setup_teardown(test_next_minute, set_up, captured_log_tear_down),
		cmocka_unit_test_setup_teardown(test_contested, set_up, captured_log_tear_down),
		cmocka_unit_test_setup_teardown(test_flood, set_up, captured_log_tear_down),
		cmocka_unit_test_setup_teardown(test_end, set_up, captured_log_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
