/*
 * Lines of the control socket. See request.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "control/request.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	bool has_argument; /* may have one */
} verbs[CONTROL_VERB_COUNT] = {
	[CONTROL_READERS] = { "readers", false },
	[CONTROL_STATUS] = { "status", false },
	[CONTROL_LOG_LEVEL] = { "log-level", true },
	[CONTROL_TRACE] = { "trace", true },
};

const char *control_verb_name(enum control_verb verb)
{
	return verbs[verb].name;
}

bool control_verb_by_name(const char *name, enum control_verb *verb)
{
	for (size_t i = 0; i < CONTROL_VERB_COUNT; i++) {
		if (strcmp(verbs[i].name, name) == 0) {
			*verb = (enum control_verb)i;
			return true;
		}
	}
	return false;
}

/* A whole line without its LF: the two words. */
static int line_parse(const struct control_line *line, struct control_request *request)
{
	char text[CONTROL_LINE_MAX];
	char *argument;

	(void)snprintf(text, sizeof text, "%.*s", (int)(line->size - 1), line->bytes);
	argument = strchr(text, ' ');
	if (argument != NULL)
		*argument++ = '\0';
	if (!control_verb_by_name(text, &request->verb))
		return CONTROL_LINE_UNKNOWN;
	request->argument[0] = '\0';
	if (argument == NULL)
		return 0;
	if (!verbs[request->verb].has_argument || argument[0] == '\0' || strchr(argument, ' ') != NULL)
		return CONTROL_LINE_UNKNOWN;
	(void)snprintf(request->argument, sizeof request->argument, "%s", argument);
	return 0;
}

int control_line_add(struct control_line *line, const char *bytes, size_t size,
	struct control_request *request)
{
	for (size_t i = 0; i < size; i++) {
		if (line->size == sizeof line->bytes)
			return CONTROL_LINE_BAD;
		line->bytes[line->size++] = bytes[i];
		if (bytes[i] == '\n')
			return i + 1 == size ? line_parse(line, request) : CONTROL_LINE_BAD;
		if (bytes[i] < ' ' || bytes[i] > '~')
			return CONTROL_LINE_BAD;
	}
	/* Not even the LF would fit. */
	return line->size < sizeof line->bytes ? CONTROL_LINE_PART : CONTROL_LINE_BAD;
}

int control_line_write(const struct control_request *request, char *text)
{
	const char *blank = request->argument[0] != '\0' ? " " : "";
	int n = snprintf(text, CONTROL_LINE_MAX + 1, "%s%s%s\n", control_verb_name(request->verb), blank,
		request->argument);

	return n > 0 && n <= CONTROL_LINE_MAX ? 0 : CONTROL_LINE_BAD;
}
