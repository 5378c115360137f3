/*
 * The log, read back from a pipe in the place of stderr: the two forms of a line, the levels, and
 * that nothing from outside can forge a line or make one too long.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static int saved_stderr;
static int reader;

static int set_up(void **state)
{
	int ends[2];

	(void)state;
	saved_stderr = dup(STDERR_FILENO);
	if (pipe2(ends, O_NONBLOCK) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
		return -1;
	close(ends[1]);
	reader = ends[0];
	unsetenv("JOURNAL_STREAM");
	log_init("program", LOG_LEVEL_INFO);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(reader);
	return 0;
}

/* What was written since the last time. */
static const char *written(void)
{
	static char text[4096];
	ssize_t size = read(reader, text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void test_terminal(void **state)
{
	(void)state;
	log_warning("vm1", "reader '%s' is gone, %d left", "A", 3);
	assert_string_equal(written(), "program: warning: vm1: reader 'A' is gone, 3 left\n");
}

static void test_journal(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "8:1234", 1);
	log_error("a", "one");
	log_warning("b", "two");
	log_info("c", "three");
	assert_string_equal(written(), "<3>a: one\n<4>b: two\n<6>c: three\n");
	log_init("program", LOG_LEVEL_DEBUG);
	log_debug("d", "four");
	assert_string_equal(written(), "<7>d: four\n");
}

static void test_levels(void **state)
{
	(void)state;
	log_debug("a", "not at this level");
	assert_string_equal(written(), "");
	log_init("program", LOG_LEVEL_ERROR);
	log_warning("a", "not at this level");
	log_info("a", "not at this level");
	assert_string_equal(written(), "");
	log_error("a", "this");
	assert_string_equal(written(), "program: error: a: this\n");
}

static void test_level_names(void **state)
{
	enum log_level level = LOG_LEVEL_ERROR;

	(void)state;
	assert_int_equal(log_level_by_name("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_by_name("error", &level), 0);
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_int_equal(log_level_by_name("warning", &level), 0);
	assert_int_equal(level, LOG_LEVEL_WARNING);
	assert_int_equal(log_level_by_name("info", &level), 0);
	assert_int_equal(level, LOG_LEVEL_INFO);
	assert_int_not_equal(log_level_by_name("", &level), 0);
	assert_int_not_equal(log_level_by_name("Info", &level), 0);
	assert_int_equal(level, LOG_LEVEL_INFO);
}

static void test_no_line_is_forged(void **state)
{
	(void)state;
	log_info("vm\n1", "a name with %s in it", "\n<3>core: a \033[31mlie\177\t");
	assert_string_equal(written(),
		"program: info: vm?1: a name with ?<3>core: a ?[31mlie?? in it\n");
}

static void test_long_line_is_cut(void **state)
{
	static char name[3 * LOG_LINE_MAX];
	const char *line;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	log_info("a", "%s", name);
	line = written();
	assert_in_range(strlen(line), LOG_LINE_MAX / 2, LOG_LINE_MAX);
	assert_int_equal(line[strlen(line) - 1], '\n');
	log_info(name, "text");
	line = written();
	assert_in_range(strlen(line), LOG_LINE_MAX / 2, LOG_LINE_MAX);
	assert_int_equal(line[strlen(line) - 1], '\n');
}

/* Nobody reads any more, or the pipe is full: the line is lost, and nothing else. */
static void test_lost_lines(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++)
		log_info("a", "a line of a few bytes");
	close(reader);
	(void)signal(SIGPIPE, SIG_IGN);
	errno = ENOENT;
	log_info("a", "into nowhere");
	assert_int_equal(errno, ENOENT);
	(void)signal(SIGPIPE, SIG_DFL);
	reader = dup(saved_stderr);
}

int main(void)
{
#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_terminal),
		LOG_TEST(test_journal),
		LOG_TEST(test_levels),
		LOG_TEST(test_level_names),
		LOG_TEST(test_no_line_is_forged),
		LOG_TEST(test_long_line_is_cut),
		LOG_TEST(test_lost_lines),
	};

	return cmocka_run_group_tests_name("base-log", tests, NULL, NULL);
}
