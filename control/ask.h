/*
 * The command's end of the control socket: asks a daemon, and prints what it answers.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "control/json.h"
#include "control/request.h"

struct control_asking {
	const char *program; /* whose daemon is asked: its name, for what is said */
	const char *path;    /* of its control socket; empty: it has none, as the configuration says */
	struct control_request request;
	bool json;           /* print the answer as it is */
	bool watch;          /* ask again every second, until a signal ends that */
	/* Prints an answer as text. Whatever is missing in it, of another version maybe, is left out. */
	void (*show)(const json_t *answer, FILE *out);
};

/*
 * Asks the daemon whose socket is at path. Returns 0, and the answer, to be given back by json_decref(); or
 * an errno: of the connection, EPROTO when no answer comes over it, EMSGSIZE when the request is too long.
 */
int control_ask_answer(const char *path, const struct control_request *request, json_t **answer);

/*
 * Asks and prints. What goes wrong is said in one line on stderr. Returns the exit status: 0, or 1 if
 * there is no answer.
 */
int control_ask(const struct control_asking *asking);

/*
 * Connects to the daemon at path; what goes wrong is said in one line on stderr. Returns a descriptor or
 * -1.
 */
int control_ask_connect(const char *program, const char *path);
