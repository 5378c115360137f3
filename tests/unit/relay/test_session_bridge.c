/*
 * The bridge's half of a session, as conversations with a guest and a core that are played.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bridge_half.h"

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
		cmocka_unit_test(frames_that_belong_to_nobody),
	};

	return cmocka_run_group_tests_name("relay-session-bridge", tests, NULL, NULL);
}
