/*
 * The bridge's half of a session, as conversations with a guest and a core that are played.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "player.h"
#include "relay/session.h"
#include "wire_text.h"

/* The half, and the number that the next session will get. */
struct bridge {
	struct bridge_session *session;
	uint64_t identity;
};

static uint64_t bridge_deadline(const void *half)
{
	return bridge_session_deadline(((const struct bridge *)half)->session);
}

static void bridge_tick(void *half, uint64_t now)
{
	assert_int_equal(bridge_session_tick(((struct bridge *)half)->session, now), 0);
}

/* The payload lies in a buffer of its own size, so that a sanitizer sees a step beyond it. */
static int receive(struct bridge *bridge, uint64_t now, const char *text)
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
static int complete(struct bridge *bridge, uint64_t now, const char *text)
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

static void set_readers(struct bridge *bridge, uint64_t now, const char *text)
{
	char line[512];
	struct wire_message message;

	snprintf(line, sizeof(line), "READERS %s", text);
	wire_text_parse(line, &message, NULL, 0);
	bridge_session_set_readers(bridge->session, now, &message.readers);
}

static void bridge_input(void *half, uint64_t now, const char *verb, const char *text)
{
	struct bridge *bridge = half;

	if (strcmp(verb, "in") == 0)
		assert_int_equal(receive(bridge, now, text), 0);
	else if (strcmp(verb, "ignored") == 0)
		assert_int_equal(receive(bridge, now, text), SESSION_IGNORED);
	else if (strcmp(verb, "complete") == 0)
		assert_int_equal(complete(bridge, now, text), 0);
	else if (strcmp(verb, "readers") == 0)
		set_readers(bridge, now, text);
	else if (strcmp(verb, "identity") == 0)
		bridge->identity = strtoull(text, NULL, 16);
	else
		fail_msg("there is no verb '%s'", verb);
}

