/*
 * What the owner of a half may do, and must not: read late or never, call while it reads, hand over
 * too much.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "relay/session.h"
#include "relay/session_guest.h"
#include "wire_text.h"

/* ---- the guest's half ---- */

static int receive_text(struct guest_session *guest, uint64_t now, const char *text)
{
	static uint8_t frame[WIRE_FRAME_MAX];
	uint8_t store[512];
	struct wire_message message;
	size_t size;

	wire_text_parse(text, &message, store, sizeof(store));
	assert_int_equal(wire_encode(&message, frame, sizeof(frame), &size), 0);
	return guest_session_receive(guest, now, frame, size);
}

static int call(struct guest_session *guest, uint64_t now, const char *text)
{
	uint8_t store[512];
	struct wire_call wanted;
	uint32_t number = 0;

	wire_text_parse_call(text, &wanted, store, sizeof(store));
	return guest_session_call(guest, now, &wanted, &number);
}

/* A reply may be read while the next call is made: an owner's callback does so. */
static void test_call_while_a_reply_is_read(void **state)
{
	struct guest_session *guest;
	struct guest_event event;

	(void)state;
	assert_int_equal(guest_session_new(&guest, "vm1", 0xB0, 0), 0);
	assert_int_equal(receive_text(guest, 1, "WELCOME session=7 incarnation=1"), 0);
	assert_true(guest_session_pop_event(guest, &event));
	assert_int_equal(call(guest, 2, "reader=3 operation=3 data=01"), 0);
	assert_int_equal(receive_text(guest, 3, "REPLY session=7 number=1 data=9000"), 0);
	assert_true(guest_session_pop_event(guest, &event));
	assert_int_equal(call(guest, 4, "reader=3 operation=3 data=0202"), 0);
	assert_int_equal(event.reply.data.size, 2);
	assert_memory_equal(event.reply.data.bytes, "\x90\x00", 2);
	guest_session_free(guest);
}

static void test_guest_too_large(void **state)
{
	static const uint8_t bytes[WIRE_APDU_MAX + 1];
	struct guest_session *guest;
	struct wire_call wanted = { .operation = WIRE_TRANSMIT };
	struct payload_view frame;
	struct wire_message message;
	uint32_t number;

	(void)state;
	assert_int_equal(guest_session_new(&guest, "vm1", 0xB0, 0), 0);
	assert_int_equal(receive_text(guest, 1, "WELCOME session=7 incarnation=1"), 0);
	wanted.data = (struct payload_view){ bytes, sizeof(bytes) };
	assert_int_equal(guest_session_call(guest, 1, &wanted, &number), -EMSGSIZE);
	wanted.data.size = WIRE_APDU_MAX;
	assert_int_equal(guest_session_call(guest, 1, &wanted, &number), 0);
	assert_true(guest_session_pop_frame(guest, &frame));
	assert_int_equal(wire_decode(frame.bytes, frame.size, &message), 0);
	assert_int_equal(message.call.data.size, WIRE_APDU_MAX);
	guest_session_free(guest);
	assert_null(guest_session_free(NULL));
}

/* The second copy of a reply may come before its owner has read the first. */
static void test_reply_comes_twice_unread(void **state)
{
	struct guest_session *guest;
	struct guest_event event;

	(void)state;
	assert_int_equal(guest_session_new(&guest, "vm1", 0xB0, 0), 0);
	assert_int_equal(receive_text(guest, 1, "WELCOME session=7 incarnation=1"), 0);
	assert_true(guest_session_pop_event(guest, &event));
	assert_int_equal(call(guest, 2, "reader=3 operation=3 data=01"), 0);
	assert_int_equal(receive_text(guest, 3, "REPLY session=7 number=1 data=9000"), 0);
	assert_int_equal(receive_text(guest, 3, "REPLY session=7 number=1 data=6F00"),
		SESSION_IGNORED);
	assert_true(guest_session_pop_event(guest, &event));
	assert_int_equal(event.type, GUEST_SESSION_REPLY);
	assert_memory_equal(event.reply.data.bytes, "\x90\x00", 2);
	assert_false(guest_session_pop_event(guest, &event));
	guest_session_free(guest);
}

/* After four billion calls a session has no more numbers: it ends when the last one is answered. */
static void test_last_number(void **state)
{
	struct guest_session *guest;
	struct guest_event event;

	(void)state;
	assert_int_equal(guest_session_new(&guest, "vm1", 0xB0, 0), 0);
	assert_int_equal(receive_text(guest, 1, "WELCOME session=7 incarnation=1"), 0);
	guest->issued = UINT32_MAX - 1;
	assert_int_equal(call(guest, 2, "reader=3 operation=3 data=01"), 0);
	assert_int_equal(call(guest, 2, "reader=3 operation=3 data=01"), SESSION_WINDOW_FULL);
	assert_int_equal(guest_session_tick(guest, 3), 0);
	assert_true(guest_session_is_up(guest));
	assert_int_equal(receive_text(guest, 4, "REPLY session=7 number=4294967295 data=9000"), 0);
	assert_true(guest_session_pop_event(guest, &event));
	assert_int_equal(event.type, GUEST_SESSION_UP);
	assert_true(guest_session_pop_event(guest, &event));
	assert_int_equal(event.reply.outcome, WIRE_OK);
	assert_int_equal(guest_session_deadline(guest), 0);
	assert_int_equal(guest_session_tick(guest, 4), 0);
	assert_false(guest_session_is_up(guest));
	assert_int_equal(receive_text(guest, 5, "WELCOME session=8 incarnation=2"), 0);
	assert_int_equal(call(guest, 6, "reader=3 operation=3 data=01"), 0);
	guest_session_free(guest);
}

