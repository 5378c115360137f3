/*
 * Conversations about parameters and protocols: CCID 1.1, 6.1.5 to 6.1.7, and 6.1.4 for what
 * follows from them. player.h has the language; test_atr.c has the values, test_errors.c the
 * errors.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ccid/player.h"

/* An empty slot that gets a card, which is powered on; bSeq 00. */
#define POWER_ON                                                                                   \
	"enable 512", "card 1", "notify 5003", "out 62 00000000 00 00 00 0000",                    \
		"call connect unpower 3"

/* Parameters for T=0, bSeq 01, and for T=1, bSeq 02; both are accepted. */
#define SET_T0                                                                                     \
	"out 61 05000000 00 01 00 0000 11 00 00 0A 00",                                            \
		"in 82 05000000 00 01 00 00 00 11 00 00 0A 00"
#define SET_T1                                                                                     \
	"out 61 07000000 00 02 01 0000 11 10 00 4D 00 20 00",                                      \
		"in 82 07000000 00 02 00 00 01 11 10 00 4D 00 20 00"

/* An APDU, bSeq 03, without and with its response. */
#define APDU "out 6F 05000000 00 03 00 0000 00A4040000"
#define APDU_WORKS                                                                                 \
	"call transmit 00A4040000", "reply data 9000", "in 80 02000000 00 03 00 00 00 9000"

/* ---- values and errors ---- */

static void test_parameters_come_from_the_atr(void **state)
{
	(void)state;
	play_active(LINES("out 6C 00000000 00 01 000000",
		"in 82 07000000 00 01 00 00 01 11 10 00 4D 00 20 00"));
}

static void test_set_parameters_is_echoed(void **state)
{
	(void)state;
	play_active(LINES("out 61 07000000 00 01 01 0000 95 10 00 45 00 FE 00",
		"in 82 07000000 00 01 00 00 01 95 10 00 45 00 FE 00",
		"out 6C 00000000 00 02 000000",
		"in 82 07000000 00 02 00 00 01 95 10 00 45 00 FE 00",
		"out 6D 00000000 00 03 000000",
		"in 82 07000000 00 03 00 00 01 11 10 00 4D 00 20 00"));
}

static void test_another_protocol_is_switched_to_before_the_next_apdu(void **state)
{
	(void)state;
	play_active(LINES("out 61 05000000 00 01 00 0000 11 00 00 0A 00",
		"in 82 05000000 00 01 00 00 00 11 00 00 0A 00",
		"out 6F 05000000 00 02 00 0000 00A4040000", "call connect reset 1",
		"wait 500", "in 80 00000000 00 02 80 01 00",
		"reply connect T0 3B80800101", "call transmit 00A4040000",
		"reply data 9000", "in 80 02000000 00 02 00 00 00 9000",
		"out 6F 05000000 00 03 00 0000 00A4040000", "call transmit 00A4040000",
		"reply data 9000", "in 80 02000000 00 03 00 00 00 9000"));
}

static void test_a_protocol_that_the_host_refuses(void **state)
{
	(void)state;
	play_active(LINES("out 61 05000000 00 01 00 0000 11 00 00 0A 00",
		"in 82 05000000 00 01 00 00 00 11 00 00 0A 00",
		"out 6F 05000000 00 02 00 0000 00A4040000", "call connect reset 1",
		"reply 7", "in 80 00000000 00 02 40 F6 00"));
}

static void test_set_parameters_refuses_what_is_wrong(void **state)
{
	(void)state;
	play_active(LINES("out 61 05000000 00 01 02 0000 11 00 00 0A 00",
		"in 82 00000000 00 01 40 07 00",
		"out 61 05000000 00 02 01 0000 11 00 00 0A 00",
		"in 82 00000000 00 02 40 01 00"));
}

static void test_set_parameters_refuses_a_protocol_that_the_card_lacks(void **state)
{
	(void)state;
	play(LINES("enable 512", "card 1", "notify 5003",
		"out 62 00000000 00 00 00 0000", "call connect unpower 3",
		"reply connect T0 3B00", "in 80 02000000 00 00 00 00 00 3B00",
		"out 61 07000000 00 01 01 0000 95 10 00 45 00 FE 00",
		"in 82 00000000 00 01 40 07 00"));
}

/* ---- which protocol the next APDU goes in ---- */

