/*
 * The gadget's answers. See report.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/report.h"

#include <stdio.h>

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

static const char *state_word(const struct reader_look *look)
{
	if (look->host_name[0] == '\0')
		return "waiting";
	return look->udc[0] == '\0' ? "no-port" : "plugged";
}

static json_t *report_usb(const struct reader_look *look)
{
	const struct usb_identity *identity = &look->identity;
	char id[sizeof "0000:0000"];

	(void)snprintf(id, sizeof id, "%04x:%04x", identity->idVendor, identity->idProduct);
	return json_pack("{s:s, s:o, s:o, s:o, s:s}", "id", id,
		"name", control_json_text(identity->interface),
		"serial", control_json_text(identity->serial),
		"udc", control_json_text_or_null(look->udc),
		"gadget", look->gadget);
}

/* A place, and the reader that stands there, if one ever did. */
static json_t *report_place(const struct daemon *daemon, size_t i)
{
	const struct place *place = &daemon_places(daemon)->places[i];
	const struct reader *reader = daemon_reader(daemon, i);
	struct reader_look look = READER_LOOK_NULL;

	if (reader != NULL)
		reader_look(reader, &look);
	return json_pack("{s:i, s:o, s:o, s:s, s:s, s:b, s:o, s:o}", "place", (int)i,
		"pattern", control_json_text(place->config->pattern),
		"host_reader", control_json_text_or_null(look.host_name),
		"state", state_word(&look),
		"card", card_word(look.card),
		"powered", look.powered,
		"atr", control_json_hex(look.atr, look.atr_size),
		"usb", look.host_name[0] != '\0' ? report_usb(&look) : json_null());
}

static json_t *report_readers(const struct daemon *daemon)
{
	const struct wire_readers *hosts = connection_readers(daemon_connection(daemon));
	json_t *list = json_array(), *shown = json_array();

	for (size_t i = 0; i < hosts->count; i++)
		(void)json_array_append_new(shown, control_json_text(hosts->readers[i].name));
	for (size_t i = 0; i < daemon_places(daemon)->count; i++)
		(void)json_array_append_new(list, report_place(daemon, i));
	return json_pack("{s:i, s:s, s:o, s:b, s:o, s:o}", "schema", CONTROL_SCHEMA,
		"program", "ccid-gadget", "time", control_json_time(time(NULL)),
		"connected", connection_is_up(daemon_connection(daemon)), "shown", shown,
		"readers", list);
}

/* ---- status ---- */

static json_t *report_bridge(const struct connection *connection)
{
	const struct connection_look look = connection_look(connection);

	return json_pack("{s:o, s:b, s:b, s:o, s:I, s:I}", "endpoint", control_json_text(look.endpoint),
		"encrypted", look.secure, "connected", look.up, "since", control_json_time(look.since),
		"sessions", (json_int_t)look.sessions,
		"reconnects", (json_int_t)(look.sessions > 0 ? look.sessions - 1 : 0));
}

static json_t *report_counters(const struct reader *reader)
{
	static const struct call_stats none;
	struct reader_counters counters = { .calls = &none };
	bool driver = false;

	if (reader != NULL) {
		counters = reader_counters(reader);
		driver = reader_has_driver(reader);
	}
	return json_pack("{s:b, s:I, s:I, s:o}", "driver", driver,
		"usb_resets", (json_int_t)counters.usb_resets,
		"time_extensions", (json_int_t)counters.time_extensions,
		"calls", control_status_calls(counters.calls));
}

/* As in the answer to CONTROL_READERS, and the counters. */
static json_t *report_status(const struct report *report)
{
	const struct daemon *daemon = report->daemon;
	json_t *answer = control_status_head(&report->self), *list = json_array(), *place;

	for (size_t i = 0; i < daemon_places(daemon)->count; i++) {
		place = report_place(daemon, i);
		(void)json_object_update_new(place, report_counters(daemon_reader(daemon, i)));
		(void)json_array_append_new(list, place);
	}
	(void)json_object_set_new(answer, "bridge", report_bridge(daemon_connection(daemon)));
	(void)json_object_set_new(answer, "readers", list);
	return answer;
}

/* ---- the socket ---- */

static void tell_devices(void *owner, struct tracer *tracer)
{
	const struct report *report = owner;

	daemon_tell(report->daemon, tracer);
}

static json_t *answer(void *owner, const struct control_question *question)
{
	struct report *report = owner;
	const struct trace_source traces = { .tracers = &report->tracers, .devices = tell_devices,
		.owner = report };

	switch (question->request.verb) {
	case CONTROL_READERS:
		return report_readers(report->daemon);
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

void report_start(struct report *report, uv_loop_t *loop, struct control_socket *socket,
	const char *config, const struct daemon *daemon)
{
	report->daemon = daemon;
	report->self = (struct control_daemon){
		.program = "ccid-gadget", .config = config, .since = time(NULL) };
	if (socket->fd >= 0 && control_server_start(&report->server, loop, socket, answer, report) != 0)
		log_warning("control", "the control socket can't be served");
}

void report_stop(struct report *report)
{
	report->server = control_server_stop(report->server);
}
