/*
 * The bridge's answers. See report.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/trace_stream.h"

/* ---- readers ---- */

static const char *card_word(uint8_t card)
{
	switch (card) {
	case WIRE_CARD_ABSENT:
		return "absent";
	case WIRE_CARD_PRESENT:
		return "present";
	}
	return "mute";
}

/* The guests that may see a reader of this name, and what they do with it. */
static json_t *report_guests(const struct bridge_report *report, const char *reader)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->config->guest_count; i++) {
		const struct bridge_guest *guest = report->guests[i];
		const struct bridge_guest_use use = bridge_guest_use(guest, reader);

		if (use.allowed)
			(void)json_array_append_new(list, json_pack("{s:o, s:b, s:b, s:b}",
				"name", control_json_text(bridge_guest_name(guest)),
				"connected", bridge_guest_session(guest) != 0,
				"open", use.open, "used", use.used));
	}
	return list;
}

static json_t *report_reader(const struct bridge_report *report, const struct reader_entry *entry)
{
	const struct wire_reader *reader = &entry->reader;

	return json_pack("{s:o, s:s, s:b, s:o, s:{s:b, s:b}, s:o}",
		"name", control_json_text(reader->name),
		"card", card_word(reader->card),
		"exclusive", entry->exclusive,
		"atr", control_json_hex(reader->atr, reader->atr_size),
		"pin_pad",
			"verify", reader->pin_support & WIRE_PIN_VERIFY,
			"modify", reader->pin_support & WIRE_PIN_MODIFY,
		"guests", report_guests(report, reader->name));
}

static int compare_entries(const void *left, const void *right)
{
	const struct reader_entry *const *a = left, *const *b = right;

	return strcmp((*a)->reader.name, (*b)->reader.name);
}

/* The readers that are plugged in, by name. */
static json_t *report_list(const struct bridge_report *report)
{
	const struct reader_table *table = &report->readers->table;
	const struct reader_entry **entries = calloc(table->count + 1, sizeof(struct reader_entry *));
	size_t count = 0;
	json_t *list = json_array();

	for (size_t i = 0; entries != NULL && i < table->count; i++) {
		if (table->entries[i].plugged)
			entries[count++] = &table->entries[i];
	}
	if (count > 1)
		qsort(entries, count, sizeof(struct reader_entry *), compare_entries);
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, report_reader(report, entries[i]));
	free(entries);
	return list;
}

static json_t *report_readers(const struct bridge_report *report, bool last)
{
	const struct host_readers *readers = report->readers;
	bool ready = readers->known &&
		(!readers->table.service || reader_table_is_settled(&readers->table));

	if (!ready && !last)
		return NULL;
	return json_pack("{s:i, s:s, s:o, s:b, s:o}", "schema", CONTROL_SCHEMA,
		"program", "ccid-bridge", "time", control_json_time(time(NULL)),
		"pcscd", readers->known && readers->table.service, "readers", report_list(report));
}

/* ---- status ---- */

static json_t *report_endpoints(const struct bridge_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->config->endpoint_count; i++) {
		const struct front_keeper *front = &report->fronts[i];

		(void)json_array_append_new(list, json_pack("{s:o, s:b, s:I}",
			"endpoint", control_json_text(front->endpoint),
			"listening", front->state == KEEPER_UP,
			"restarts", (json_int_t)(front->starts > 0 ? front->starts - 1 : 0)));
	}
	return list;
}

static json_t *report_used(const struct guest_reader *reader)
{
	return json_pack("{s:o, s:b, s:b, s:o}", "name", control_json_text(reader->name),
		"open", reader->open, "used", reader->open && reader->used,
		"calls", control_status_calls(&reader->stats));
}

static json_t *report_guest(const struct bridge_guest *guest)
{
	const struct bridge_guest_look look = bridge_guest_look(guest);
	const struct front_keeper *front = bridge_guest_route(guest)->front;
	bool connected = bridge_guest_session(guest) != 0;
	json_t *list = json_array();

	for (const struct guest_reader *r = look.readers; r != NULL; r = r->next)
		(void)json_array_append_new(list, report_used(r));
	return json_pack("{s:o, s:b, s:o, s:o, s:I, s:I, s:I, s:o}",
		"name", control_json_text(bridge_guest_name(guest)), "connected", connected,
		"since", control_json_time(look.since),
		"endpoint", connected && front != NULL ? control_json_text(front->endpoint) : json_null(),
		"sessions", (json_int_t)look.sessions,
		"reconnects", (json_int_t)(look.sessions > 0 ? look.sessions - 1 : 0),
		"refused_calls", (json_int_t)look.refused_calls, "readers", list);
}

/* Of pcscd nothing is known while no guest is there: then nobody has asked it. */
static json_t *report_pcscd(const struct host_readers *readers)
{
	return readers->known ? json_boolean(readers->table.service) : json_null();
}

static json_t *report_status(const struct bridge_report *report)
{
	json_t *answer = control_status_head(&report->self), *list = json_array();

	for (size_t i = 0; i < report->config->guest_count; i++)
		(void)json_array_append_new(list, report_guest(report->guests[i]));
	(void)json_object_set_new(answer, "pcscd", report_pcscd(report->readers));
	(void)json_object_set_new(answer, "endpoints", report_endpoints(report));
	(void)json_object_set_new(answer, "guests", list);
	return answer;
}

/* ---- the socket ---- */

/* Each reader is told of with its first call. */
static void tell_devices(void *owner, struct tracer *tracer)
{
	struct bridge_report *report = owner;

	(void)tracer;
	call_traces_anew(&report->traces);
}

static json_t *answer(void *owner, const struct control_question *question)
{
	struct bridge_report *report = owner;
	const struct trace_source traces = { .tracers = &report->traces.tracers, .devices = tell_devices,
		.owner = report };

	switch (question->request.verb) {
	case CONTROL_READERS:
		return report_readers(report, question->last);
	case CONTROL_TRACE:
		return trace_stream_answer(&traces, question);
	case CONTROL_STATUS:
		return report_status(report);
	case CONTROL_LOG_LEVEL:
		return control_status_log_level(question);
	case CONTROL_VERB_COUNT:
		break;
	}
	return control_json_error("this daemon can't tell that: it is of another version than the command");
}

void bridge_report_start(struct bridge_report *report, uv_loop_t *loop)
{
	struct control_socket socket = CONTROL_SOCKET_NULL;
	char why[CONTROL_WHY_MAX];
	int r;

	if (report->config->control[0] == '\0')
		return;
	r = control_socket_open(&socket, report->config->control, why);
	if (r != 0)
		log_warning("control", "%s: 'ccid-bridge readers' will not find this bridge; give it a "
			"'control' of its own in the configuration", why);
	else if (control_server_start(&report->server, loop, &socket, answer, report) != 0)
		log_warning("control", "%s can't be served", report->config->control);
}

bool bridge_report_wants_readers(const struct bridge_report *report)
{
	return control_server_is_asked(report->server, CONTROL_READERS);
}

void bridge_report_again(struct bridge_report *report)
{
	control_server_again(report->server);
}

void bridge_report_stop(struct bridge_report *report)
{
	report->server = control_server_stop(report->server);
}
