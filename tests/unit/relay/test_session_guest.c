/*
 * The guest's half of a session, as conversations with a bridge that is played.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "player.h"
#include "relay/session.h"
#include "wire_text.h"

static uint64_t guest_deadline(const void *half)
{
	return guest_session_deadline(half);
}

static void guest_tick(void *half, uint64_t now)
{
	assert_int_equal(guest_session_tick(half, now), 0);
}

/* The frame is moved to a buffer of its own size, so that a sanitizer sees a step beyond it. */
static int receive(struct guest_session *guest, uint64_t now, const uint8_t *bytes, size_t size)
{
	struct payload frame;
	int result;

	assert_int_equal(payload_init(&frame, size), 0);
	assert_int_equal(payload_set(&frame, (struct payload_view){ bytes, size }), 0);
	result = guest_session_receive(guest, now, frame.bytes, frame.size);
	payload_deinit(&frame);
	return result;
}

static int receive_text(struct guest_session *guest, uint64_t now, const char *text)
{
	static uint8_t frame[WIRE_FRAME_MAX];
	uint8_t store[512];
	struct wire_message message;
	size_t size;

	wire_text_parse(text, &message, store, sizeof(store));
	assert_int_equal(wire_encode(&message, frame, sizeof(frame), &size), 0);
	return receive(guest, now, frame, size);
}

static int receive_hex(struct guest_session *guest, uint64_t now, const char *text)
{
	uint8_t frame[512];
	size_t size = wire_text_hex(&text, frame, sizeof(frame));

	return receive(guest, now, frame, size);
}

static int call(struct guest_session *guest, uint64_t now, const char *text)
{
	uint8_t store[512];
	struct wire_call wanted;
	uint32_t number = 0;

	wire_text_parse_call(text, &wanted, store, sizeof(store));
	return guest_session_call(guest, now, &wanted, &number);
}

static void guest_input(void *half, uint64_t now, const char *verb, const char *text)
{
	if (strcmp(verb, "in") == 0)
		assert_int_equal(receive_text(half, now, text), 0);
	else if (strcmp(verb, "ignored") == 0)
		assert_int_equal(receive_text(half, now, text), SESSION_IGNORED);
	else if (strcmp(verb, "in-hex") == 0)
		assert_int_equal(receive_hex(half, now, text), 0);
	else if (strcmp(verb, "ignored-hex") == 0)
		assert_int_equal(receive_hex(half, now, text), SESSION_IGNORED);
	else if (strcmp(verb, "call") == 0)
		assert_int_equal(call(half, now, text), 0);
	else if (strcmp(verb, "not-open") == 0)
		assert_int_equal(call(half, now, text), SESSION_NOT_OPEN);
	else if (strcmp(verb, "full") == 0)
		assert_int_equal(call(half, now, text), SESSION_WINDOW_FULL);
	else if (strcmp(verb, "bye") == 0)
		guest_session_bye(half);
	else
		fail_msg("there is no verb '%s'", verb);
}

static void print_event(struct guest_session *guest, const struct guest_event *event, char *line,
	size_t size)
{
	struct wire_message message = { .type = WIRE_REPLY };

	switch (event->type) {
	case GUEST_SESSION_UP:
		assert_true(guest_session_is_up(guest));
		snprintf(line, size, "event up");
		break;
	case GUEST_SESSION_DOWN:
		assert_false(guest_session_is_up(guest));
		assert_int_equal(guest_session_readers(guest)->count, 0);
		snprintf(line, size, "event down");
		break;
	case GUEST_SESSION_REFUSED:
		snprintf(line, size, "event refused reason=%u %s", event->refused.reason,
			event->refused.text);
		break;
	case GUEST_SESSION_READERS:
		snprintf(line, size, "event readers version=%u count=%u first=%s",
			guest_session_readers(guest)->version, guest_session_readers(guest)->count,
			guest_session_readers(guest)->readers[0].name);
		break;
	case GUEST_SESSION_REPLY:
		message.reply = event->reply;
		snprintf(line, size, "event ");
		wire_text_print(&message, line + 6, size - 6);
		break;
	case GUEST_SESSION_RELINK:
		snprintf(line, size, "event relink");
		break;
	}
}

