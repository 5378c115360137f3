/*
 * Two real halves, of which one believes the other to be of a newer minor version: each of its
 * frames gets that version, fields that nobody knows, and the company of frames of unknown types and
 * of other major versions. In both directions at once and in either; a session must come and go as
 * if nothing was.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "relay/session.h"
#include "relay/wire_table.h"

#define MAJOR_AT 0 /* PROTOCOL.md, 2: where the fields of the header are */
#define TYPE_AT 1
#define MINOR_AT 2
#define RESERVED_AT 3

#define GROWN_BY 9
#define UNKNOWN_TYPE 200

struct pair {
	struct guest_session *guest;
	struct bridge_session *bridge;
	uint64_t now;
	bool guest_is_newer;
	bool bridge_is_newer;
	int up;
	int down;
	int readers;
	int replies;
	struct wire_reply reply; /* the last one, without data */
	int executed;
	uint64_t session;
	uint32_t hello_features; /* that the guest is made to offer */
	uint32_t welcome_features;
};

static void to_guest(struct pair *pair, const uint8_t *frame, size_t size, bool known)
{
	int r = guest_session_receive(pair->guest, pair->now, frame, size);
	struct guest_event event;

	assert_int_equal(r, known ? 0 : SESSION_IGNORED);
	while (guest_session_pop_event(pair->guest, &event)) {
		pair->up += event.type == GUEST_SESSION_UP;
		pair->down += event.type == GUEST_SESSION_DOWN;
		pair->readers += event.type == GUEST_SESSION_READERS;
		if (event.type != GUEST_SESSION_REPLY)
			continue;
		pair->replies++;
		pair->reply = event.reply;
		assert_int_equal(event.reply.data.size, 2);
		assert_memory_equal(event.reply.data.bytes, "\x90\x00", 2);
	}
}

static void execute(struct pair *pair, const struct bridge_event *event)
{
	struct wire_reply reply = {
		.number = event->call.number,
		.outcome = 77, /* that no version knows yet */
		.data = { (const uint8_t *)"\x90\x00", 2 },
	};

	pair->executed++;
	assert_int_equal(event->call.operation, WIRE_TRANSMIT);
	assert_int_equal(event->call.data.size, 3);
	assert_int_equal(bridge_session_complete(pair->bridge, pair->now, event->session, &reply),
		0);
}

static void to_bridge(struct pair *pair, const uint8_t *frame, size_t size, bool known)
{
	struct wire_message message;
	struct bridge_event event;
	int r = wire_decode(frame, size, &message);

	if (!known) {
		assert_int_not_equal(r, 0);
		return;
	}
	assert_int_equal(r, 0);
	if (message.type == WIRE_HELLO)
		message.hello.features = pair->hello_features;
	assert_int_equal(bridge_session_receive(pair->bridge, pair->now, &message, 7), 0);
	while (bridge_session_pop_event(pair->bridge, &event)) {
		if (event.type == BRIDGE_SESSION_EXECUTE)
			execute(pair, &event);
	}
}

typedef void (*carry_function)(struct pair *pair, const uint8_t *frame, size_t size, bool known);

/* What a newer version might send around a frame that we know, and what it makes of that. */
static void carry_as_newer(struct pair *pair, carry_function carry, struct payload_view view)
{
	uint8_t frame[1024];

	assert_true(view.size + GROWN_BY <= sizeof(frame));
	memcpy(frame, view.bytes, view.size);
	memset(frame + view.size, 0xAA, GROWN_BY);
	frame[MINOR_AT] = WIRE_MINOR + 1;
	frame[RESERVED_AT] = 0xEE;

	frame[TYPE_AT] = UNKNOWN_TYPE;
	carry(pair, frame, view.size + GROWN_BY, false);
	frame[TYPE_AT] = view.bytes[TYPE_AT];
	frame[MAJOR_AT] = WIRE_MAJOR + 1;
	if (frame[TYPE_AT] != WIRE_REFUSED)
		carry(pair, frame, view.size + GROWN_BY, false);
	frame[MAJOR_AT] = WIRE_MAJOR;
	carry(pair, frame, view.size + GROWN_BY, true);
}

