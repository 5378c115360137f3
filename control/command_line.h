/*
 * The command line of both daemons: no command is the daemon itself, a command is a tool. One table
 * says which commands there are, and what the help says of each.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

struct command_line;

#define COMMAND_TRACE "trace" /* the command that has --with-data */

struct command {
	const char *name;
	const char *operand; /* as in the help, "[KEY-FILE]"; NULL: it takes none */
	const char *says;    /* in the help; lines of one paragraph, with LF between them */
	bool shows;          /* --json and --watch are for it */
	int (*run)(const struct command_line *line); /* returns the exit status */
};

struct command_program {
	const char *name;
	const char *purpose;      /* a line of the help */
	const char *version;      /* the first lines of --version, each with its LF */
	const char *built_with;   /* and what control_version_print() needs for the others */
	const char *features;
	const char *config;       /* that is read unless another is given */
	const struct command *commands; /* the last one has no name */
	const char *role_option;  /* an option that the help doesn't name, with a value; NULL: none */
};

struct command_line {
	const struct command *command; /* NULL: none, so the daemon */
	const char *operand;      /* NULL: none */
	const char *config;
	const char *log_level;    /* one of the four; NULL: as in the configuration */
	const char *socket;       /* NULL: as in the configuration */
	bool json;
	bool watch;
	bool with_data;           /* COMMAND_TRACE only */
	const char *role;         /* the value of role_option; then everything else is in words */
	const char *const *words;
	size_t word_count;
};

#define COMMAND_LINE_GO_ON (-1)

/*
 * Reads the command line. Returns COMMAND_LINE_GO_ON; or the exit status: after --help and --version,
 * which are done here, or after a complaint on stderr. line borrows from argv and program.
 */
int command_line_parse(const struct command_program *program, int argc, char **argv,
	struct command_line *line);
