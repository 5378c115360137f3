/*
 * The PIN guard: which card and which application a try belongs to, and what its memory forgets.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/bridge/guard_player.h"
#include "tests/unit/bridge/hex.h"

static void test_applications(void **state)
{
	static const struct step asked[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, WRONG, "63C3 63C3", "63C2" },
		{ 0, WRONG, "63C2", "63C1" },
		{ 0, APPLICATION_2, "", "9000" },
		{ 0, RIGHT, "63C9", "9000" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, WRONG, "63C1", "refused" },
	};
	static const struct step memory[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, WRONG, "", "63C2" },
		{ 0, APPLICATION_2, "", "9000" },
		/* The other application's PIN is known to be right, and to have nine tries. */
		{ 0, RIGHT, "", "9000" },
		{ 0, WRONG, "", "63C8" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, WRONG, "", "63C1" },
		{ 0, WRONG, "", "refused" },
		{ 0, APPLICATION_2, "", "9000" },
		{ 0, RIGHT, "", "refused" },
	};
	/* Tries that were used in one may be given back there, and no more than these. */
	static const struct step silent[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, WRONG, "", "6982" },
		{ 0, APPLICATION_2, "", "9000" },
		{ 0, WRONG, "", "6982" },
		{ 1, "open 3B01", "", "" },
		{ 1, APPLICATION_2, "", "9000" },
		{ 1, RIGHT, "", "9000" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, WRONG, "", "6982" },
		{ 0, WRONG, "", "refused" },
	};
	static const struct step channels[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, "01 A4 04 00 02 A002", "", "9000" },
		{ 0, WRONG, "", "63C2" },
		{ 0, "01 20 00 81 04 31323334", "", "9000" },
		{ 0, WRONG, "", "63C1" },
		{ 0, WRONG, "", "refused" },
	};

	(void)state;
	CONVERSE("two applications", KEEP(1, 0, 0), true, asked);
	CONVERSE("two, from memory", KEEP(1, 0, 0), false, memory);
	CONVERSE("two that don't say", KEEP(1, 0, 0), false, silent);
	CONVERSE("two channels", KEEP(1, 0, 0), false, channels);
}

static void test_cards(void **state)
{
	static const struct step atrs[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C1" },
		{ 0, "close", "", "" },
		/* The warm ATR of the same card, in the same insertion. */
		{ 0, "open 3B0201", "", "" },
		{ 0, WRONG, "", "refused" },
		{ 0, "close", "", "" },
		{ 0, "move 3B0201", "", "" },
		{ 0, WRONG, "", "refused" },
	};
	static const struct step closed[] = {
		{ 0, WRONG, "", "refused" },
		{ 0, "00 A4 04 00", "", "6A82" },
		{ 2, WRONG, "", "63C2" },
	};

	(void)state;
	CONVERSE("two ATRs", KEEP(1, 0, 0), false, atrs);
	CONVERSE("a card of which nothing can be remembered", KEEP(1, 0, 0), true, closed);
}

/* Who is open is not forgotten, and of the others those that were opened longest ago. */
static void test_forgetting(void **state)
{
	struct pin_handle handle = PIN_HANDLE_CLOSED, other = PIN_HANDLE_CLOSED;
	static const struct step first[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C1" },
	};
	static const struct step again[] = {
		{ 0, WRONG, "", "refused" },
	};
	uint8_t atr[3] = { 0x3B, 0xFF, 0 };

	(void)state;
	CONVERSE("remembered", KEEP(1, 0, 0), false, first);
	for (unsigned int i = 0; i < 3 * PIN_GUARD_CARDS; i++) {
		atr[2] = (uint8_t)i;
		pin_guard_open(&play.guard, &handle, 9, i, (struct payload_view){ atr, sizeof atr });
		assert_non_null(handle.card);
	}
	pin_guard_close(&handle);
	assert_null(guard_step(&again[0]));
	/* The two that were opened last are there; the place of one of the others was taken. */
	pin_guard_open(&play.guard, &handle, 9, 0, (struct payload_view){ atr, sizeof atr });
	atr[2]--;
	pin_guard_open(&play.guard, &other, 9, 1, (struct payload_view){ atr, sizeof atr });
	assert_true(handle.card != other.card);
	assert_true(handle.card->opened > 3 * PIN_GUARD_CARDS);
}

/* A file may hold anything. */
static void test_recall(void **state)
{
	uint8_t *bytes = (uint8_t *)&play.guard;
	struct pin_command command;
	uint8_t apdu[16];
	const struct payload_view view = hex_bytes(WRONG, apdu);
	struct pin_handle handle = PIN_HANDLE_CLOSED;

	(void)state;
	handle.keep = 1;
	pin_command_read(view, &command);
	for (unsigned int round = 0; round < 20; round++) {
		srand(round);
		for (size_t i = 0; i < sizeof play.guard; i++)
			bytes[i] = (uint8_t)(rand() >> 7);
		pin_guard_recall(&play.guard);
		pin_guard_open(&play.guard, &handle, 1, 1, view);
		assert_int_not_equal(pin_guard_judge(&handle, &command), PIN_ASK);
		pin_guard_close(&handle);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_applications),
		cmocka_unit_test(test_cards),
		cmocka_unit_test(test_forgetting),
		cmocka_unit_test(test_recall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