static void carry(struct pair *pair, carry_function to, struct payload_view view, bool newer)
{
	uint8_t copy[1024];

	/* The sender's buffer is used again by what the receiver makes it do. */
	assert_true(view.size <= sizeof(copy));
	memcpy(copy, view.bytes, view.size);
	view.bytes = copy;
	if (newer)
		carry_as_newer(pair, to, view);
	else
		to(pair, view.bytes, view.size, true);
}

static void note_welcome(struct pair *pair, struct payload_view frame)
{
	struct wire_message message;

	assert_int_equal(wire_decode(frame.bytes, frame.size, &message), 0);
	if (message.type == WIRE_WELCOME)
		pair->welcome_features = message.welcome.features;
}

static void exchange(struct pair *pair)
{
	struct payload_view frame;
	bool any;

	do {
		any = false;
		while (guest_session_pop_frame(pair->guest, &frame)) {
			carry(pair, to_bridge, frame, pair->guest_is_newer);
			any = true;
		}
		while (bridge_session_pop_frame(pair->bridge, &frame)) {
			note_welcome(pair, frame);
			carry(pair, to_guest, frame, pair->bridge_is_newer);
			any = true;
		}
	} while (any);
}

static void pass_time(struct pair *pair, uint64_t ms)
{
	pair->now += ms;
	if (pair->now >= guest_session_deadline(pair->guest))
		assert_int_equal(guest_session_tick(pair->guest, pair->now), 0);
	if (pair->now >= bridge_session_deadline(pair->bridge))
		assert_int_equal(bridge_session_tick(pair->bridge, pair->now), 0);
	exchange(pair);
}

/* Every type of message once, and a lease's time with nothing but heartbeats. */
static void play(bool guest_is_newer, bool bridge_is_newer)
{
	struct pair pair = { .guest_is_newer = guest_is_newer, .bridge_is_newer = bridge_is_newer };
	const struct wire_readers readers = { .service = 1, .count = 1 };
	const struct wire_call call = {
		.operation = WIRE_TRANSMIT,
		.data = { (const uint8_t *)"\x00\xA4\x00", 3 },
	};
	uint32_t number;

	pair.hello_features = UINT32_MAX;
	assert_int_equal(guest_session_new(&pair.guest, "vm1", 0xB0, 0), 0);
	assert_int_equal(bridge_session_new(&pair.bridge, 0xB1), 0);
	bridge_session_set_readers(pair.bridge, 0, &readers);
	exchange(&pair);
	assert_int_equal(pair.up, 1);
	assert_int_equal(pair.readers, 1);
	/* No bit that only one of them has. */
	assert_int_equal(pair.welcome_features, 0);
	assert_int_equal(guest_session_call(pair.guest, pair.now, &call, &number), 0);
	exchange(&pair);
	assert_int_equal(pair.executed, 1);
	assert_int_equal(pair.replies, 1);
	assert_int_equal(pair.reply.outcome, 77);
	for (int i = 0; i < 20; i++)
		pass_time(&pair, SESSION_LEASE / 10);
	assert_int_equal(pair.down, 0);
	assert_true(guest_session_is_up(pair.guest));
	guest_session_bye(pair.guest);
	exchange(&pair);
	assert_int_equal(pair.down, 1);
	assert_int_equal(bridge_session_id(pair.bridge), 0);
	guest_session_free(pair.guest);
	bridge_session_free(pair.bridge);
}

static void test_same_version(void **state)
{
	(void)state;
	play(false, false);
}

static void test_newer_guest(void **state)
{
	(void)state;
	play(true, false);
}

static void test_newer_bridge(void **state)
{
	(void)state;
	play(false, true);
}

static void test_both_newer(void **state)
{
	(void)state;
	play(true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_version),
		cmocka_unit_test(test_newer_guest),
		cmocka_unit_test(test_newer_bridge),
		cmocka_unit_test(test_both_newer),
	};

	return cmocka_run_group_tests_name("relay-versions", tests, NULL, NULL);
}
