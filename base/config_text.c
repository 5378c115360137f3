/*
 * A scanner with four states over the text of a configuration file. See config_text.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/config_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BRACES_MAX 16

enum scan_state {
	SCAN_CODE,    /* between values: comments, quotes and braces start here */
	SCAN_STRING,  /* in a quoted string, which may span lines */
	SCAN_LINE,    /* in a comment that ends with its line */
	SCAN_COMMENT, /* in a comment that ends with its closing mark */
};

struct scan {
	enum scan_state state;
	char quote;              /* SCAN_STRING: what ends it */
	int line;
	int quote_line;
	int braces[BRACES_MAX];  /* lines of the open braces; deeper ones are not kept */
	size_t depth;
};

/* A comment starts at the beginning of a word only: ipc:///path holds none. */
static bool starts_word(const char *text, size_t at)
{
	return at == 0 || strchr(" \t\r\n{}=,", text[at - 1]) != NULL;
}

static void scan_code(struct scan *scan, char *text, size_t at)
{
	char c = text[at];

	if (c == '"' || c == '\'') {
		scan->state = SCAN_STRING;
		scan->quote = c;
		scan->quote_line = scan->line;
	} else if (c == '#' || (c == '/' && text[at + 1] == '/' && starts_word(text, at))) {
		scan->state = SCAN_LINE;
		text[at] = ' ';
	} else if (c == '/' && text[at + 1] == '*' && starts_word(text, at)) {
		scan->state = SCAN_COMMENT;
		text[at] = ' ';
	} else if (c == '{') {
		if (scan->depth < BRACES_MAX)
			scan->braces[scan->depth] = scan->line;
		scan->depth++;
	} else if (c == '}' && scan->depth > 0) {
		scan->depth--;
	}
}

/* Handles the character at; returns how many characters are done with. */
static size_t scan_step(struct scan *scan, char *text, size_t at)
{
	size_t step = 1;

	switch (scan->state) {
	case SCAN_CODE:
		scan_code(scan, text, at);
		break;
	case SCAN_STRING:
		/* A backslash protects what follows, unless that is a line's end, to be counted. */
		if (text[at] == '\\' && text[at + 1] != '\0' && text[at + 1] != '\n')
			step = 2;
		else if (text[at] == scan->quote)
			scan->state = SCAN_CODE;
		break;
	case SCAN_LINE:
		if (text[at] == '\n')
			scan->state = SCAN_CODE;
		else
			text[at] = ' ';
		break;
	case SCAN_COMMENT:
		if (text[at] == '*' && text[at + 1] == '/') {
			scan->state = SCAN_CODE;
			text[at + 1] = ' ';
			step = 2;
		}
		if (text[at] != '\n')
			text[at] = ' ';
		break;
	}
	if (text[at] == '\n')
		scan->line++;
	return step;
}

int config_text_prepare(char *text, int *line)
{
	struct scan scan = { .state = SCAN_CODE, .line = 1 };

	for (size_t at = 0; text[at] != '\0';)
		at += scan_step(&scan, text, at);
	if (scan.state == SCAN_STRING) {
		*line = scan.quote_line;
		return CONFIG_TEXT_OPEN_QUOTE;
	}
	if (scan.depth > 0) {
		*line = scan.braces[scan.depth < BRACES_MAX ? scan.depth - 1 : BRACES_MAX - 1];
		return CONFIG_TEXT_OPEN_BRACE;
	}
	return 0;
}

/*
 * Fills text with the whole of fd, at most CONFIG_TEXT_MAX bytes. Returns 0, or 1 with errno set.
 */
static int read_all(int fd, char *text)
{
	size_t size = 0;
	ssize_t n;

	do {
		n = read(fd, text + size, CONFIG_TEXT_MAX + 1 - size);
		if (n > 0)
			size += (size_t)n;
	} while (n > 0 && size <= CONFIG_TEXT_MAX);
	if (n < 0)
		return 1;
	errno = size > CONFIG_TEXT_MAX ? EFBIG : EINVAL;
	if (size > CONFIG_TEXT_MAX || memchr(text, '\0', size) != NULL)
		return 1;
	text[size] = '\0';
	return 0;
}

/* Opens what may be read as a configuration: no folder, device or pipe. -1 with errno set. */
static int open_regular(const char *file)
{
	struct stat status;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

int config_text_read(const char *file, char **text, int *line)
{
	int r = CONFIG_TEXT_UNREADABLE;
	int fd = open_regular(file);
	int saved_errno;

	*text = NULL;
	if (fd < 0)
		return CONFIG_TEXT_UNREADABLE;
	*text = malloc(CONFIG_TEXT_MAX + 2);
	if (*text == NULL)
		r = -ENOMEM;
	else if (read_all(fd, *text) == 0)
		r = config_text_prepare(*text, line);
	saved_errno = errno;
	close(fd);
	if (r != 0) {
		free(*text);
		*text = NULL;
	}
	errno = saved_errno;
	return r;
}