static bool guest_output(void *half, char *line, size_t size)
{
	struct guest_event event;
	struct payload_view frame;
	struct wire_message message;

	if (guest_session_pop_event(half, &event)) {
		print_event(half, &event, line, size);
		return true;
	}
	if (!guest_session_pop_frame(half, &frame))
		return false;
	assert_int_equal(wire_decode(frame.bytes, frame.size, &message), 0);
	snprintf(line, size, "out ");
	wire_text_print(&message, line + 4, size - 4);
	return true;
}

static void play(const char *const *conversation)
{
	static const struct player_half functions = {
		.deadline = guest_deadline,
		.tick = guest_tick,
		.input = guest_input,
		.output = guest_output,
	};
	struct guest_session *guest;

	assert_int_equal(guest_session_new(&guest, "vm1", 0xB0, 0), 0);
	player_play(&functions, guest, conversation);
	assert_null(guest_session_free(guest));
}

#define CONVERSATION(name, ...) \
	static void name(void **state) \
	{ \
		static const char *const conversation[] = { __VA_ARGS__, NULL }; \
		(void)state; \
		play(conversation); \
	}

/* How most conversations begin. */
#define OPENED \
	"0 out HELLO session=0 guest_boot=b0 incarnation=1 guest='vm1'", \
	"10 in WELCOME session=7 incarnation=1", \
	"10 event up", \
	"10 out PING session=7 number=0 readers=0 issued=0 open=[]", \
	"10 in PONG session=7 number=0"

CONVERSATION(hellos_go_on_and_links_are_made_anew,
	"0 out HELLO session=0 guest_boot=b0 incarnation=1 guest='vm1'",
	/* A new link may still be connecting: quickly at first, then once a second. */
	"100 out HELLO incarnation=1",
	"200 out HELLO incarnation=1",
	"400 out HELLO incarnation=1",
	"800 out HELLO incarnation=1",
	"1600 out HELLO incarnation=1",
	"2600 out HELLO incarnation=1",
	"3600 out HELLO incarnation=1",
	"4600 out HELLO incarnation=1",
	"5600 out HELLO incarnation=1",
	"6000 event relink",
	"6000 out HELLO incarnation=1",
	"6100 out HELLO",
	"6300 out HELLO",
	"6700 out HELLO",
	"7500 out HELLO",
	"8500 out HELLO",
	"9500 out HELLO",
	"10500 out HELLO",
	"11500 out HELLO",
	"12000 event relink",
	"12000 out HELLO incarnation=1")

/* The bridge opens the session when it hears its number. */
CONVERSATION(a_welcome_is_answered_until_the_bridge_is_heard,
	"0 out HELLO session=0 guest_boot=b0 incarnation=1 guest='vm1'",
	"10 in WELCOME session=7 incarnation=1",
	"10 event up",
	"10 out PING session=7 number=0 readers=0 issued=0 open=[]",
	/* The welcome of a repeated hello is no sign that the bridge has heard it. */
	"500 in WELCOME session=7 incarnation=1",
	"500 out PING session=7 number=0",
	"1010 out PING session=7 number=1",
	"2010 out PING session=7 number=2",
	"2020 in PONG session=7 number=2",
	"2030 in WELCOME session=7 incarnation=1",
	"4520 out PING session=7 number=3",
	"4530 end")

/* Frames that the network has kept for long say nothing of a bridge that hears nothing. */
CONVERSATION(what_is_heard_does_not_make_it_silent,
	OPENED,
	"1000 in READERS session=7 version=2 service=1",
	"1000 event readers version=2",
	"1000 out PING number=0 readers=2",
	"2000 ignored REPLY session=7 number=9 outcome=0 data=9000",
	"3000 in PONG session=7 number=0",
	"3500 out PING number=1",
	"5000 in PONG session=7 number=0",
	"6000 out PING number=2",
	"6010 end")

CONVERSATION(call_and_reply,
	OPENED,
	"20 call reader=3 operation=1 protocols=3",
	"20 out CALL session=7 number=1 readers=0 issued=1 open=[{ number=1 }] reader=3 "
		"operation=connect(1) protocols=3 data=0 bytes",
	"30 in REPLY session=7 number=1 outcome=0 protocol=2 data=3B8001",
	"30 event REPLY number=1 outcome=ok(0) protocol=2 data=3 bytes: 3B8001",
	"40 call reader=3 operation=3 data=00A40000",
	"40 out CALL number=2 issued=2 open=[{ number=2 }] operation=transmit(3) data=4 bytes: "
		"00A40000",
	"50 in REPLY session=7 number=2 outcome=0 protocol=2 data=9000",
	"50 event REPLY number=2 data=2 bytes: 9000",
	"2540 out PING number=1 issued=2 open=[]")

