/*
 * Text for a terminal. See show.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/show.h"

#include <string.h>

#include "control/status.h"
#include "control/table.h"

static const char *state_text(const json_t *reader)
{
	const char *state = control_json_get(reader, "state", "");
	const char *card = control_json_get(reader, "card", "");

	if (strcmp(state, "waiting") == 0)
		return "waiting for the host";
	if (strcmp(state, "plugged") != 0)
		return "no virtual USB port";
	if (control_json_is(reader, "powered"))
		return "card in use";
	if (strcmp(card, "mute") == 0)
		return "mute card";
	return strcmp(card, "present") == 0 ? "card present" : "no card";
}

static void add_reader(struct control_table *table, const json_t *reader)
{
	const json_t *usb = json_object_get(reader, "usb");
	const char *const cells[] = {
		control_json_get(reader, "host_reader", "-"),
		control_json_get(reader, "pattern", "?"),
		state_text(reader),
		control_json_get(reader, "atr", "-"),
		control_json_get(usb, "id", "-"),
		control_json_get(usb, "serial", "-"),
		control_json_get(usb, "udc", "-"),
	};

	control_table_add(table, cells);
}

void show_readers(const json_t *answer, FILE *out)
{
	static const char *const headings[] = { "HOST'S READER", "PATTERN", "STATE", "ATR", "USB ID",
		"SERIAL", "PORT", NULL };
	const json_t *readers = json_object_get(answer, "readers");
	struct control_table *table = control_table_new(headings);
	json_t *reader;
	size_t i;

	json_array_foreach(readers, i, reader)
		add_reader(table, reader);
	control_table_sort(table);
	if (!control_json_is(answer, "connected"))
		(void)fputs("There is no connection to the bridge.\n", out);
	if (json_array_size(readers) > 0)
		control_table_print(table, "", out);
	else if (control_json_is(answer, "connected"))
		(void)fputs("The bridge shows this guest no reader.\n", out);
	(void)control_table_free(table);
}

static void show_bridge(const json_t *bridge, FILE *out)
{
	bool connected = control_json_is(bridge, "connected");

	(void)fprintf(out, "%s the bridge at ", connected ? "connected to" : "waiting for");
	control_status_show_text(control_json_get(bridge, "endpoint", "?"), out);
	(void)fprintf(out, " since %s, %s; %lld reconnects\n", control_json_get(bridge, "since", "?"),
		control_json_is(bridge, "encrypted") ? "encrypted" : "not encrypted here",
		control_json_number(bridge, "reconnects"));
}

static void show_reader(const json_t *reader, FILE *out)
{
	const json_t *usb = json_object_get(reader, "usb");

	(void)fputc('\n', out);
	control_status_show_text(control_json_get(reader, "host_reader",
		control_json_get(reader, "pattern", "?")), out);
	(void)fprintf(out, "\n  %s, %s, port %s\n", state_text(reader),
		control_json_is(reader, "driver") ? "a driver has it" : "no driver has it",
		control_json_get(usb, "udc", "-"));
	control_status_show_calls(json_object_get(reader, "calls"), "  ", out);
	(void)fprintf(out, "  %lld time extensions, %lld USB resets\n",
		control_json_number(reader, "time_extensions"),
		control_json_number(reader, "usb_resets"));
}

void show_status(const json_t *answer, FILE *out)
{
	json_t *reader;
	size_t i;

	control_status_show_head(answer, out);
	show_bridge(json_object_get(answer, "bridge"), out);
	json_array_foreach(json_object_get(answer, "readers"), i, reader)
		show_reader(reader, out);
}
