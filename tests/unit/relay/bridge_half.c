/*
 * The bridge's half, played. See bridge_half.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "bridge_half.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "player.h"
#include "wire_text.h"

static uint64_t bridge_deadline(const void *half)
{
	return bridge_session_deadline(((const struct bridge_half *)half)->session);
}

static void bridge_tick(void *half, uint64_t now)
{
	assert_int_equal(bridge_session_tick(((struct bridge_half *)half)->session, now), 0);
}

/* The payload lies in a buffer of its own size, so that a sanitizer sees a step beyond it. */
int bridge_half_receive(struct bridge_half *bridge, uint64_t now, const char *text)
{
	uint8_t store[512];
	struct wire_message message;
	struct payload data = PAYLOAD_NULL;
	int result;

	wire_text_parse(text, &message, store, sizeof(store));
	if (message.type == WIRE_CALL) {
		assert_int_equal(payload_init(&data, message.call.data.size), 0);
		assert_int_equal(payload_set(&data, message.call.data), 0);
		message.call.data = payload_view(&data);
	}
	result = bridge_session_receive(bridge->session, now, &message, bridge->identity);
	payload_deinit(&data);
	return result;
}

/* "session=7 number=1 outcome=0 data=9000" */
static int complete(struct bridge_half *bridge, uint64_t now, const char *text)
{
	uint8_t store[512];
	struct wire_reply reply;
	char *rest;
	uint64_t id;

	assert_int_equal(strncmp(text, "session=", 8), 0);
	id = strtoull(text + 8, &rest, 16);
	wire_text_parse_reply(rest, &reply, store, sizeof(store));
	return bridge_session_complete(bridge->session, now, id, &reply);
}

static void set_readers(struct bridge_half *bridge, uint64_t now, const char *text)
{
	char line[512];
	struct wire_message message;

	snprintf(line, sizeof(line), "READERS %s", text);
	wire_text_parse(line, &message, NULL, 0);
	bridge_session_set_readers(bridge->session, now, &message.readers);
}

static void bridge_input(void *half, uint64_t now, const char *verb, const char *text)
{
	struct bridge_half *bridge = half;

	if (strcmp(verb, "in") == 0)
		assert_int_equal(bridge_half_receive(bridge, now, text), 0);
	else if (strcmp(verb, "ignored") == 0)
		assert_int_equal(bridge_half_receive(bridge, now, text), SESSION_IGNORED);
	else if (strcmp(verb, "complete") == 0)
		assert_int_equal(complete(bridge, now, text), 0);
	else if (strcmp(verb, "readers") == 0)
		set_readers(bridge, now, text);
	else if (strcmp(verb, "identity") == 0)
		bridge->identity = strtoull(text, NULL, 16);
	else
		fail_msg("there is no verb '%s'", verb);
}

static void print_event(struct bridge_half *bridge, const struct bridge_event *event, char *line,
	size_t size)
{
	struct wire_message message = { .type = WIRE_CALL, .session = event->session };

	switch (event->type) {
	case BRIDGE_SESSION_UP:
		/* It may be over again: the guest's first word can be its goodbye. */
		if (bridge_session_id(bridge->session) != 0)
			assert_int_equal(bridge_session_id(bridge->session), event->session);
		snprintf(line, size, "event up session=%llx", (unsigned long long)event->session);
		break;
	case BRIDGE_SESSION_DOWN:
		assert_int_not_equal(bridge_session_id(bridge->session), event->session);
		snprintf(line, size, "event down session=%llx", (unsigned long long)event->session);
		break;
	case BRIDGE_SESSION_CONTESTED:
		snprintf(line, size, "event contested session=%llx",
			(unsigned long long)event->session);
		break;
	case BRIDGE_SESSION_EXECUTE:
		message.call = event->call;
		snprintf(line, size, "event execute ");
		wire_text_print(&message, line + 14, size - 14);
		break;
	}
}

static bool bridge_output(void *half, char *line, size_t size)
{
	struct bridge_half *bridge = half;
	struct bridge_event event;
	struct payload_view frame;
	struct wire_message message;

	if (bridge_session_pop_event(bridge->session, &event)) {
		print_event(bridge, &event, line, size);
		return true;
	}
	if (!bridge_session_pop_frame(bridge->session, &frame))
		return false;
	assert_int_equal(wire_decode(frame.bytes, frame.size, &message), 0);
	if (message.type == WIRE_WELCOME)
		bridge->identity = message.session + 1;
	snprintf(line, size, "out ");
	wire_text_print(&message, line + 4, size - 4);
	return true;
}
void bridge_half_play(const char *const *conversation)
{
	static const struct player_half functions = {
		.deadline = bridge_deadline,
		.tick = bridge_tick,
		.input = bridge_input,
		.output = bridge_output,
	};
	struct bridge_half bridge = { .identity = 7 };

	assert_int_equal(bridge_session_new(&bridge.session, 0xB1), 0);
	player_play(&functions, &bridge, conversation);
	assert_null(bridge_session_free(bridge.session));
}