CONVERSATION(a_lost_call_is_repeated_until_it_is_known_and_then_asked_for,
	OPENED,
	"20 call reader=3 operation=3 data=0020",
	"20 out CALL number=1 data=2 bytes: 0020",
	"1020 out CALL number=1 data=2 bytes: 0020",
	"2000 in PROGRESS session=7 number=1",
	"3000 out QUERY number=1 issued=1 open=[{ number=1 }]",
	"3010 in PROGRESS session=7 number=1",
	"4010 out QUERY number=1",
	"5010 out QUERY number=1",
	"5520 in PROGRESS session=7 number=1",
	"6520 out QUERY number=1",
	"6600 in REPLY session=7 number=1 outcome=0 data=9000",
	"6600 event REPLY number=1 outcome=ok(0) data=2 bytes: 9000",
	"9000 end")

CONVERSATION(each_call_is_repeated_in_its_own_time,
	OPENED,
	"20 call reader=3 operation=3 data=01",
	"20 out CALL number=1",
	"500 call reader=4 operation=3 data=02",
	"500 out CALL number=2 issued=2 open=[{ number=1 } { number=2 }]",
	"1020 out CALL number=1 issued=2 open=[{ number=1 } { number=2 }] data=1 bytes: 01",
	"1030 in PROGRESS session=7 number=1",
	"1500 out CALL number=2 data=1 bytes: 02",
	"1500 in PROGRESS session=7 number=2",
	"2000 end")

CONVERSATION(a_running_call_is_not_sent_again_for_one_that_was_lost,
	OPENED,
	"20 call reader=3 operation=3 data=01",
	"20 out CALL number=1",
	"30 in PROGRESS session=7 number=1",
	"40 call reader=4 operation=3 data=02",
	"40 out CALL number=2",
	"1030 out QUERY number=1",
	"1040 out CALL number=2 data=1 bytes: 02",
	"2000 end")

CONVERSATION(replies_in_any_order_and_one_slow_call,
	OPENED,
	"20 call reader=3 operation=3 data=01",
	"20 out CALL number=1",
	"21 call reader=4 operation=3 data=02",
	"21 out CALL number=2 issued=2 open=[{ number=1 } { number=2 }]",
	"30 in REPLY session=7 number=2 outcome=0 data=9002",
	"30 event REPLY number=2 data=2 bytes: 9002",
	"31 call reader=4 operation=3 data=03",
	"31 out CALL number=3 issued=3 open=[{ number=1 } { number=3 }]",
	"32 in REPLY session=7 number=3 outcome=0 data=9003",
	"32 event REPLY number=3 data=2 bytes: 9003",
	"33 in REPLY session=7 number=1 outcome=0 data=9001",
	"33 event REPLY number=1 data=2 bytes: 9001",
	"34 end")

CONVERSATION(late_repeated_and_foreign_frames_are_ignored,
	"0 out HELLO",
	"5 ignored WELCOME session=6 incarnation=0",
	"5 ignored WELCOME session=0 incarnation=1",
	"5 ignored READERS session=6 version=1",
	"5 ignored REPLY session=0 number=1",
	"5 ignored PONG session=6",
	"10 in WELCOME session=7 incarnation=1",
	"10 event up",
	"10 out PING",
	"11 in WELCOME session=7 incarnation=1",
	"11 out PING",
	"11 ignored WELCOME session=8 incarnation=1",
	"12 call reader=3 operation=3 data=01",
	"12 out CALL number=1",
	"13 ignored REPLY session=6 number=1 outcome=0 data=9000",
	"13 ignored REPLY session=7 number=2 outcome=0 data=9000",
	"13 ignored PROGRESS session=7 number=2",
	"13 ignored CALL session=7 number=1",
	"13 ignored HELLO session=7",
	"14 in REPLY session=7 number=1 outcome=0 data=9000",
	"14 event REPLY number=1",
	"15 ignored REPLY session=7 number=1 outcome=0 data=6F00",
	"15 ignored PROGRESS session=7 number=1",
	"15 ignored REFUSED session=6 reason=3",
	"15 ignored REFUSED session=0 reason=2 incarnation=1",
	/* A frame that is cut, one of an unknown type, one of another major version. */
	"16 ignored-hex 01 0A 00 00 07 00 00 00 00 00 00 00",
	"16 ignored-hex 01 63 00 00 07 00 00 00 00 00 00 00",
	"16 ignored-hex 02 0A 00 00 07 00 00 00 00 00 00 00",
	"16 ignored-hex",
	"2000 end")

