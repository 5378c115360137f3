/*
 * The command line. See command_line.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "control/command_line.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "control/version.h"

enum {
	OPTION_CHECK = 0x100,
	OPTION_LEVEL,
	OPTION_SOCKET,
	OPTION_JSON,
	OPTION_WATCH,
	OPTION_WITH_DATA,
	OPTION_ROLE,
	OPTION_VERSION,
	OPTION_HELP,
};

#define CHECK_CONFIG "check-config" /* a command that was an option, too, and still is */

#define HELP_COLUMN 22 /* where the help's explanations begin */

/* ---- the help ---- */

/* "  left", then text in a column, each of its lines. */
static void help_line(const char *left, const char *text)
{
	int used = printf("  %s", left);

	while (text[0] != '\0') {
		size_t size = strcspn(text, "\n");

		printf("%*s%.*s\n", used < HELP_COLUMN ? HELP_COLUMN - used : 1, "", (int)size, text);
		text += size + (text[size] == '\n');
		used = 0;
	}
}

static void help(const struct command_program *program)
{
	char left[64];

	printf("Usage: %s [OPTION...]            the daemon, in the foreground\n"
	       "       %s [OPTION...] COMMAND    a tool\n"
	       "%s\n\nCommands:\n", program->name, program->name, program->purpose);
	for (const struct command *command = program->commands; command->name != NULL; command++) {
		(void)snprintf(left, sizeof left, "%s %s", command->name,
			command->operand != NULL ? command->operand : "");
		help_line(left, command->says);
	}
	printf("\nOptions:\n");
	(void)snprintf(left, sizeof left, "read FILE, not %s", program->config);
	help_line("-c, --config FILE", left);
	help_line("--log-level LEVEL", "the daemon's: error, warning, info or debug");
	help_line("--json", "readers, status: in JSON, for programs");
	help_line("--watch", "readers, status: again every second");
	help_line("--with-data", "trace: cut nothing out; as root only");
	help_line("--socket PATH", "ask the daemon that has this control socket");
	help_line("--version, --help", "print that, and end");
}

/* ---- parsing ---- */

static int usage_error(const struct command_program *program)
{
	(void)fprintf(stderr, "Try '%s --help'.\n", program->name);
	return EX_USAGE;
}

static const struct command *find_command(const struct command_program *program, const char *name)
{
	const struct command *command = program->commands;

	while (command->name != NULL && strcmp(command->name, name) != 0)
		command++;
	return command->name != NULL ? command : NULL;
}

static int parse_level(const struct command_program *program, struct command_line *line)
{
	enum log_level level;

	line->log_level = optarg;
	if (log_level_by_name(optarg, &level) == 0)
		return COMMAND_LINE_GO_ON;
	(void)fprintf(stderr, "%s: '%s' is none of error, warning, info, debug\n", program->name, optarg);
	return usage_error(program);
}

static int parse_option(const struct command_program *program, int option, struct command_line *line)
{
	switch (option) {
	case 'c':
		line->config = optarg;
		return COMMAND_LINE_GO_ON;
	case OPTION_CHECK:
		line->command = find_command(program, CHECK_CONFIG);
		return COMMAND_LINE_GO_ON;
	case OPTION_LEVEL:
		return parse_level(program, line);
	case OPTION_SOCKET:
		line->socket = optarg;
		return COMMAND_LINE_GO_ON;
	case OPTION_JSON:
		line->json = true;
		return COMMAND_LINE_GO_ON;
	case OPTION_WATCH:
		line->watch = true;
		return COMMAND_LINE_GO_ON;
	case OPTION_WITH_DATA:
		line->with_data = true;
		return COMMAND_LINE_GO_ON;
	case OPTION_ROLE:
		line->role = optarg;
		return COMMAND_LINE_GO_ON;
	case OPTION_VERSION:
		(void)fputs(program->version, stdout);
		control_version_print(program->built_with, program->features, stdout);
		return EX_OK;
	case OPTION_HELP:
		help(program);
		return EX_OK;
	}
	return usage_error(program);
}

/* What is no option: words for a role; a command and its operand. */
static int parse_rest(const struct command_program *program, int count, char **rest,
	struct command_line *line)
{
	int used = 0;

	if (line->role != NULL) {
		line->words = (const char *const *)rest;
		line->word_count = (size_t)count;
		return COMMAND_LINE_GO_ON;
	}
	if (count > 0 && line->command == NULL) {
		line->command = find_command(program, rest[used++]);
		if (line->command == NULL) {
			(void)fprintf(stderr, "%s: '%s' is not a command\n", program->name, rest[0]);
			return usage_error(program);
		}
	}
	if (used < count && line->command->operand != NULL)
		line->operand = rest[used++];
	if (used < count) {
		(void)fprintf(stderr, "%s: '%s' is one word too many\n", program->name, rest[used]);
		return usage_error(program);
	}
	if ((line->json || line->watch) && (line->command == NULL || !line->command->shows)) {
		(void)fprintf(stderr, "%s: --json and --watch are for commands that show something\n",
			program->name);
		return usage_error(program);
	}
	if (line->with_data && (line->command == NULL || strcmp(line->command->name, COMMAND_TRACE) != 0)) {
		(void)fprintf(stderr, "%s: --with-data is for '" COMMAND_TRACE "'\n", program->name);
		return usage_error(program);
	}
	return COMMAND_LINE_GO_ON;
}

int command_line_parse(const struct command_program *program, int argc, char **argv,
	struct command_line *line)
{
	const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ CHECK_CONFIG, no_argument, NULL, OPTION_CHECK },
		{ "log-level", required_argument, NULL, OPTION_LEVEL },
		{ "socket", required_argument, NULL, OPTION_SOCKET },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "watch", no_argument, NULL, OPTION_WATCH },
		{ "with-data", no_argument, NULL, OPTION_WITH_DATA },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ program->role_option, required_argument, NULL, OPTION_ROLE },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = COMMAND_LINE_GO_ON;

	*line = (struct command_line){ .config = program->config };
	while (status == COMMAND_LINE_GO_ON) {
		option = getopt_long(argc, argv, "c:h", options, NULL);
		if (option == -1)
			return parse_rest(program, argc - optind, &argv[optind], line);
		status = parse_option(program, option == 'h' ? OPTION_HELP : option, line);
	}
	return status;
}
