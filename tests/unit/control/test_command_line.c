/*
 * Command lines, as a table.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <fcntl.h>
#include <getopt.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/command_line.h"

static int run_nothing(const struct command_line *line)
{
	(void)line;
	return 0;
}

static const struct command commands[] = {
	{ "readers", NULL, "what there is", true, run_nothing },
	{ "check-config", NULL, "check", false, run_nothing },
	{ "genkey", "[KEY-FILE]", "make a key\nin a file", false, run_nothing },
	{ COMMAND_TRACE, "FILE", "trace", false, run_nothing },
	{ NULL, NULL, NULL, false, NULL },
};

static const struct command_program program = {
	.name = "test",
	.purpose = "Tests.",
	.version = "test 1\nand more\n",
	.built_with = "libtest 1.2, libother 3",
	.features = "+this -that",
	.config = "/etc/test.conf",
	.commands = commands,
	.role_option = "role",
};

static const struct row {
	const char *arguments; /* parted by blanks */
	int status;
	const char *command, *operand, *config, *level, *socket;
	bool json, watch;
} rows[] = {
	{ "", COMMAND_LINE_GO_ON, NULL, NULL, "/etc/test.conf", NULL, NULL, false, false },
	{ "-c x", COMMAND_LINE_GO_ON, NULL, NULL, "x", NULL, NULL, false, false },
	{ "--log-level debug --config y", COMMAND_LINE_GO_ON, NULL, NULL, "y", "debug", NULL, false, false },
	{ "readers", COMMAND_LINE_GO_ON, "readers", NULL, "/etc/test.conf", NULL, NULL, false, false },
	{ "readers --json", COMMAND_LINE_GO_ON, "readers", NULL, "/etc/test.conf", NULL, NULL, true, false },
	{ "--watch readers -c x", COMMAND_LINE_GO_ON, "readers", NULL, "x", NULL, NULL, false, true },
	{ "readers --socket /s", COMMAND_LINE_GO_ON, "readers", NULL, "/etc/test.conf", NULL, "/s", false, false },
	{ "check-config", COMMAND_LINE_GO_ON, "check-config", NULL, "/etc/test.conf", NULL, NULL, false, false },
	{ "--check-config -c x", COMMAND_LINE_GO_ON, "check-config", NULL, "x", NULL, NULL, false, false },
	{ "genkey", COMMAND_LINE_GO_ON, "genkey", NULL, "/etc/test.conf", NULL, NULL, false, false },
	{ "genkey /k", COMMAND_LINE_GO_ON, "genkey", "/k", "/etc/test.conf", NULL, NULL, false, false },
	{ "trace /f", COMMAND_LINE_GO_ON, "trace", "/f", "/etc/test.conf", NULL, NULL, false, false },
	{ "trace /f --with-data", COMMAND_LINE_GO_ON, "trace", "/f", "/etc/test.conf", NULL, NULL, false, false },
	{ "trace /f --json", EX_USAGE, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "readers --with-data", EX_USAGE, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "--with-data", EX_USAGE, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "--version", EX_OK, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "--help", EX_OK, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "-h", EX_OK, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "reader", EX_USAGE, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "readers all", EX_USAGE, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "genkey /k /l", EX_USAGE, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "genkey --json", EX_USAGE, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "--json", EX_USAGE, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "--log-level loud", EX_USAGE, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "--config", EX_USAGE, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "--colour", EX_USAGE, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "--check-config readers", EX_USAGE, NULL, NULL, NULL, NULL, NULL, false, false },
};

/* What is printed is not for the test's output; it is left in text. */
static int parse(const char *arguments, struct command_line *line, char *text, size_t size)
{
	static char copy[256];
	char *argv[16] = { copy };
	int saved[2] = { dup(STDOUT_FILENO), dup(STDERR_FILENO) };
	FILE *file = tmpfile();
	int argc = 0, status;
	size_t n;

	(void)snprintf(copy, sizeof copy, "test %s", arguments);
	for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	optind = 0;
	(void)fflush(stdout);
	(void)dup2(fileno(file), STDOUT_FILENO);
	(void)dup2(fileno(file), STDERR_FILENO);
	status = command_line_parse(&program, argc, argv, line);
	(void)fflush(stdout);
	(void)dup2(saved[0], STDOUT_FILENO);
	(void)dup2(saved[1], STDERR_FILENO);
	rewind(file);
	n = fread(text, 1, size - 1, file);
	text[n] = '\0';
	(void)fclose(file);
	(void)close(saved[0]);
	(void)close(saved[1]);
	return status;
}

static void assert_text(const char *expected, const char *actual)
{
	if (expected == NULL)
		assert_null(actual);
	else
		assert_string_equal(expected, actual);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		struct command_line line;
		char text[4096];

		if (parse(row->arguments, &line, text, sizeof text) != row->status)
			fail_msg("'%s': another status than %d", row->arguments, row->status);
		/* Whoever is refused is told where to read on. */
		if (row->status == EX_USAGE)
			assert_non_null(strstr(text, "test --help"));
		if (row->status != COMMAND_LINE_GO_ON)
			continue;
		assert_string_equal(text, "");
		assert_text(row->command, line.command != NULL ? line.command->name : NULL);
		assert_text(row->operand, line.operand);
		assert_text(row->config, line.config);
		assert_text(row->level, line.log_level);
		assert_text(row->socket, line.socket);
		assert_int_equal(line.json, row->json);
		assert_int_equal(line.watch, row->watch);
		assert_null(line.role);
	}
}

/* Nothing in a role's words is a command or an option of ours. */
static void test_role(void **state)
{
	struct command_line line;
	char text[4096];

	(void)state;
	assert_int_equal(parse("--role worker --log-level info -- vm readers --json", &line, text,
		sizeof text), COMMAND_LINE_GO_ON);
	assert_string_equal(line.role, "worker");
	assert_int_equal(line.word_count, 3);
	assert_string_equal(line.words[2], "--json");
	assert_false(line.json);
	assert_null(line.command);
}

/* The first line is for programs; each library has its version. */
static void test_version(void **state)
{
	static const char *const patterns[] = {
		"^test 1\nand more\nruns with ", " libuv [0-9]+\\.[0-9.]+,", " libsodium [0-9]+\\.[0-9.]+,",
		" libconfuse [0-9]+\\.[0-9.]+,", " jansson [0-9]+\\.[0-9.]+\nbuilt with ",
		"\nbuilt with nanomsg [0-9]+\\.[0-9.]+, libtest 1\\.2, libother 3\n",
		"\nfeatures: \\+this -that [+-]hardened\n$",
	};
	struct command_line line;
	char text[4096];

	(void)state;
	assert_int_equal(parse("--version", &line, text, sizeof text), EX_OK);
	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
		regex_t pattern;

		assert_int_equal(regcomp(&pattern, patterns[i], REG_EXTENDED | REG_NOSUB), 0);
		if (regexec(&pattern, text, 0, NULL, 0) != 0)
			fail_msg("%s is not in\n%s", patterns[i], text);
		regfree(&pattern);
	}
}

/* A screen has 24 lines of 80 characters. */
static void test_help(void **state)
{
	struct command_line line;
	char text[4096];
	size_t lines = 0;

	(void)state;
	assert_int_equal(parse("--help", &line, text, sizeof text), EX_OK);
	for (char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1) {
		assert_true(strcspn(at, "\n") <= 80);
		lines++;
	}
	assert_true(lines <= 24);
	for (size_t i = 0; commands[i].name != NULL; i++)
		assert_non_null(strstr(text, commands[i].name));
	assert_null(strstr(text, "role"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_role),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