CONVERSATION(readers_are_acknowledged_each_time_and_never_go_back,
	OPENED,
	"20 in READERS session=7 version=2 service=1 readers=[{ id=1 card=1 name='two' }]",
	"20 event readers version=2 count=1 first=two",
	"20 out PING number=0 readers=2",
	"30 ignored READERS session=7 version=1 service=1 readers=[{ id=1 card=1 name='one' }]",
	"40 in READERS session=7 version=2 service=1 readers=[{ id=1 card=1 name='two' }]",
	"40 out PING number=0 readers=2",
	"50 in READERS session=7 version=3 service=1",
	"50 event readers version=3 count=0",
	"50 out PING readers=3",
	"60 call reader=1 operation=2",
	"60 out CALL number=1 readers=3",
	"70 end")

CONVERSATION(a_session_that_the_bridge_does_not_know_is_over_at_once,
	OPENED,
	"15 in READERS session=7 version=9 service=1 readers=[{ id=1 name='one' }]",
	"15 event readers version=9",
	"15 out PING readers=9",
	"20 call reader=3 operation=3 data=01",
	"20 out CALL number=1",
	"21 call reader=3 operation=3 data=02",
	"21 out CALL number=2",
	"30 in REFUSED session=7 reason=3 text='never heard of it'",
	"30 event REPLY number=1 outcome=outcome unknown(11) data=0 bytes",
	"30 event REPLY number=2 outcome=outcome unknown(11) data=0 bytes",
	"30 event down",
	"30 out HELLO session=0 incarnation=2",
	"31 not-open reader=3 operation=3 data=03",
	"32 ignored REPLY session=7 number=1 outcome=0 data=9000",
	"33 ignored WELCOME session=7 incarnation=1",
	"40 in WELCOME session=8 incarnation=2",
	"40 event up",
	"40 out PING session=8 readers=0 issued=0",
	/* On the wire numbers and versions start again; our owner's numbers go on. */
	"50 call reader=3 operation=3 data=03",
	"50 out CALL session=8 number=1 readers=0 issued=1 open=[{ number=1 }]",
	"60 in REPLY session=8 number=1 outcome=0 data=9003",
	"60 event REPLY number=3 data=2 bytes: 9003",
	"70 in READERS session=8 version=1 service=1 readers=[{ id=1 name='again' }]",
	"70 event readers version=1 count=1 first=again",
	"70 out PING session=8 readers=1",
	"80 end")

CONVERSATION(silence_costs_first_the_link_then_the_session,
	OPENED,
	"2510 out PING number=1",
	"5010 out PING number=2",
	"5020 call reader=3 operation=3 data=01",
	"5020 out CALL number=1",
	/* All that waits for an answer goes over the new link at once, and again soon. */
	"6010 event relink",
	"6010 out CALL number=1",
	"6110 out CALL number=1",
	"6310 out CALL number=1",
	"6710 out CALL number=1",
	"7510 out CALL number=1",
	"8510 out CALL number=1",
	"9510 out CALL number=1",
	"10010 event REPLY number=1 outcome=outcome unknown(11)",
	"10010 event down",
	"10010 out HELLO incarnation=2",
	"11010 out HELLO incarnation=2",
	"12010 event relink",
	"12010 out HELLO incarnation=2",
	"12020 in WELCOME session=8 incarnation=2",
	"12020 event up",
	"12020 out PING session=8",
	"13000 end")

CONVERSATION(a_frame_in_time_saves_the_session,
	OPENED,
	"2510 out PING number=1",
	"5010 out PING number=2",
	"6010 event relink",
	"6010 out PING number=3",
	"6020 in PONG session=7 number=3",
	"6110 out PING number=4",
	"8610 out PING number=5",
	"8620 in PONG session=7 number=5",
	"11110 out PING number=6",
	"11120 in PONG session=7 number=6",
	"12000 end")

CONVERSATION(frames_of_another_session_keep_the_link_but_not_the_session,
	OPENED,
	"2510 out PING",
	"4000 ignored PONG session=6",
	"5010 out PING",
	"7510 out PING",
	"8000 ignored PONG session=6",
	"10010 event down",
	"10010 out HELLO incarnation=2",
	"10100 end")