static void test_the_same_protocol_needs_no_switch(void **state)
{
	(void)state;
	play_active(LINES(SET_T1, APDU, APDU_WORKS));
}

static void test_a_choice_that_is_taken_back_needs_no_switch(void **state)
{
	(void)state;
	play_active(LINES(SET_T0, SET_T1, APDU, APDU_WORKS));
}

static void test_there_and_back(void **state)
{
	(void)state;
	play_active(LINES(
		SET_T0, APDU, "call connect reset 1", "reply connect T0 3B80800101", APDU_WORKS,
		SET_T1, APDU, "call connect reset 2", "reply connect T1 3B80800101", APDU_WORKS,
		SET_T0, APDU, "call connect reset 1", "reply connect T0 3B80800101", APDU_WORKS,
		APDU, APDU_WORKS));
}

static void test_a_command_in_parts_waits_for_the_switch(void **state)
{
	(void)state;
	play_active(LINES(SET_T0,
		"xfr 04 0001 0 2055", "in 80 00000000 00 04 00 00 10",
		"xfr 05 0002 2055 100", "call connect reset 1",
		"reply connect T0 3B80800101", "call pattern 2155",
		"reply data 9000", "in 80 02000000 00 05 00 00 00 9000"));
}

/* What the card speaks after that, nobody knows: also the old protocol has to be asked for. */
static void test_after_a_refused_switch_the_old_protocol_is_asked_for(void **state)
{
	(void)state;
	play_active(LINES(SET_T0, APDU, "call connect reset 1",
		"reply 7", "in 80 00000000 00 03 40 F6 00",
		APDU, "call connect reset 1", "reply 7", "in 80 00000000 00 03 40 F6 00",
		SET_T1, APDU, "call connect reset 2", "reply connect T1 3B80800101", APDU_WORKS,
		APDU, APDU_WORKS));
}

static void test_a_host_that_chooses_another_protocol(void **state)
{
	(void)state;
	play_active(LINES(SET_T0, APDU, "call connect reset 1",
		"reply connect T1 3B80800101", "in 80 00000000 00 03 40 F6 00"));
}

/* Somebody else has the card: it was not reset, and speaks what it did. */
static void test_a_card_that_is_busy_when_it_should_switch(void **state)
{
	(void)state;
	play_active(LINES(SET_T0, APDU, "call connect reset 1",
		"reply 6", "in 80 00000000 00 03 40 E0 00",
		SET_T1, APDU, APDU_WORKS));
}

static void test_a_card_that_is_pulled_when_it_should_switch(void **state)
{
	(void)state;
	play_active(LINES(SET_T0, APDU, "call connect reset 1",
		"card -", "call disconnect", "in 80 00000000 00 03 42 FE 00", "notify 5002",
		"late 2"));
}

static void test_a_card_that_is_mute_after_the_switch(void **state)
{
	(void)state;
	play_active(LINES(SET_T0, APDU, "call connect reset 1",
		"reply 4", "call disconnect", "in 80 00000000 00 03 42 FE 00", "notify 5002"));
}

static void test_reset_parameters_goes_back_to_the_first_protocol(void **state)
{
	(void)state;
	play_active(LINES(
		SET_T0, APDU, "call connect reset 1", "reply connect T0 3B80800101", APDU_WORKS,
		"out 6D 00000000 00 04 000000",
		"in 82 07000000 00 04 00 00 01 11 10 00 4D 00 20 00",
		APDU, "call connect reset 2", "reply connect T1 3B80800101", APDU_WORKS));
}

static void test_power_on_begins_anew(void **state)
{
	(void)state;
	play_active(LINES(SET_T0,
		"out 62 00000000 00 04 00 0000", "call connect reset 3",
		"reply connect T1 3B80800101", "in 80 05000000 00 04 00 00 00 3B80800101",
		"out 6C 00000000 00 05 000000",
		"in 82 07000000 00 05 00 00 01 11 10 00 4D 00 20 00",
		APDU, APDU_WORKS));
}

/* ---- ATRs that are not as they should be ---- */

/* The host's reader uses T=1, whatever TCK says; and so the driver may. The ATR is the card's. */
static void test_a_wrong_tck_takes_no_protocol_away(void **state)
{
	(void)state;
	play(LINES(POWER_ON,
		"reply connect T1 3B80800100", "in 80 05000000 00 00 00 00 00 3B80800100",
		SET_T1, SET_T0, APDU, "call connect reset 1", "reply connect T0 3B80800100",
		APDU_WORKS));
}

