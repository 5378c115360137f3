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

/* remedy: what to type if there is no port for it */
static void check_place(struct checkup *checkup, const json_t *place, const json_t *shown, const char *remedy)
{
	const char *pattern = control_json_get(place, "pattern", "?");
	const char *reader = control_json_get(place, "host_reader", "?");
	const char *state = control_json_get(place, "state", "");
	char names[LIST_MAX];

	list_names(shown, names);
	if (strcmp(state, "no-port") == 0)
		checkup_problem(checkup, "reader", remedy, "\"%s\" is \"%s\", but has no virtual port", pattern,
			reader);
	else if (strcmp(state, "waiting") != 0)
		checkup_ok(checkup, "reader", "\"%s\" is \"%s\"", pattern, reader);
	else if (json_array_size(shown) == 0)
		checkup_unknown(checkup, "reader", "the bridge shows this guest none yet, to match \"%s\"", pattern);
	else
		checkup_problem(checkup, "reader", NULL, "none that is free matches \"%s\"; there are: %s", pattern,
			names);
}

/* The session, and the places for readers. */
static void check_answer(struct checkup *checkup, const struct config *config, const json_t *answer)
{
	const char *refusal = control_json_get(answer, "error", NULL);
	const json_t *readers = json_object_get(answer, "readers"), *place;
	char remedy[DOCTOR_REMEDY_MAX];
	size_t i;

	if (refusal != NULL) {
		checkup_unknown(checkup, "session", "the ccid-gadget that runs doesn't tell: %s", refusal);
		return;
	}
	if (!control_json_is(answer, "connected")) {
		checkup_problem(checkup, "session", "journalctl -b -u ccid-gadget", "the ccid-gadget that "
			"runs has none: the bridge refuses the name \"%s\", or isn't a ccid-bridge, or "
			"the configuration was changed and ccid-gadget not restarted", config->name);
		return;
	}
	checkup_ok(checkup, "session", "open");
	doctor_more_ports(remedy, json_array_size(readers));
	json_array_foreach(readers, i, place)
		check_place(checkup, place, json_object_get(answer, "shown"), remedy);
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
			error == EPROTO ? "it gives no answer" : strerror(error));
	else
		check_answer(checkup, config, answer);
	json_decref(answer);
}
