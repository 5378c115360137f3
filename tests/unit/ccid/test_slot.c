/*
 * Conversations with the CCID slot, to be read beside the specification. player.h has the language.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ccid/player.h"

/* ---- status and presence: CCID 1.1, 6.1.3 and 6.3.1 ---- */

static void test_status_of_an_empty_slot(void **state)
{
	(void)state;
	play(LINES("enable 512",
		"out 65 00000000 00 01 000000",
		"in 81 00000000 00 01 02 00 03"));
}

static void test_nothing_is_said_while_disabled(void **state)
{
	(void)state;
	play(LINES("out 65 00000000 00 01 000000", "card 1", "wait 5000", "enable 512",
		"notify 5003"));
}

static void test_insertion_and_removal(void **state)
{
	(void)state;
	play(LINES("enable 512",
		"card 1", "notify 5003",
		"out 65 00000000 00 01 000000", "in 81 00000000 00 01 01 00 03",
		"card 1",
		"card -", "notify 5002",
		"out 65 00000000 00 02 000000", "in 81 00000000 00 02 02 00 03"));
}

static void test_a_swap_is_shown_as_removal_first(void **state)
{
	(void)state;
	play_active(LINES("card 2",
		"call disconnect", "notify 5002",
		"out 65 00000000 00 01 000000", "in 81 00000000 00 01 02 00 03", "notify 5003",
		"out 65 00000000 00 02 000000", "in 81 00000000 00 02 01 00 03"));
}

static void test_a_driver_that_does_not_look_sees_the_new_card_after_a_while(void **state)
{
	(void)state;
	play_active(LINES("card 2", "call disconnect", "notify 5002", "wait 1000", "notify 5003"));
}

/* Each change is told once, and nothing else: whoever sends it replaces what nobody has read. */
static void test_each_change_is_notified_once(void **state)
{
	(void)state;
	play(LINES("enable 512",
		"card 1", "notify 5003", "card 1",
		"card -", "notify 5002", "card -",
		"card 2", "wait 1000", "notify 5003", "wait 5000",
		"card -", "notify 5002", "card 3", "card -", "wait 5000"));
}

static void test_enable_is_a_new_driver(void **state)
{
	(void)state;
	play_active(LINES("enable 512", "call disconnect", "notify 5003",
		"out 65 00000000 00 00 000000", "in 81 00000000 00 00 01 00 03"));
}

/* The driver was killed: the card is let go, whatever ran, and the next one begins from a cold card. */
static void test_a_deserted_card_is_let_go(void **state)
{
	(void)state;
	play_active(LINES("desert", "call disconnect", "desert",
		"out 65 00000000 00 00 000000", "in 81 00000000 00 00 01 00 03",
		"out 62 00000000 00 01 00 0000", "call connect unpower 3",
		"reply 0", "reply connect T1 3B80800101", "in 80 05000000 00 01 00 00 00 3B80800101"));
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"desert", "call disconnect", "reply data 9000", "wait 10000",
		"out 62 00000000 00 01 00 0000", "call connect unpower 3"));
	play_active(LINES("out 62 00000000 00 01 00 0000", "call connect reset 3",
		"desert", "call disconnect", "reply connect T1 3B80800101", "wait 10000"));
	play_active(LINES("hold", "out 65 00000000 00 00 000000", "in 81 00000000 00 00 00 00 00",
		"desert", "call disconnect", "cancel"));
}

/* ---- power: CCID 1.1, 6.1.1 and 6.1.2 ---- */

static void test_power_on_of_an_empty_slot(void **state)
{
	(void)state;
	play(LINES("enable 512",
		"out 62 00000000 00 01 00 0000", "in 80 00000000 00 01 42 FE 00"));
}

static void test_power_on_twice_is_a_warm_reset(void **state)
{
	(void)state;
	play_active(LINES("out 62 00000000 00 01 01 0000", "call connect reset 3",
		"reply connect T1 3B80800101", "in 80 05000000 00 01 00 00 00 3B80800101"));
}

