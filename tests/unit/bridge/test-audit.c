/*
 * The audit log, read back from a pipe in the place of stderr: the form of each line, and its limits.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "host-bridge/audit.h"

#define START 5000
#define VERIFY_81 ((struct pin_command){ .kind = PIN_VERIFY, .reference = 0x81 })

static int saved_stderr;
static int lines;
static struct audit audit;

static int set_up(void **state)
{
	int ends[2];

	(void)state;
	saved_stderr = dup(STDERR_FILENO);
	if (pipe2(ends, O_NONBLOCK) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
		return -1;
	(void)close(ends[1]);
	(void)fcntl(ends[0], F_SETPIPE_SZ, 1024 * 1024);
	lines = ends[0];
	unsetenv("JOURNAL_STREAM");
	log_init("program", LOG_LEVEL_INFO);
	audit_init(&audit, "vm1");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(lines);
	return 0;
}

/* What was written since the last time. */
static const char *written(void)
{
	static char text[128 * 1024];
	ssize_t size = read(lines, text, sizeof text - 1);

	text[size > 0 ? size : 0] = '\0';
	return text;
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
	assert_string_equal(written(), "program: info: vm1: audit: event=session-open share=exclusive "
		"pin-pad=yes escape=no pin-guard=2 guest=\"vm1\"\n");
	audit_card_opened(&audit, START, "R 00 00", 1);
	assert_string_equal(written(), "program: info: vm1: audit: event=card-opened protocol=T1 "
		"guest=\"vm1\" reader=\"R 00 00\"\n");
	audit_card_closed(&audit, START, "R 00 00");
	assert_string_equal(written(), "program: info: vm1: audit: event=card-closed guest=\"vm1\" "
		"reader=\"R 00 00\"\n");
	audit_refused_call(&audit, START, "", "escape", "policy");
	assert_string_equal(written(), "program: info: vm1: audit: event=refused-call call=escape "
		"why=policy guest=\"vm1\"\n");
}

static void test_verifications(void **state)
{
	(void)state;
	verification(START, AUDIT_WRONG, 2, 0x63C2);
	assert_string_equal(written(), "program: info: vm1: audit: event=verification command=verify "
		"reference=81 result=wrong tries=2 sw=63C2 guest=\"vm1\" reader=\"R ?1?\"\n");
	verification(START, AUDIT_LOST, -1, 0);
	assert_string_equal(written(), "program: info: vm1: audit: event=verification command=verify "
		"reference=81 result=lost guest=\"vm1\" reader=\"R ?1?\"\n");
}

/* What opens and closes cards without end can't hide a verification, nor fill a disk. */
static void test_flood(void **state)
{
	const char *text;

	(void)state;
	for (int i = 0; i < 1000; i++)
		audit_card_closed(&audit, START, "R");
	verification(START, AUDIT_WRONG, 2, 0x63C2);
	text = written();
	assert_int_equal(count(text, "card-closed"), AUDIT_LINES);
	assert_int_equal(count(text, "event=verification"), 1);
	for (int i = 0; i < 500; i++)
		verification(START + 1, AUDIT_WRONG, 2, 0x63C2);
	assert_int_equal(count(written(), "event=verification"), AUDIT_VERIFICATIONS - 1);
	assert_true(audit_deadline(&audit) != AUDIT_NEVER);
	audit_tick(&audit, audit_deadline(&audit));
	text = written();
	assert_int_equal(count(text, "event=left-out"), 1);
	assert_non_null(strstr(text, " wrong=441 "));
	assert_non_null(strstr(text, " card-closed=940 "));
	assert_int_equal(audit_deadline(&audit), AUDIT_NEVER);
	verification(START + 2 * AUDIT_INTERVAL, AUDIT_VERIFIED, -1, 0x9000);
	assert_int_equal(count(written(), "result=verified"), 1);
}

/* What was left out is said at the end, too. */
static void test_end(void **state)
{
	(void)state;
	audit_flush(&audit, START);
	assert_string_equal(written(), "");
	for (int i = 0; i < AUDIT_LINES + 3; i++)
		audit_card_closed(&audit, START, "R");
	(void)written();
	audit_flush(&audit, START + 10);
	assert_non_null(strstr(written(), " card-closed=3 "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_verifications, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flood, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