static void test_garbage_for_an_atr_is_shown_as_it_is(void **state)
{
	(void)state;
	play(LINES(POWER_ON,
		"reply connect T1 FF", "in 80 01000000 00 00 00 00 00 FF",
		"out 6C 00000000 00 01 000000",
		"in 82 07000000 00 01 00 00 01 11 10 00 4D 00 20 00",
		SET_T1, APDU, APDU_WORKS));
}

/*
 * F, D, BWI and IFSC are RFU, and there are cards like that: drivers set what they read in the
 * ATR.
 */
static void test_values_that_are_wrong_in_the_atr_can_be_set(void **state)
{
	(void)state;
	play(LINES(POWER_ON,
		"reply connect T1 3B907A8131FFAD08",
		"in 80 08000000 00 00 00 00 00 3B907A8131FFAD08",
		"out 6C 00000000 00 01 000000",
		"in 82 07000000 00 01 00 00 01 7A 10 00 AD 00 FF 00",
		"out 61 07000000 00 02 01 0000 7A 10 00 AD 00 FF 00",
		"in 82 07000000 00 02 00 00 01 7A 10 00 AD 00 FF 00",
		"out 61 07000000 00 03 01 0000 7B 10 00 AD 00 FF 00",
		"in 82 00000000 00 03 40 0A 00",
		"out 61 07000000 00 04 01 0000 11 10 00 BD 00 FF 00",
		"in 82 00000000 00 04 40 0D 00",
		"out 61 07000000 00 05 01 0000 11 10 00 4D 00 20 00",
		"in 82 07000000 00 05 00 00 01 11 10 00 4D 00 20 00"));
}

/* GnuPG's driver sets these whatever the ATR says: F 0 is 372, and IFSC is the host's own. */
static void test_the_values_of_gnupg_are_good(void **state)
{
	(void)state;
	play_active(LINES("out 61 07000000 00 01 01 0000 01 10 00 41 00 FE 00",
		"in 82 07000000 00 01 00 00 01 01 10 00 41 00 FE 00"));
}

/* ISO/IEC 7816-3:2006, 6.3.1: TA2 is 01, the card will not be asked for T=0. */
static void test_specific_mode_has_one_protocol(void **state)
{
	(void)state;
	play(LINES(POWER_ON,
		"reply connect T1 3B809081 01 90", "in 80 06000000 00 00 00 00 00 3B8090810190",
		"out 61 05000000 00 01 00 0000 11 00 00 0A 00",
		"in 82 00000000 00 01 40 07 00",
		SET_T1, APDU, APDU_WORKS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters_come_from_the_atr),
		cmocka_unit_test(test_set_parameters_is_echoed),
		cmocka_unit_test(test_another_protocol_is_switched_to_before_the_next_apdu),
		cmocka_unit_test(test_a_protocol_that_the_host_refuses),
		cmocka_unit_test(test_set_parameters_refuses_what_is_wrong),
		cmocka_unit_test(test_set_parameters_refuses_a_protocol_that_the_card_lacks),
		cmocka_unit_test(test_the_same_protocol_needs_no_switch),
		cmocka_unit_test(test_a_choice_that_is_taken_back_needs_no_switch),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_a_command_in_parts_waits_for_the_switch),
		cmocka_unit_test(test_after_a_refused_switch_the_old_protocol_is_asked_for),
		cmocka_unit_test(test_a_host_that_chooses_another_protocol),
		cmocka_unit_test(test_a_card_that_is_busy_when_it_should_switch),
		cmocka_unit_test(test_a_card_that_is_pulled_when_it_should_switch),
		cmocka_unit_test(test_a_card_that_is_mute_after_the_switch),
		cmocka_unit_test(test_reset_parameters_goes_back_to_the_first_protocol),
		cmocka_unit_test(test_power_on_begins_anew),
		cmocka_unit_test(test_a_wrong_tck_takes_no_protocol_away),
		cmocka_unit_test(test_garbage_for_an_atr_is_shown_as_it_is),
		cmocka_unit_test(test_values_that_are_wrong_in_the_atr_can_be_set),
		cmocka_unit_test(test_the_values_of_gnupg_are_good),
		cmocka_unit_test(test_specific_mode_has_one_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