/* An owner that never reads its events is told so; nothing is overwritten. */
static void test_guest_unread_events(void **state)
{
	struct guest_session *guest;
	struct guest_event event;
	char text[64];
	int result = 0;
	int count = 0;

	(void)state;
	assert_int_equal(guest_session_new(&guest, "vm1", 0xB0, 0), 0);
	assert_int_equal(receive_text(guest, 1, "WELCOME session=7 incarnation=1"), 0);
	/* However often the readers change, that is one event. */
	for (int version = 1; version < 1000; version++) {
		snprintf(text, sizeof(text), "READERS session=7 version=%d", version);
		assert_int_equal(receive_text(guest, 2, text), 0);
	}
	for (int session = 7; result == 0 && session < 1000; session++) {
		snprintf(text, sizeof(text), "REFUSED session=%x reason=3", session);
		result = receive_text(guest, 2, text);
		snprintf(text, sizeof(text), "WELCOME session=%x incarnation=%d", session + 1,
			session - 5);
		if (result == 0)
			result = receive_text(guest, 2, text);
	}
	assert_int_equal(result, -ENOBUFS);
	assert_int_equal(guest_session_tick(guest, 99999), -ENOBUFS);
	while (guest_session_pop_event(guest, &event))
		count++;
	assert_in_range(count, 10, 100);
	assert_int_equal(guest_session_tick(guest, 99999), 0);
	guest_session_free(guest);
}

/* ---- the bridge's half ---- */

static struct wire_message message_of(const char *text)
{
	static uint8_t store[512];
	struct wire_message message;

	wire_text_parse(text, &message, store, sizeof(store));
	return message;
}

/* A call that the core hasn't fetched when the session ends is never executed. */
static void test_unfetched_call_dies_with_its_session(void **state)
{
	struct wire_message hello = message_of("HELLO guest_boot=a incarnation=1");
	struct wire_message call = message_of("CALL session=7 number=1 issued=1 operation=3 data=01");
	struct wire_message bye = message_of("BYE session=7");
	struct bridge_session *bridge;
	struct bridge_event event;

	(void)state;
	assert_int_equal(bridge_session_new(&bridge, 0xB1), 0);
	assert_int_equal(bridge_session_receive(bridge, 0, &hello, 7), 0);
	assert_int_equal(bridge_session_receive(bridge, 0, &call, 8), 0);
	assert_int_equal(bridge_session_receive(bridge, 0, &bye, 8), 0);
	assert_true(bridge_session_pop_event(bridge, &event));
	assert_int_equal(event.type, BRIDGE_SESSION_UP);
	assert_true(bridge_session_pop_event(bridge, &event));
	assert_int_equal(event.type, BRIDGE_SESSION_DOWN);
	assert_int_equal(event.session, 7);
	assert_false(bridge_session_pop_event(bridge, &event));
	bridge_session_free(bridge);
	assert_null(bridge_session_free(NULL));
}

static void test_bridge_too_large(void **state)
{
	static const uint8_t bytes[WIRE_APDU_MAX + 1];
	struct wire_message hello = message_of("HELLO guest_boot=a incarnation=1");
	struct wire_message call = message_of("CALL session=7 number=1 issued=1 operation=3 data=01");
	struct wire_reply reply = { .number = 1, .data = { bytes, sizeof(bytes) } };
	struct wire_message answer;
	struct bridge_session *bridge;
	struct payload_view frame;

	(void)state;
	assert_int_equal(bridge_session_new(&bridge, 0xB1), 0);
	assert_int_equal(bridge_session_receive(bridge, 0, &hello, 7), 0);
	assert_int_equal(bridge_session_receive(bridge, 0, &call, 8), 0);
	assert_int_equal(bridge_session_complete(bridge, 0, 7, &reply), -EMSGSIZE);
	reply.data.size = WIRE_APDU_MAX;
	assert_int_equal(bridge_session_complete(bridge, 0, 7, &reply), 0);
	assert_true(bridge_session_pop_frame(bridge, &frame));
	assert_int_equal(wire_decode(frame.bytes, frame.size, &answer), 0);
	assert_int_equal(answer.type, WIRE_REPLY);
	assert_int_equal(answer.reply.data.size, WIRE_APDU_MAX);
	bridge_session_free(bridge);
}

/* An owner that never reads its events is told so; nothing is overwritten. */
static void test_bridge_unread_events(void **state)
{
	struct wire_message hello = message_of("HELLO guest_boot=a");
	struct wire_message ping = message_of("PING");
	struct bridge_session *bridge;
	struct bridge_event event;
	uint64_t identity = 7;
	int result = 0;

	(void)state;
	assert_int_equal(bridge_session_new(&bridge, 0xB1), 0);
	while (result == 0 && identity < 1000) {
		hello.hello.incarnation++;
		ping.session = ++identity;
		result = bridge_session_receive(bridge, 0, &hello, identity);
		if (result == 0)
			result = bridge_session_receive(bridge, 0, &ping, 0);
	}
	assert_int_equal(result, -ENOBUFS);
	assert_int_equal(bridge_session_tick(bridge, 0), -ENOBUFS);
	while (bridge_session_pop_event(bridge, &event))
		continue;
	assert_int_equal(bridge_session_tick(bridge, 0), 0);
	bridge_session_free(bridge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_while_a_reply_is_read),
		cmocka_unit_test(test_guest_too_large),
		cmocka_unit_test(test_reply_comes_twice_unread),
		cmocka_unit_test(test_last_number),
		cmocka_unit_test(test_guest_unread_events),
		cmocka_unit_test(test_unfetched_call_dies_with_its_session),
		cmocka_unit_test(test_bridge_too_large),
		cmocka_unit_test(test_bridge_unread_events),
	};

	return cmocka_run_group_tests_name("relay-session-owner", tests, NULL, NULL);
}
