/*
 * Conversations about PC_to_RDR_Escape, to be read beside CCID 1.1, 6.1.8 and 6.2.4. player.h has
 * the language.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ccid/player.h"

#define ESCAPE_OUT "out 6B 02000000 00 01 00 0000 0A0B"
#define ESCAPE_CALL "call escape 0A0B"

static void test_an_escape(void **state)
{
	(void)state;
	play_active(LINES(ESCAPE_OUT, ESCAPE_CALL,
		"reply data 0C0D0E", "in 83 03000000 00 01 00 00 00 0C0D0E"));
}

static void test_no_data_is_data(void **state)
{
	(void)state;
	play_active(LINES("out 6B 00000000 00 01 00 0000", "call escape ",
		"reply data", "in 83 00000000 00 01 00 00 00"));
}

static void test_no_card_is_needed(void **state)
{
	(void)state;
	play(LINES("enable 512", ESCAPE_OUT, ESCAPE_CALL,
		"reply data 0C", "in 83 01000000 00 01 02 00 00 0C",
		"card 1", "notify 5003",
		ESCAPE_OUT, ESCAPE_CALL, "reply data 0C", "in 83 01000000 00 01 01 00 00 0C"));
}

static void test_time_extensions(void **state)
{
	(void)state;
	play_active(LINES(ESCAPE_OUT, ESCAPE_CALL,
		"wait 499", "wait 1", "in 83 00000000 00 01 80 01 00",
		"wait 699", "wait 1", "in 83 00000000 00 01 80 01 00",
		"reply data 0C", "in 83 01000000 00 01 00 00 00 0C",
		"wait 5000"));
}

static void test_an_escape_that_never_ends(void **state)
{
	static const char *lines[900 * 2 + 16] = { ESCAPE_OUT, ESCAPE_CALL };
	size_t n = 2;

	(void)state;
	lines[n++] = "wait 500";
	lines[n++] = "in 83 00000000 00 01 80 01 00";
	for (int i = 0; i < (600000 - 500) / 700; i++) {
		lines[n++] = "wait 700";
		lines[n++] = "in 83 00000000 00 01 80 01 00";
	}
	lines[n++] = "wait 700";
	lines[n++] = "call cancel";
	lines[n++] = "call disconnect";
	lines[n++] = "in 83 00000000 00 01 40 FB 00";
	lines[n++] = "notify 5002";
	play_active(lines);
}

static void test_outcomes(void **state)
{
	(void)state;
	play_active(LINES(
		ESCAPE_OUT, ESCAPE_CALL, "reply 12", "in 83 00000000 00 01 40 00 00", /* forbidden */
		ESCAPE_OUT, ESCAPE_CALL, "reply 13", "in 83 00000000 00 01 40 FF 00", /* cancelled */
		ESCAPE_OUT, ESCAPE_CALL, "reply 6", "in 83 00000000 00 01 40 E0 00",  /* busy */
		ESCAPE_OUT, ESCAPE_CALL, "reply 5", "in 83 00000000 00 01 40 FB 00",  /* failed */
		ESCAPE_OUT, ESCAPE_CALL,
		"reply 11", "call disconnect", "in 83 00000000 00 01 40 FB 00", "notify 5002"));
}

/* One byte more than the driver can read in a message; it can't be chained. */
static void test_a_long_answer(void **state)
{
	(void)state;
	play_active(LINES(ESCAPE_OUT, ESCAPE_CALL, "reply pattern 2056",
		"in 83 00000000 00 01 40 FB 00",
		ESCAPE_OUT, ESCAPE_CALL, "reply pattern 3 asked 12", "in 83 03000000 00 01 00 00 00 00070E",
		ESCAPE_OUT, ESCAPE_CALL, "reply pattern 4097 asked 4106", "in 83 00000000 00 01 40 FB 00"));
}

static void test_a_card_that_comes_and_goes_is_no_matter(void **state)
{
	(void)state;
	play(LINES("enable 512", ESCAPE_OUT, ESCAPE_CALL, "card 1", "notify 5003",
		"card -", "notify 5002",
		"reply data 0C", "in 83 01000000 00 01 02 00 00 0C"));
}

static void test_the_slot_is_busy_meanwhile(void **state)
{
	(void)state;
	play_active(LINES(ESCAPE_OUT, ESCAPE_CALL,
		"out 6F 05000000 00 02 00 0000 00A4040000", "in 80 00000000 00 02 40 E0 00",
		"out 6B 00000000 00 03 00 0000", "in 83 00000000 00 03 40 E0 00",
		"out 65 00000000 00 04 000000", "in 81 00000000 00 04 00 00 00",
		"reply data 0C", "in 83 01000000 00 01 00 00 00 0C"));
}

static void test_abort(void **state)
{
	(void)state;
	play_active(LINES(ESCAPE_OUT, ESCAPE_CALL,
		"control 21 01 0200", "call cancel", "call disconnect", "notify 5002",
		"late 2",
		"out 72 00000000 00 02 000000", "in 81 00000000 00 02 02 00 03"));
}

/* The card had no power that it could lose. */
static void test_abort_without_a_powered_card(void **state)
{
	(void)state;
	play(LINES("enable 512", "card 1", "notify 5003",
		ESCAPE_OUT, ESCAPE_CALL,
		"out 72 00000000 00 02 000000", "call cancel",
		"control 21 01 0200", "in 81 00000000 00 02 01 00 03",
		"late 1",
		"out 65 00000000 00 03 000000", "in 81 00000000 00 03 01 00 03"));
}

static void test_power_off(void **state)
{
	(void)state;
	play_active(LINES(ESCAPE_OUT, ESCAPE_CALL,
		"out 63 00000000 00 02 000000", "call cancel", "call disconnect",
		"in 81 00000000 00 02 01 00 03",
		"late 2"));
}

static void test_a_wrong_length(void **state)
{
	(void)state;
	play_active(LINES("out 6B 03000000 00 01 00 0000 0A0B", "in 83 00000000 00 01 40 01 00"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_escape),
		cmocka_unit_test(test_no_data_is_data),
		cmocka_unit_test(test_no_card_is_needed),
		cmocka_unit_test(test_time_extensions),
		cmocka_unit_test(test_an_escape_that_never_ends),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_a_long_answer),
		cmocka_unit_test(test_a_card_that_comes_and_goes_is_no_matter),
		cmocka_unit_test(test_the_slot_is_busy_meanwhile),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_abort_without_a_powered_card),
		cmocka_unit_test(test_power_off),
		cmocka_unit_test(test_a_wrong_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
