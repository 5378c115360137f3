/*
 * What a daemon that runs has to say: whether the bridge has taken it in, and which readers it waits for.
 * It is asked over its control socket. See doctor_parts.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/ask.h"
#include "gadget/doctor_parts.h"

#define LIST_MAX 512 /* bytes of a list in a line */

/* "A", "B", ... as far as there is room */
static void list_names(const json_t *names, char list[LIST_MAX])
{
	const json_t *name;
	size_t used = 0, i;

	list[0] = '\0';
	json_array_foreach(names, i, name) {
		const char *text = json_string_value(name);
		int n = snprintf(list + used, LIST_MAX - used, "%s\"%s\"", i > 0 ? ", " : "",
			text != NULL ? text : "?");

		if (n < 0 || (size_t)n >= LIST_MAX - used) {
			list[used] = '\0';
			return;
		}
		used += (size_t)n;
	}
}

/* The places that wait for a reader. */
static void check_places(struct checkup *checkup, const json_t *answer)
{
	const json_t *shown = json_object_get(answer, "shown"), *reader;
	char names[LIST_MAX];
	size_t i;

	list_names(shown, names);
	json_array_foreach(json_object_get(answer, "readers"), i, reader) {
		const char *pattern = control_json_get(reader, "pattern", "?");

		if (strcmp(control_json_get(reader, "state", ""), "waiting") != 0)
			checkup_ok(checkup, "reader", "\"%s\" is \"%s\"", pattern,
				control_json_get(reader, "host_reader", "?"));
		else if (json_array_size(shown) == 0)
			checkup_unknown(checkup, "reader", "the bridge shows this guest none yet, to match "
				"\"%s\"", pattern);
		else
			checkup_problem(checkup, "reader", NULL, "none that is free matches \"%s\"; there "
				"are: %s", pattern, names);
	}
}

void doctor_daemon(struct checkup *checkup, const struct config *config)
{
	const struct control_request request = { .verb = CONTROL_READERS };
	json_t *answer = NULL;
	int error = config->control[0] != '\0'
		? control_ask_answer(config->control, &request, &answer) : ENOENT;

	if (error == ENOENT || error == ECONNREFUSED)
		checkup_unknown(checkup, "session", "no ccid-gadget runs that could tell");
	else if (error != 0)
		checkup_unknown(checkup, "session", "the ccid-gadget that runs doesn't tell: %s",
			strerror(error));
	else if (!control_json_is(answer, "connected"))
		checkup_problem(checkup, "session", "journalctl -b -u ccid-gadget", "the ccid-gadget that "
			"runs has none: the bridge refuses the name \"%s\", or isn't a ccid-bridge",
			config->name);
	else
		checkup_ok(checkup, "session", "open");
	if (error == 0 && control_json_is(answer, "connected"))
		check_places(checkup, answer);
	json_decref(answer);
}