CONVERSATION(refusals_are_told_once_per_reason,
	"0 out HELLO",
	"10 in REFUSED session=0 reason=2 incarnation=1 text='no guest vm1 here'",
	"10 event refused reason=2 no guest vm1 here",
	"20 ignored REFUSED session=0 reason=2 incarnation=0",
	"20 ignored REFUSED session=9 reason=3 incarnation=1",
	"100 out HELLO",
	"110 in REFUSED session=0 reason=2 incarnation=1 text='still no'",
	"1100 out HELLO",
	/* A REFUSED of major version 9, which has grown by two bytes. */
	"1200 in-hex 09 03 04 00 00 00 00 00 00 00 00 00 01 00 00 00 00 02 68 69 EE EE",
	"1200 event refused reason=1 hi",
	"2100 out HELLO",
	"2110 in WELCOME session=7 incarnation=1",
	"2110 event up",
	"2110 out PING session=7",
	"2120 in REFUSED session=7 reason=2 text='no more'",
	"2120 event down",
	"2120 event refused reason=2 no more",
	"2120 out HELLO incarnation=2",
	"2130 end")

CONVERSATION(the_window_is_full_until_a_reply_is_there,
	OPENED,
#define ONE_CALL(n) "20 call reader=3 operation=3 data=01", "20 out CALL number=" #n
	ONE_CALL(1), ONE_CALL(2), ONE_CALL(3), ONE_CALL(4), ONE_CALL(5), ONE_CALL(6), ONE_CALL(7),
	ONE_CALL(8), ONE_CALL(9), ONE_CALL(10), ONE_CALL(11), ONE_CALL(12), ONE_CALL(13),
	ONE_CALL(14), ONE_CALL(15), ONE_CALL(16),
	"20 full reader=3 operation=3 data=01",
	"30 in REPLY session=7 number=5 outcome=0 data=9000",
	"30 event REPLY number=5",
	"31 call reader=3 operation=3 data=11",
	"31 out CALL number=17 issued=17",
	"31 full reader=3 operation=3 data=01",
	"40 end")

CONVERSATION(a_confirmed_goodbye,
	OPENED,
	"20 call reader=3 operation=3 data=01",
	"20 out CALL number=1",
	"30 bye",
	"30 event REPLY number=1 outcome=outcome unknown(11)",
	"30 out BYE session=7",
	"31 not-open reader=3 operation=3",
	"40 ignored REPLY session=7 number=1 outcome=0 data=9000",
	"41 in REFUSED session=7 reason=3",
	"41 event down",
	"42 ignored WELCOME session=7 incarnation=1",
	"99999 end")

CONVERSATION(a_goodbye_that_nobody_confirms,
	OPENED,
	"30 bye",
	"30 out BYE session=7",
	"530 out BYE session=7",
	"1030 out BYE session=7",
	"1530 event down",
	"99999 end")

CONVERSATION(a_goodbye_without_a_session,
	"0 out HELLO",
	"30 bye",
	"30 event down",
	"30 bye",
	"99999 end")

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hellos_go_on_and_links_are_made_anew),
		cmocka_unit_test(a_welcome_is_answered_until_the_bridge_is_heard),
		cmocka_unit_test(what_is_heard_does_not_make_it_silent),
		cmocka_unit_test(call_and_reply),
		cmocka_unit_test(a_lost_call_is_repeated_until_it_is_known_and_then_asked_for),
		cmocka_unit_test(each_call_is_repeated_in_its_own_time),
		cmocka_unit_test(a_running_call_is_not_sent_again_for_one_that_was_lost),
		cmocka_unit_test(replies_in_any_order_and_one_slow_call),
		cmocka_unit_test(late_repeated_and_foreign_frames_are_ignored),
		cmocka_unit_test(readers_are_acknowledged_each_time_and_never_go_back),
		cmocka_unit_test(a_session_that_the_bridge_does_not_know_is_over_at_once),
		cmocka_unit_test(silence_costs_first_the_link_then_the_session),
		cmocka_unit_test(a_frame_in_time_saves_the_session),
		cmocka_unit_test(frames_of_another_session_keep_the_link_but_not_the_session),
		cmocka_unit_test(refusals_are_told_once_per_reason),
		cmocka_unit_test(the_window_is_full_until_a_reply_is_there),
		cmocka_unit_test(a_confirmed_goodbye),
		cmocka_unit_test(a_goodbye_that_nobody_confirms),
		cmocka_unit_test(a_goodbye_without_a_session),
	};

	return cmocka_run_group_tests_name("relay-session-guest", tests, NULL, NULL);
}