static void test_power_select_is_accepted_up_to_1_8_volts(void **state)
{
	(void)state;
	play_active(LINES("out 62 00000000 00 01 03 0000", "call connect reset 3",
		"reply connect T1 3B80800101", "in 80 05000000 00 01 00 00 00 3B80800101",
		"out 62 00000000 00 02 04 0000", "in 80 00000000 00 02 40 07 00"));
}

static void test_a_mute_card(void **state)
{
	(void)state;
	play(LINES("enable 512", "card 1", "notify 5003",
		"out 62 00000000 00 01 00 0000", "call connect unpower 3",
		"reply 4", "in 80 00000000 00 01 41 FE 00"));
}

/*
 * A reset that somebody else prevents, or a card that is mute after it: what it knows is not
 * left open.
 */
static void test_a_failed_reset_lets_go_of_the_card(void **state)
{
	static const char *const outcomes[] = { "reply 4", "reply 5", "reply 6", "reply 10", "reply 11" };

	(void)state;
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		play_active(LINES("out 62 00000000 00 01 00 0000", "call connect reset 3", outcomes[i],
			"call disconnect", "in 80 00000000 00 01 41 FE 00",
			"out 63 00000000 00 02 000000", "in 81 00000000 00 02 01 00 03"));
}

static void test_power_on_is_answered_within_its_bound(void **state)
{
	(void)state;
	play(LINES("enable 512", "card 1", "notify 5003",
		"out 62 00000000 00 01 00 0000", "call connect unpower 3",
		"wait 4499", "wait 1", "call disconnect", "in 80 00000000 00 01 41 FE 00",
		"late 1"));
}

static void test_card_pulled_while_powering(void **state)
{
	(void)state;
	play(LINES("enable 512", "card 1", "notify 5003",
		"out 62 00000000 00 01 00 0000", "call connect unpower 3",
		"card -", "call disconnect", "in 80 00000000 00 01 42 FE 00", "notify 5002",
		"late 1"));
}

static void test_power_off_is_instant_and_may_be_repeated(void **state)
{
	(void)state;
	play_active(LINES("out 63 00000000 00 01 000000",
		"call disconnect", "in 81 00000000 00 01 01 00 03",
		"out 63 00000000 00 02 000000", "in 81 00000000 00 02 01 00 03",
		"card -", "notify 5002",
		"out 63 00000000 00 03 000000", "in 81 00000000 00 03 02 00 03"));
}

static void test_power_off_ends_a_running_command(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"out 63 00000000 00 02 000000",
		"call disconnect", "in 81 00000000 00 02 01 00 03",
		"late 2"));
}

static void test_power_on_of_a_new_driver_ends_a_running_command(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"out 65 00000000 00 00 000000", "in 81 00000000 00 00 00 00 00",
		"out 62 00000000 00 01 00 0000", "call connect reset 3",
		"late 2",
		"reply 5",
		"reply connect T1 3B80800101", "in 80 05000000 00 01 00 00 00 3B80800101"));
}

/* ---- XfrBlock: CCID 1.1, 6.1.4 ---- */

static void test_an_apdu(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"reply data 6A82", "in 80 02000000 00 01 00 00 00 6A82"));
}

static void test_xfr_block_needs_a_powered_card(void **state)
{
	(void)state;
	play(LINES("enable 512",
		"out 6F 05000000 00 01 00 0000 00A4040000", "in 80 00000000 00 01 42 FE 00",
		"card 1", "notify 5003",
		"out 6F 05000000 00 02 00 0000 00A4040000", "in 80 00000000 00 02 41 FE 00"));
}

static void test_an_empty_apdu_is_refused(void **state)
{
	(void)state;
	play_active(LINES("out 6F 00000000 00 01 00 0000", "in 80 00000000 00 01 40 01 00"));
}

