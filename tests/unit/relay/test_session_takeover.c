/*
 * The bridge's half of a session when a second daemon of the same guest wants it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bridge_half.h"

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
	struct bridge_half bridge = { .identity = 7 };

	(void)state;
	assert_int_equal(bridge_session_new(&bridge.session, 0xB1), 0);
	assert_int_equal(bridge_half_receive(&bridge, 0, "HELLO guest_boot=a incarnation=1"), 0);
	assert_int_equal(bridge_half_receive(&bridge, 0, "PING session=7"), 0);
	bridge.identity = 8;
	assert_int_equal(bridge_half_receive(&bridge, 10, "HELLO guest_boot=b incarnation=1"), 0);
	assert_int_equal(bridge_session_tick(bridge.session, 10), 0);
	assert_int_equal(bridge_session_tick(bridge.session, 5000), 0);
	assert_int_equal(bridge_half_receive(&bridge, 5000, "PING session=7 number=2"), 0);
	assert_int_equal(bridge_half_receive(&bridge, 5001, "PING session=8"), SESSION_IGNORED);
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
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_daemon_that_died_is_replaced),
		cmocka_unit_test(a_daemon_that_answers_keeps_its_session),
		cmocka_unit_test(a_welcome_ends_when_the_daemon_is_heard_after_all),
		cmocka_unit_test(a_goodbye_lets_the_next_one_in_at_once),
		cmocka_unit_test(its_own_next_incarnation_need_not_wait),
		cmocka_unit_test(silence_is_not_the_sleep_of_the_bridge),
		cmocka_unit_test(of_two_daemons_the_newer_one_has_the_session),
		cmocka_unit_test(the_retired_that_go_on_are_remembered),
	};

	return cmocka_run_group_tests_name("relay-session-takeover", tests, NULL, NULL);
}
