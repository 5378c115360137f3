/*
 * What an administrator's command asks a daemon: one line over the control socket, and JSON back.
 *
 *     request = word [ SP word ] LF
 *
 * A line is bounded and has nothing but printable ASCII; whoever sends more than one line is not one
 * of our commands, and gets no answer. The answer is one JSON object, also for what can't be done:
 * it has "error" then. Sans-I/O.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CONTROL_LINE_MAX 64 /* bytes, LF included */

enum control_verb {
	CONTROL_READERS,   /* which readers there are, and who has which */
	CONTROL_STATUS,    /* the daemon, its connections and its counters */
	CONTROL_LOG_LEVEL, /* what is logged; with an argument: from now on */
	CONTROL_TRACE,     /* not an answer but a capture file, until it is enough; see trace_stream.h */
	CONTROL_VERB_COUNT,
};

#define CONTROL_WITH_DATA "with-data" /* argument of CONTROL_TRACE: nothing is cut out */

struct control_request {
	enum control_verb verb;
	char argument[CONTROL_LINE_MAX]; /* empty: there is none */
};

/* The bytes that have come of a line. */
struct control_line {
	char bytes[CONTROL_LINE_MAX];
	size_t size;
};

enum {
	CONTROL_LINE_PART = 1,    /* more has to come */
	CONTROL_LINE_BAD = 2,     /* too long, followed by something, or not of printable ASCII */
	CONTROL_LINE_UNKNOWN = 3, /* no request that we know, or with an argument that it hasn't */
};

/*
 * Takes bytes that have come. Returns 0 when they complete the line, and request is set;
 * CONTROL_LINE_PART, CONTROL_LINE_BAD or CONTROL_LINE_UNKNOWN.
 */
int control_line_add(struct control_line *line, const char *bytes, size_t size,
	struct control_request *request);

/*
 * Writes the line of a request into text, of CONTROL_LINE_MAX + 1 bytes. Returns 0, or CONTROL_LINE_BAD
 * if the argument is too long.
 */
int control_line_write(const struct control_request *request, char *text);

/* The verb as it is on the line, and on the command line: "readers". */
const char *control_verb_name(enum control_verb verb);

/* The verb of this name. Returns whether there is one. */
bool control_verb_by_name(const char *name, enum control_verb *verb);