static void test_time_extensions(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"wait 499", "wait 1", "in 80 00000000 00 01 80 01 00",
		"wait 699", "wait 1", "in 80 00000000 00 01 80 01 00",
		"wait 700", "in 80 00000000 00 01 80 01 00",
		"reply data 9000", "in 80 02000000 00 01 00 00 00 9000",
		"wait 5000"));
}

static void test_an_unread_extension_is_not_followed_by_another(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"hold",
		"wait 500", "in 80 00000000 00 01 80 01 00",
		"wait 700", "wait 700",
		"release",
		"hold",
		"wait 700", "in 80 00000000 00 01 80 01 00",
		"reply data 9000",
		"release", "in 80 02000000 00 01 00 00 00 9000"));
}

static void test_an_unread_answer_is_taken_back_for_the_next_command(void **state)
{
	(void)state;
	play_active(LINES("hold",
		"out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"reply data 9000", "in 80 02000000 00 01 00 00 00 9000",
		"out 65 00000000 00 00 000000", "cancel", "in 81 00000000 00 00 00 00 00"));
}

static void test_a_second_command_finds_the_slot_busy(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"out 6F 05000000 00 02 00 0000 00A4040000", "in 80 00000000 00 02 40 E0 00",
		"out 6C 00000000 00 03 000000", "in 82 00000000 00 03 40 E0 00",
		"out 65 00000000 00 04 000000", "in 81 00000000 00 04 00 00 00",
		"reply data 9000", "in 80 02000000 00 01 00 00 00 9000"));
}

static void test_a_success_without_sw_is_a_hardware_error(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"reply data 90", "in 80 00000000 00 01 40 FB 00",
		"out 6F 05000000 00 02 00 0000 00A4040000", "call transmit 00A4040000",
		"reply data", "in 80 00000000 00 02 40 FB 00"));
}

static void test_a_transmit_that_never_ends_fails(void **state)
{
	static const char *lines[900 * 2 + 8] = {
		"out 6F 05000000 00 01 00 0000 00A4040000",
		"call transmit 00A4040000",
	};
	size_t n = 2;

	(void)state;
	lines[n++] = "wait 500";
	lines[n++] = "in 80 00000000 00 01 80 01 00";
	for (int i = 0; i < (600000 - 500) / 700; i++) {
		lines[n++] = "wait 700";
		lines[n++] = "in 80 00000000 00 01 80 01 00";
	}
	lines[n++] = "wait 700";
	lines[n++] = "call disconnect";
	lines[n++] = "in 80 00000000 00 01 40 FB 00";
	lines[n++] = "notify 5002";
	play_active(lines);
}

/* ---- outcomes of a transmit: DESIGN.md 6 ---- */

static void test_card_pulled_during_an_apdu(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"card -", "call disconnect", "in 80 00000000 00 01 42 FE 00", "notify 5002",
		"late 2"));
}

static void test_the_host_says_that_the_card_was_removed(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"reply 2", "call disconnect", "in 80 00000000 00 01 42 FE 00", "notify 5002",
		"card -"));
}

static void test_a_foreign_reset_is_a_removal_and_an_insertion(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"reply 3", "call disconnect", "in 80 00000000 00 01 42 FE 00", "notify 5002",
		"out 65 00000000 00 02 000000", "in 81 00000000 00 02 02 00 03", "notify 5003",
		"out 65 00000000 00 03 000000", "in 81 00000000 00 03 01 00 03"));
}

static void test_an_unknown_outcome_is_a_hardware_error_then_a_removal(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"reply 11", "call disconnect", "in 80 00000000 00 01 40 FB 00", "notify 5002"));
}

static void test_a_busy_card_was_not_asked(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"reply 6", "in 80 00000000 00 01 40 E0 00"));
}

