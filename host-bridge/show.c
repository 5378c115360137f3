/*
 * Text for a terminal. See show.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/show.h"

#include <string.h>

#include "control/status.h"
#include "control/table.h"

#define GUESTS_MAX 1024 /* bytes of a list of guests */

static const char *state_text(const json_t *reader)
{
	const char *card = control_json_get(reader, "card", "");

	if (control_json_is(reader, "exclusive"))
		return "in use exclusively";
	if (strcmp(card, "present") == 0)
		return "card present";
	if (strcmp(card, "absent") == 0)
		return "no card";
	return "mute card";
}

static const char *pin_pad_text(const json_t *reader)
{
	const json_t *pin_pad = json_object_get(reader, "pin_pad");

	return control_json_is(pin_pad, "verify") || control_json_is(pin_pad, "modify") ? "yes" : "no";
}

static const char *guest_text(const json_t *guest)
{
	if (control_json_is(guest, "used"))
		return " (uses the card)";
	if (control_json_is(guest, "open"))
		return " (has it open)";
	return control_json_is(guest, "connected") ? "" : " (not connected)";
}

/* "vm1 (uses the card), vm2" */
static const char *guests_text(const json_t *guests, char text[GUESTS_MAX])
{
	size_t used = 0, i;
	json_t *guest;

	(void)snprintf(text, GUESTS_MAX, "%s", "none may see it");
	json_array_foreach(guests, i, guest) {
		int n = snprintf(text + used, GUESTS_MAX - used, "%s%s%s", i > 0 ? ", " : "",
			control_json_get(guest, "name", "?"), guest_text(guest));

		used += n > 0 ? (size_t)n : 0;
		if (used >= GUESTS_MAX)
			break;
	}
	return text;
}

void bridge_show_readers(const json_t *answer, FILE *out)
{
	static const char *const headings[] = { "READER", "STATE", "PIN PAD", "ATR", "GUESTS", NULL };
	const json_t *readers = json_object_get(answer, "readers");
	struct control_table *table = control_table_new(headings);
	char guests[GUESTS_MAX];
	json_t *reader;
	size_t i;

	json_array_foreach(readers, i, reader) {
		const char *const cells[] = {
			control_json_get(reader, "name", "?"),
			state_text(reader),
			pin_pad_text(reader),
			control_json_get(reader, "atr", "-"),
			guests_text(json_object_get(reader, "guests"), guests),
		};

		control_table_add(table, cells);
	}
	if (!control_json_is(answer, "pcscd"))
		(void)fputs("pcscd does not answer: no readers.\n", out);
	else if (json_array_size(readers) == 0)
		(void)fputs("pcscd has no readers.\n", out);
	else
		control_table_print(table, "", out);
	(void)control_table_free(table);
}

static void show_endpoint(const json_t *endpoint, FILE *out)
{
	(void)fputs(control_json_is(endpoint, "listening") ? "listening on " : "not listening on ", out);
	control_status_show_text(control_json_get(endpoint, "endpoint", "?"), out);
	(void)fprintf(out, ", restarted %lld times\n", control_json_number(endpoint, "restarts"));
}

static void show_guest(const json_t *guest, FILE *out)
{
	json_t *reader;
	size_t i;

	(void)fputc('\n', out);
	control_status_show_text(control_json_get(guest, "name", "?"), out);
	(void)fprintf(out, "\n  %s since %s; %lld reconnects, %lld refused calls\n",
		control_json_is(guest, "connected") ? "connected" : "not connected",
		control_json_get(guest, "since", "the start"), control_json_number(guest, "reconnects"),
		control_json_number(guest, "refused_calls"));
	json_array_foreach(json_object_get(guest, "readers"), i, reader) {
		(void)fputs("  ", out);
		control_status_show_text(control_json_get(reader, "name", "?"), out);
		(void)fputs(control_json_is(reader, "open") ? ", open\n" : "\n", out);
		control_status_show_calls(json_object_get(reader, "calls"), "    ", out);
	}
}

void bridge_show_status(const json_t *answer, FILE *out)
{
	const json_t *pcscd = json_object_get(answer, "pcscd");
	json_t *one;
	size_t i;

	control_status_show_head(answer, out);
	(void)fprintf(out, "pcscd %s\n", json_is_true(pcscd) ? "answers"
		: json_is_false(pcscd) ? "does not answer" : "is not asked: no guest is there");
	json_array_foreach(json_object_get(answer, "endpoints"), i, one)
		show_endpoint(one, out);
	json_array_foreach(json_object_get(answer, "guests"), i, one)
		show_guest(one, out);
}