static void print_event(struct bridge *bridge, const struct bridge_event *event, char *line,
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
	struct bridge *bridge = half;
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

static void play(const char *const *conversation)
{
	static const struct player_half functions = {
		.deadline = bridge_deadline,
		.tick = bridge_tick,
		.input = bridge_input,
		.output = bridge_output,
	};
	struct bridge bridge = { .identity = 7 };

	assert_int_equal(bridge_session_new(&bridge.session, 0xB1), 0);
	player_play(&functions, &bridge, conversation);
	assert_null(bridge_session_free(bridge.session));
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
	"0 in HELLO guest_boot=a incarnation=1 guest='vm1'", \
	"0 out WELCOME session=7 bridge_boot=b1 incarnation=1", \
	"0 in PING session=7", \
	"0 event up session=7", \
	"0 out PONG session=7"

CONVERSATION(a_hello_is_welcomed_and_the_answer_to_that_opens_a_session,
	"0 in HELLO guest_boot=a incarnation=1 guest='vm1'",
	"0 out WELCOME session=7 bridge_boot=b1 incarnation=1",
	"900 in HELLO guest_boot=a incarnation=1 guest='vm1'",
	"900 out WELCOME session=7 incarnation=1",
	"901 ignored PING session=8",
	"902 in PING session=7 number=5",
	"902 event up session=7",
	"902 out PONG session=7 number=5",
	/* Who has used its session has had its welcome. */
	"903 ignored HELLO guest_boot=a incarnation=1 guest='vm1'",
	"904 in PING session=7 number=6",
	"904 out PONG session=7 number=6",
	"905 end")

/* The answer to the welcome may be lost: any other frame of the session opens it, too. */
CONVERSATION(any_frame_opens_the_session,
	"0 in HELLO guest_boot=a incarnation=1",
	"0 out WELCOME session=7",
	"1 in CALL session=7 number=1 issued=1 operation=3 data=01",
	"1 event up session=7",
	"1 event execute CALL session=7 number=1",
	"2 in HELLO guest_boot=a incarnation=2",
	"2 out WELCOME session=8",
	"3 in BYE session=8",
	"3 event down session=7",
	"3 event up session=8",
	"3 event down session=8",
	"3 out REFUSED session=8 reason=no session(3)",
	"4 end")

/* A daemon that died before it was heard: nobody answers the welcome, so nothing happens. */
CONVERSATION(a_late_hello_of_an_unknown_daemon_ends_nothing,
	OPENED,
	"10 in CALL session=7 number=1 issued=1 operation=3 data=01",
	"10 event execute CALL session=7 number=1",
	/* It is asked whether it is still there, by its readers, even if nobody knows these yet. */
	"20 in HELLO guest_boot=f incarnation=1",
	"20 out READERS session=7 version=0 readers=[]",
	"30 in QUERY session=7 number=1 issued=1 open=[{ number=1 }]",
	"30 out PROGRESS session=7 number=1",
	"40 complete session=7 number=1 outcome=0 data=9000",
	"40 out REPLY session=7 number=1",
	/* Nor does it keep the daemon of the session from coming back. */
	"10030 event down session=7",
	"10040 in HELLO guest_boot=a incarnation=2",
	"10040 out WELCOME session=8 incarnation=2",
	"10050 in PING session=8",
	"10050 event up session=8",
	"10050 out PONG session=8",
	"10060 ignored PING session=7",
	"10070 end")

/* Another one's hello takes the number away that was offered, but only until the next hello. */
CONVERSATION(a_late_hello_between_welcome_and_answer,
	"0 in HELLO guest_boot=a incarnation=1",
	"0 out WELCOME session=7 incarnation=1",
	"1 in HELLO guest_boot=f incarnation=1",
	"1 out WELCOME session=8 incarnation=1",
	"2 ignored PING session=7",
	"3 in HELLO guest_boot=a incarnation=2",
	"3 out WELCOME session=9 incarnation=2",
	"4 ignored HELLO guest_boot=a incarnation=1",
	"5 in PING session=9",
	"5 event up session=9",
	"5 out PONG session=9",
	"6 end")

CONVERSATION(a_call_is_executed_once,
	OPENED,
	"10 in CALL session=7 number=1 issued=1 open=[{ number=1 }] reader=3 operation=3 data=0020",
	"10 event execute CALL session=7 number=1 reader=3 operation=transmit(3) data=2 bytes: 0020",
	/* Repeated while it runs: it runs. */
	"20 in CALL session=7 number=1 issued=1 open=[{ number=1 }] reader=3 operation=3 data=0020",
	"20 out PROGRESS session=7 number=1",
	"30 in QUERY session=7 number=1 issued=1 open=[{ number=1 }]",
	"30 out PROGRESS number=1",
	"40 complete session=7 number=1 outcome=0 protocol=2 data=9000",
	"40 out REPLY session=7 number=1 outcome=ok(0) protocol=2 data=2 bytes: 9000",
	/* Repeated when it is done: the same answer. */
	"50 in CALL session=7 number=1 issued=1 open=[{ number=1 }] reader=3 operation=3 data=0020",
	"50 out REPLY number=1 outcome=ok(0) data=2 bytes: 9000",
	"60 in QUERY session=7 number=1 issued=1 open=[{ number=1 }]",
	"60 out REPLY number=1 data=2 bytes: 9000",
	/* It ends once, too. */
	"65 complete session=7 number=1 outcome=0 data=6F00",
	"66 complete session=7 number=2 outcome=0 data=6F00",
	/* A late copy after the guest has seen the answer. */
	"70 in PING session=7 issued=1",
	"70 out PONG",
	"80 ignored CALL session=7 number=1 issued=1 open=[{ number=1 }] operation=3 data=0020",
	"80 ignored QUERY session=7 number=1 issued=1 open=[{ number=1 }]",
	"90 end")

CONVERSATION(calls_are_executed_in_order,
	OPENED,
	/* They wait for those that were lost or are late. */
	"10 in CALL session=7 number=2 issued=2 operation=3 data=02",
	"11 ignored CALL session=7 number=0 operation=3",
	"11 ignored QUERY session=7 number=1",
	"12 complete session=7 number=2 outcome=0 data=6F00",
	"13 in CALL session=7 number=2 issued=2 operation=3 data=02",
	"13 out PROGRESS number=2",
	"14 in CALL session=7 number=4 issued=4 operation=3 data=04",
	"20 in CALL session=7 number=1 issued=2 operation=3 data=01",
	"20 event execute CALL number=1 data=1 bytes: 01",
	"20 event execute CALL number=2 data=1 bytes: 02",
	"50 in CALL session=7 number=3 issued=4 operation=3 data=03",
	"50 event execute CALL number=3 data=1 bytes: 03",
	"50 event execute CALL number=4 data=1 bytes: 04",
	/* They end in any order. */
	"60 complete session=7 number=3 outcome=0 data=9003",
	"60 out REPLY number=3",
	"70 complete session=7 number=1 outcome=0 data=9001",
	"70 out REPLY number=1",
	"80 end")

CONVERSATION(a_late_frame_does_not_make_it_forget_a_reply,
	OPENED,
	"10 in CALL session=7 number=1 issued=1 open=[{ number=1 }] operation=3 data=01",
	"10 event execute CALL number=1",
	"11 in CALL session=7 number=2 issued=2 open=[{ number=1 } { number=2 }] operation=3 data=02",
	"11 event execute CALL number=2",
	"20 complete session=7 number=2 outcome=0 data=9002",
	"20 out REPLY number=2",
	/* Sent before call 2 was made, when only call 1 was open. */
	"30 in PING session=7 number=1 issued=1 open=[{ number=1 }]",
	"30 out PONG",
	"40 in QUERY session=7 number=2 issued=2 open=[{ number=1 } { number=2 }]",
	"40 out REPLY number=2 data=2 bytes: 9002",
	/* A guest that calls a running call answered doesn't get it forgotten either. */
	"50 in PING session=7 number=2 issued=2",
	"50 out PONG",
	"60 in QUERY session=7 number=1 issued=2",
	"60 out PROGRESS number=1",
	"70 ignored QUERY session=7 number=2 issued=2",
	"80 end")

CONVERSATION(only_the_calls_that_fit_are_taken,
	OPENED,
#define ONE_CALL(n) \
	"10 in CALL session=7 number=" #n " issued=1 operation=3 data=01", \
	"10 event execute CALL number=" #n
	ONE_CALL(1), ONE_CALL(2), ONE_CALL(3), ONE_CALL(4), ONE_CALL(5), ONE_CALL(6), ONE_CALL(7),
	ONE_CALL(8), ONE_CALL(9), ONE_CALL(10), ONE_CALL(11), ONE_CALL(12), ONE_CALL(13),
	ONE_CALL(14), ONE_CALL(15), ONE_CALL(16),
	"20 ignored CALL session=7 number=17 issued=17 operation=3 data=01",
	"30 complete session=7 number=9 outcome=0 data=9000",
	"30 out REPLY number=9",
	"40 ignored CALL session=7 number=17 issued=17 open=[{ number=9 }] operation=3 data=01",
	"50 in CALL session=7 number=17 issued=17 operation=3 data=01",
	"50 event execute CALL number=17",
	"60 end")

/* Whatever a guest is told of a reader, it is told when that changes. */
CONVERSATION(every_field_of_a_reader_is_news,
	"0 readers service=1 readers=[{ id=1 name='one' }]",
	OPENED,
	"0 out READERS session=7 version=1",
	"10 readers service=1 readers=[{ id=1 pin_support=1 name='one' }]",
	"10 out READERS version=2 pin_support=1",
	"20 readers service=1 readers=[{ id=1 pin_support=1 lcd_lines=2 name='one' }]",
	"20 out READERS version=3 lcd_lines=2",
	"30 readers service=1 readers=[{ id=1 pin_support=1 lcd_lines=2 lcd_characters=16 name='one' }]",
	"30 out READERS version=4 lcd_characters=16",
	"40 readers service=1 readers=[{ id=1 pin_support=1 lcd_lines=2 lcd_characters=16 name='two' }]",
	"40 out READERS version=5 name='two'",
	"50 readers service=1 readers=[{ id=1 pin_support=1 lcd_lines=2 lcd_characters=16 name='two' }]",
	"60 end")

CONVERSATION(readers_are_repeated_until_they_are_seen,
	"0 readers service=1 readers=[{ id=1 card=0 name='one' }]",
	OPENED,
	"0 out READERS session=7 version=1 service=1 readers=[{ id=1 name='one'",
	"500 out READERS version=1",
	"1000 out READERS version=1",
	"1100 in PING session=7 number=1 readers=1",
	"1100 out PONG",
	/* The same again is no news. */
	"2000 readers service=1 readers=[{ id=1 card=0 name='one' }]",
	"2100 readers service=1 readers=[{ id=1 card=1 atr=3B00 insertion=1 name='one' }]",
	"2100 out READERS version=2 card=present(1) atr=2 insertion=1",
	/* Only the newest state is repeated. */
	"2200 readers service=0 readers=[{ id=1 card=0 insertion=2 name='one' }]",
	"2200 out READERS version=3 service=0 card=absent(0) insertion=2",
	"2210 in PING session=7 number=2 readers=2",
	"2210 out PONG",
	"2700 out READERS version=3",
	"2710 in CALL session=7 number=1 readers=3 issued=1 operation=2",
	"2710 event execute CALL number=1 operation=disconnect(2)",
	/* Neither a late acknowledgement nor one of a version to come counts. */
	"2720 in QUERY session=7 number=1 readers=1",
	"2720 out PROGRESS number=1",
	"2730 in QUERY session=7 number=1 readers=99",
	"2730 out PROGRESS number=1",
	"2740 readers service=1",
	"2740 out READERS version=4 readers=[]",
	"3240 out READERS version=4",
	"3250 in QUERY session=7 number=1 readers=4",
	"3250 out PROGRESS number=1",
	"4000 end")

CONVERSATION(versions_of_readers_begin_again_with_each_session,
	"0 readers service=1",
	"0 readers service=1 readers=[{ id=1 name='one' }]",
	OPENED,
	"0 out READERS session=7 version=1 readers=[{ id=1",
	"10 in PING session=7 number=1 readers=1",
	"10 out PONG",
	"20 in BYE session=7",
	"20 event down session=7",
	"20 out REFUSED session=7 reason=no session(3)",
	"30 readers service=1 readers=[{ id=1 card=1 name='one' }]",
	"40 in HELLO guest_boot=a incarnation=2",
	"40 out WELCOME session=8",
	"40 in PING session=8",
	"40 event up session=8",
	"40 out PONG session=8",
	"40 out READERS session=8 version=1 card=present(1)",
	"45 end")

CONVERSATION(silence_ends_the_session,
	OPENED,
	"10 in CALL session=7 number=1 issued=1 operation=3 data=01",
	"10 event execute CALL number=1",
	"5000 in PING session=7",
	"5000 out PONG",
	"15000 event down session=7",
	"15001 ignored PING session=7",
	"15002 complete session=7 number=1 outcome=0 data=9000",
	"19999 ignored HELLO guest_boot=a incarnation=1",
	"20000 in HELLO guest_boot=a incarnation=2",
	"20000 out WELCOME session=8",
	"20000 in PING session=8",
	"20000 event up session=8",
	"20000 out PONG session=8",
	"20001 ignored CALL session=7 number=1 issued=1 operation=3 data=01",
	"20002 complete session=7 number=1 outcome=0 data=9000",
	"20003 in CALL session=8 number=1 issued=1 operation=3 data=02",
	"20003 event execute CALL session=8 number=1 data=1 bytes: 02",
	/* What belonged to the old session must not answer the new one's call. */
	"20004 complete session=7 number=1 outcome=0 data=9000",
	"20005 in QUERY session=8 number=1",
	"20005 out PROGRESS session=8 number=1",
	"30005 event down session=8",
	"99999 end")

CONVERSATION(a_new_incarnation_ends_the_session_before_it,
	OPENED,
	"10 in CALL session=7 number=1 issued=1 operation=3 data=01",
	"10 event execute CALL number=1",
	"20 in HELLO guest_boot=a incarnation=2",
	"20 out WELCOME session=8 incarnation=2",
	"21 in PING session=8",
	"21 event down session=7",
	"21 event up session=8",
	"21 out PONG session=8",
	"30 ignored HELLO guest_boot=a incarnation=1",
	"31 ignored PING session=7",
	"32 complete session=7 number=1 outcome=0 data=9000",
	"33 in BYE session=8",
	"33 event down session=8",
	"33 out REFUSED session=8 reason=no session(3)",
	/* Also after its end. */
	"40 ignored HELLO guest_boot=a incarnation=1",
	"41 ignored BYE session=8",
	"50 end")

/* Who takes over does so after a second and a half of silence, without another hello. */
CONVERSATION(a_daemon_that_died_is_replaced,
	OPENED,
	"10 in CALL session=7 number=1 issued=1 operation=3 data=01",
	"10 event execute CALL session=7 number=1",
	"1000 in HELLO guest_boot=b incarnation=1",
	"1000 out READERS session=7 version=0 readers=[]",
	"1100 in HELLO guest_boot=b incarnation=1",
	"1500 out READERS session=7",
	/* What its calls come to is no sign of life. */
	"1600 complete session=7 number=1 outcome=0 data=9000",
	"1600 out REPLY session=7 number=1",
	/* Nor is what another one says, or what is late from itself. */
	"1650 ignored HELLO guest_boot=a incarnation=1",
	"1700 in HELLO guest_boot=c incarnation=1",
	"1800 in HELLO guest_boot=b incarnation=1",
	"2000 out READERS session=7",
	"2500 out WELCOME session=8 incarnation=1",
	/* From now on whoever says hello is welcome, until one of them has answered. */
	"2550 in HELLO guest_boot=b incarnation=2",
	"2550 out WELCOME session=9 incarnation=2",
	"2600 in PING session=9",
	"2600 event down session=7",
	"2600 event up session=9",
	"2600 out PONG session=9",
	"5000 end")

/* Neither the hellos nor the welcome of another one cost a daemon that works its session. */
CONVERSATION(a_daemon_that_answers_keeps_its_session,
	"0 readers service=1 readers=[{ id=1 name='one' }]",
	OPENED,
	"0 out READERS session=7 version=1",
	"1 in PING session=7 number=1 readers=1",
	"1 out PONG session=7",
	"1000 in HELLO guest_boot=b incarnation=1",
	"1000 out READERS session=7 version=1 readers=[{ id=1",
	"1010 in PING session=7 number=2 readers=1",
	"1010 out PONG session=7 number=2",
	/* It is refused when it says so again; and what it was not told is not remembered. */
	"1100 in HELLO guest_boot=b incarnation=1",
	"1100 event contested session=7",
	"1100 out REFUSED session=0 reason=superseded(4) incarnation=1 text='another daemon of this guest has the session, and answers'",
	"1101 ignored PING session=8",
	/* However often: a probe in half a second, no more. */
	"1102 in HELLO guest_boot=b incarnation=1",
	"1103 in HELLO guest_boot=c incarnation=1",
	"1500 out READERS session=7 version=1",
	"1510 in CALL session=7 number=1 issued=1 readers=1 operation=3 data=01",
	"1510 event execute CALL session=7 number=1",
	/* That was not this one's refusal. */
	"1520 in HELLO guest_boot=c incarnation=1",
	"1521 in PING session=7 number=3",
	"1521 out PONG session=7",
	"1530 in HELLO guest_boot=c incarnation=1",
	"1530 event contested session=7",
	"1530 out REFUSED session=0 reason=superseded(4) incarnation=1",
	/* Two lost answers are no silence. */
	"2000 out READERS session=7",
	"2500 out READERS session=7",
	"3000 out READERS session=7",
	"3499 in QUERY session=7 number=1",
	"3499 out PROGRESS session=7 number=1",
	"9000 end")

CONVERSATION(a_welcome_ends_when_the_daemon_is_heard_after_all,
	OPENED,
	"1000 in HELLO guest_boot=b incarnation=1",
	"1000 out READERS session=7",
	"1500 out READERS session=7",
	"2000 out READERS session=7",
	"2500 out WELCOME session=8 incarnation=1",
	"2510 in HELLO guest_boot=c incarnation=1",
	"2510 out WELCOME session=9 incarnation=1",
	"2600 in PING session=7 number=2",
	"2600 out PONG session=7 number=2",
	"2605 ignored PING session=8",
	"2610 ignored PING session=9",
	"2620 in HELLO guest_boot=c incarnation=2",
	"2620 out READERS session=7",
	"2630 in PING session=7 number=3",
	"2630 out PONG session=7 number=3",
	"5000 end")

CONVERSATION(a_goodbye_lets_the_next_one_in_at_once,
	OPENED,
	"10 in BYE session=7",
	"10 event down session=7",
	"10 out REFUSED session=7 reason=no session(3)",
	"20 in HELLO guest_boot=b incarnation=1",
	"20 out WELCOME session=8",
	"20 in PING session=8",
	"20 event up session=8",
	"20 out PONG session=8",
	/* Also one that has come before it. */
	"30 in HELLO guest_boot=c incarnation=1",
	"30 out READERS session=8",
	"40 in BYE session=8",
	"40 event down session=8",
	"40 out REFUSED session=8 reason=no session(3)",
	"40 out WELCOME session=9",
	"41 in PING session=9",
	"41 event up session=9",
	"41 out PONG session=9",
	"50 end")

/* The daemon of the session may begin a new one beside all that. */
CONVERSATION(its_own_next_incarnation_need_not_wait,
	OPENED,
	"10 in HELLO guest_boot=b incarnation=1",
	"10 out READERS session=7",
	"20 in HELLO guest_boot=a incarnation=2",
	"20 out WELCOME session=8 incarnation=2",
	"21 in PING session=7",
	"21 out PONG session=7",
	"22 end")

/* A bridge that has slept looks at the clock before it reads what came meanwhile. */
static void silence_is_not_the_sleep_of_the_bridge(void **state)
{
	struct bridge bridge = { .identity = 7 };

	(void)state;
	assert_int_equal(bridge_session_new(&bridge.session, 0xB1), 0);
	assert_int_equal(receive(&bridge, 0, "HELLO guest_boot=a incarnation=1"), 0);
	assert_int_equal(receive(&bridge, 0, "PING session=7"), 0);
	bridge.identity = 8;
	assert_int_equal(receive(&bridge, 10, "HELLO guest_boot=b incarnation=1"), 0);
	assert_int_equal(bridge_session_tick(bridge.session, 10), 0);
	assert_int_equal(bridge_session_tick(bridge.session, 5000), 0);
	assert_int_equal(receive(&bridge, 5000, "PING session=7 number=2"), 0);
	assert_int_equal(receive(&bridge, 5001, "PING session=8"), SESSION_IGNORED);
	assert_int_equal(bridge_session_id(bridge.session), 7);
	assert_null(bridge_session_free(bridge.session));
}

/* How one takes over from another that is silent: at seconds n and m, m = n + 1. */
#define ONE_DAEMON(n, m, boot, id) \
	#n "000 identity " #id, \
	#n "000 in HELLO guest_boot=" #boot " incarnation=1", \
	#n "000 out READERS", #n "500 out READERS", #m "000 out READERS", \
	#m "500 out WELCOME session=" #id, \
	#m "500 in PING session=" #id, \
	#m "500 event down", \
	#m "500 event up session=" #id, \
	#m "500 out PONG"
#define IS_REFUSED(m, boot) \
	#m "500 in HELLO guest_boot=" #boot " incarnation=2", \
	#m "500 out REFUSED session=0 reason=superseded(4) incarnation=2"

CONVERSATION(of_two_daemons_the_newer_one_has_the_session,
	OPENED,
	ONE_DAEMON(1, 2, b, 8),
	/* A late hello, or a second machine of this name: it must not take the session back. */
	"2520 in HELLO guest_boot=a incarnation=5",
	"2520 out REFUSED session=0 reason=superseded(4) incarnation=5 text='a newer daemon",
	ONE_DAEMON(3, 4, c, 9),
	"4522 in HELLO guest_boot=b incarnation=1",
	"4522 out REFUSED session=0 reason=superseded(4)",
	"4523 in BYE session=9",
	"4523 event down session=9",
	"4523 out REFUSED session=9 reason=no session(3)",
	/* With nobody in its place, it is welcome again. */
	"4530 in HELLO guest_boot=a incarnation=6",
	"4530 out WELCOME session=a incarnation=6",
	"4530 in PING session=a",
	"4530 event up session=a",
	"4530 out PONG session=a",
	"4531 in HELLO guest_boot=c incarnation=2",
	"4531 out REFUSED session=0 reason=superseded(4)",
	"4540 end")

/* However many come and go: who still says hello is remembered, who was silent is forgotten. */
CONVERSATION(the_retired_that_go_on_are_remembered,
	OPENED,
	ONE_DAEMON(1, 2, b, 11), IS_REFUSED(2, a),
	ONE_DAEMON(3, 4, c, 12), ONE_DAEMON(5, 6, d, 13), ONE_DAEMON(7, 8, e, 14),
	ONE_DAEMON(9, 10, f, 15), ONE_DAEMON(11, 12, 10, 16), ONE_DAEMON(13, 14, 11, 17),
	IS_REFUSED(14, a),
	ONE_DAEMON(15, 16, 12, 18), ONE_DAEMON(17, 18, 13, 19), IS_REFUSED(18, a), IS_REFUSED(18, c),
	ONE_DAEMON(19, 20, 14, 20),
	IS_REFUSED(20, a),
	"21000 identity 21",
	"21000 in HELLO guest_boot=b incarnation=2",
	"21000 out READERS", "21500 out READERS", "22000 out READERS",
	"22500 out WELCOME session=21",
	"22600 end")

CONVERSATION(frames_that_belong_to_nobody,
	"0 ignored PING session=0",
	"0 ignored CALL session=0 number=1 issued=1 operation=3",
	"1 ignored HELLO guest_boot=0 incarnation=1",
	"2 identity 0",
	"2 ignored HELLO guest_boot=a incarnation=1",
	"3 identity 7",
	"3 in HELLO guest_boot=a incarnation=1",
	"3 out WELCOME session=7",
	"3 in PING session=7",
	"3 event up session=7",
	"3 out PONG",
	"4 ignored PING session=0",
	"4 ignored WELCOME session=7",
	"4 ignored REFUSED session=7",
	"4 ignored REPLY session=7 number=1",
	"4 ignored READERS session=7 version=1",
	"4 ignored PROGRESS session=7",
	"4 ignored PONG session=7",
	"5 end")

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hello_is_welcomed_and_the_answer_to_that_opens_a_session),
		cmocka_unit_test(any_frame_opens_the_session),
		cmocka_unit_test(a_late_hello_of_an_unknown_daemon_ends_nothing),
		cmocka_unit_test(a_late_hello_between_welcome_and_answer),
		cmocka_unit_test(a_call_is_executed_once),
		cmocka_unit_test(calls_are_executed_in_order),
		cmocka_unit_test(a_late_frame_does_not_make_it_forget_a_reply),
		cmocka_unit_test(only_the_calls_that_fit_are_taken),
		cmocka_unit_test(every_field_of_a_reader_is_news),
		cmocka_unit_test(readers_are_repeated_until_they_are_seen),
		cmocka_unit_test(versions_of_readers_begin_again_with_each_session),
		cmocka_unit_test(silence_ends_the_session),
		cmocka_unit_test(a_new_incarnation_ends_the_session_before_it),
		cmocka_unit_test(a_daemon_that_died_is_replaced),
		cmocka_unit_test(a_daemon_that_answers_keeps_its_session),
		cmocka_unit_test(a_welcome_ends_when_the_daemon_is_heard_after_all),
		cmocka_unit_test(a_goodbye_lets_the_next_one_in_at_once),
		cmocka_unit_test(its_own_next_incarnation_need_not_wait),
		cmocka_unit_test(silence_is_not_the_sleep_of_the_bridge),
		cmocka_unit_test(of_two_daemons_the_newer_one_has_the_session),
		cmocka_unit_test(the_retired_that_go_on_are_remembered),
		cmocka_unit_test(frames_that_belong_to_nobody),
	};

	return cmocka_run_group_tests_name("relay-session-bridge", tests, NULL, NULL);
}