static void test_a_failed_exchange_leaves_the_card(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"reply 5", "in 80 00000000 00 01 40 FB 00",
		"out 65 00000000 00 02 000000", "in 81 00000000 00 02 00 00 00"));
}

/* ---- what is not promised, and what is not understood: CCID 1.1, table 6.2-2 ---- */

static void test_unsupported_commands_have_their_own_responses(void **state)
{
	(void)state;
	play_active(LINES("out 69 00000000 00 01 00 0000", "in 80 00000000 00 01 40 00 00",
		"out 6A 00000000 00 02 00 0000", "in 81 00000000 00 02 40 00 00",
		"out 6E 00000000 00 04 00 0000", "in 81 00000000 00 04 40 00 00",
		"out 71 00000000 00 05 01 0000", "in 81 00000000 00 05 40 00 00",
		"out 73 00000000 00 06 00 0000", "in 84 00000000 00 06 40 00 00",
		"out FF 00000000 00 07 00 0000", "in 81 00000000 00 07 40 00 00"));
}

static void test_another_slot_does_not_exist(void **state)
{
	(void)state;
	play_active(LINES("out 65 00000000 01 01 000000", "in 81 00000000 01 01 42 05 00",
		"out 6F 05000000 FF 02 00 0000 00A4040000", "in 80 00000000 FF 02 42 05 00"));
}

static void test_a_wrong_length(void **state)
{
	(void)state;
	play_active(LINES("out 65 01000000 00 01 000000", "in 81 00000000 00 01 40 01 00",
		"out 65 00000000 00 02 000000 00", "in 81 00000000 00 02 40 01 00",
		"out 6F FFFFFFFF 00 03 00 0000 00", "in 80 00000000 00 03 40 01 00",
		"out 62 01000000 00 04 00 0000 00", "in 80 00000000 00 04 40 01 00",
		"out 65 00000000 00 05 0000",
		"out ",
		"out 65 00000000 00 06 000000", "in 81 00000000 00 06 00 00 00"));
}

/* ---- class requests and Abort: CCID 1.1, 5.3 and 6.1.13 ---- */

static void test_clock_and_rate(void **state)
{
	(void)state;
	play(LINES("enable 512", "control A1 02 0000", "answer A00F0000", "control A1 03 0000",
		"answer 012A0000"));
}

static void test_other_requests_stall(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"control A1 01 0200", "answer -1",
		"control 21 01 0201", "answer -1",
		"control 21 02 0000", "answer -1",
		"control 21 03 0000", "answer -1",
		"control 41 01 0200", "answer -1",
		"control A1 04 0000", "answer -1",
		"reply data 9000", "in 80 02000000 00 01 00 00 00 9000"));
}

static void test_abort_by_request_then_message(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"control 21 01 0200", "answer 0",
		"late 2",
		"out 65 00000000 00 05 000000", "in 81 00000000 00 05 40 FF 00",
		"out 72 00000000 00 02 000000", "in 81 00000000 00 02 00 00 00",
		"out 65 00000000 00 03 000000", "in 81 00000000 00 03 00 00 00"));
}

static void test_abort_by_message_then_request(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"out 72 00000000 00 02 000000",
		"control 21 01 0200", "in 81 00000000 00 02 00 00 00",
		"late 2"));
}

static void test_abort_takes_back_an_unread_answer(void **state)
{
	(void)state;
	play_active(LINES("hold",
		"out 6F 05000000 00 01 00 0000 00A4040000", "call transmit 00A4040000",
		"reply data 9000", "in 80 02000000 00 01 00 00 00 9000",
		"control 21 01 0200", "cancel",
		"out 72 00000000 00 02 000000", "in 81 00000000 00 02 00 00 00"));
}

static void test_abort_of_a_chain(void **state)
{
	(void)state;
	play_active(LINES("xfr 01 0001 0 100", "in 80 00000000 00 01 00 00 10",
		"control 21 01 0200", "answer 0",
		"out 72 00000000 00 02 000000", "in 81 00000000 00 02 00 00 00",
		"xfr 03 0002 0 100", "in 80 00000000 00 03 40 08 00"));
}

/* A driver that was killed between the two: libccid would give up a reader that goes on failing. */
static void test_an_abort_request_is_not_waited_for_for_ever(void **state)
{
	(void)state;
	play_active(LINES("control 21 01 0200", "answer 0",
		"wait 2999", "out 65 00000000 00 00 000000", "in 81 00000000 00 00 40 FF 00",
		"wait 1", "out 65 00000000 00 01 000000", "in 81 00000000 00 01 00 00 00",
		"out 72 00000000 00 02 000000", "control 21 01 0200", "in 81 00000000 00 02 00 00 00"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_of_an_empty_slot),
		cmocka_unit_test(test_nothing_is_said_while_disabled),
		cmocka_unit_test(test_insertion_and_removal),
		cmocka_unit_test(test_a_swap_is_shown_as_removal_first),
		cmocka_unit_test(test_a_driver_that_does_not_look_sees_the_new_card_after_a_while),
		cmocka_unit_test(test_each_change_is_notified_once),
		cmocka_unit_test(test_enable_is_a_new_driver),
		cmocka_unit_test(test_a_deserted_card_is_let_go),
		cmocka_unit_test(test_power_on_of_an_empty_slot),
		cmocka_unit_test(test_power_on_twice_is_a_warm_reset),
		cmocka_unit_test(test_power_select_is_accepted_up_to_1_8_volts),
		cmocka_unit_test(test_a_mute_card),
		cmocka_unit_test(test_a_failed_reset_lets_go_of_the_card),
		cmocka_unit_test(test_power_on_is_answered_within_its_bound),
		cmocka_unit_test(test_card_pulled_while_powering),
		cmocka_unit_test(test_power_off_is_instant_and_may_be_repeated),
		cmocka_unit_test(test_power_off_ends_a_running_command),
		cmocka_unit_test(test_power_on_of_a_new_driver_ends_a_running_command),
		cmocka_unit_test(test_an_apdu),
		cmocka_unit_test(test_xfr_block_needs_a_powered_card),
		cmocka_unit_test(test_an_empty_apdu_is_refused),
		cmocka_unit_test(test_time_extensions),
		cmocka_unit_test(test_an_unread_extension_is_not_followed_by_another),
		cmocka_unit_test(test_an_unread_answer_is_taken_back_for_the_next_command),
		cmocka_unit_test(test_a_second_command_finds_the_slot_busy),
		cmocka_unit_test(test_a_success_without_sw_is_a_hardware_error),
		cmocka_unit_test(test_a_transmit_that_never_ends_fails),
		cmocka_unit_test(test_card_pulled_during_an_apdu),
		cmocka_unit_test(test_the_host_says_that_the_card_was_removed),
		cmocka_unit_test(test_a_foreign_reset_is_a_removal_and_an_insertion),
		cmocka_unit_test(test_an_unknown_outcome_is_a_hardware_error_then_a_removal),
		cmocka_unit_test(test_a_busy_card_was_not_asked),
		cmocka_unit_test(test_a_failed_exchange_leaves_the_card),
		cmocka_unit_test(test_unsupported_commands_have_their_own_responses),
		cmocka_unit_test(test_another_slot_does_not_exist),
		cmocka_unit_test(test_a_wrong_length),
		cmocka_unit_test(test_clock_and_rate),
		cmocka_unit_test(test_other_requests_stall),
		cmocka_unit_test(test_abort_by_request_then_message),
		cmocka_unit_test(test_abort_by_message_then_request),
		cmocka_unit_test(test_abort_takes_back_an_unread_answer),
		cmocka_unit_test(test_abort_of_a_chain),
		cmocka_unit_test(test_an_abort_request_is_not_waited_for_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
