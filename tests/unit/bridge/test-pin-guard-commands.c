/*
 * The PIN guard: which commands it takes for a verification, in whatever form they come.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/bridge/guard_player.h"

static void test_relatives(void **state)
{
	static const struct step change[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "00 24 00 81 04 31323334", "63C3 63C3", "63C2" },
		{ 0, "00 26 00 81 02 3132", "63C2", "63C1" },
		{ 0, "00 28 00 81 02 3132", "63C1", "refused" },
		{ 0, "00 21 00 81 02 3132", "63C1", "refused" },
		{ 0, "00 25 00 81 02 3132", "63C1", "refused" },
		{ 0, "00 20 00 81 08", "63C1", "refused" },
		{ 0, "00 20 00 81 000000", "63C1", "refused" },
		{ 0, "00 20 00", "", "refused" },
		{ 0, "00 C2 00 00 02 0020", "", "refused" },
		/* Another channel is another application, perhaps. */
		{ 0, "01 20 00 81 02 3132", "63C1", "refused" },
		{ 0, "42 20 00 81 02 3132", "63C1", "refused" },
		/* Nothing else is refused. */
		{ 0, "00 A4 04 00 02 A001", "", "9000" },
		{ 0, "00 2A 9E 9A 02 0102", "", "6982" },
		{ 0, "00 20", "", "refused" },
		{ 0, "00 B0 00 81 00", "", "9000" },
	};
	static const struct step code[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C1" },
		{ 0, WRONG, "", "refused" },
		/* Of a resetting code nobody can be asked; it has a counter of its own. */
		{ 0, "00 2C 00 81 04 31323334", "", "63C2" },
		{ 0, "00 2C 00 81 04 31323334", "", "9000" },
		/* It has given back the PIN's tries. */
		{ 0, WRONG, "", "63C2" },
		{ 0, "00 2C 00 81 04 31323334", "", "63C2" },
		{ 0, "00 2D 00 81 04 31323334", "", "63C1" },
		{ 0, "00 2C 00 81 04 31323334", "", "refused" },
		{ 0, "00 2C 02 81 04 31323334", "", "refused" },
	};
	static const struct step unproven[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C1" },
		{ 1, "open 3B01", "", "" },
		/* None of these holds a PIN that 9000 proves. */
		{ 1, "00 24 01 81 04 31323334", "", "9000" },
		{ 1, "00 20 FF 81 04 31323334", "", "9000" },
		{ 1, "00 28 01 81", "", "9000" },
		{ 1, "80 20 00 81 04 31323334", "", "9000" },
		{ 1, "00 20 00 81 000000", "", "9000" },
		{ 1, ASK, "", "9000" },
		{ 0, WRONG, "", "refused" },
		{ 1, RIGHT, "", "9000" },
		{ 0, WRONG, "", "63C1" },
	};

	(void)state;
	CONVERSE("relatives of VERIFY", KEEP(1, 0, 0), true, change);
	CONVERSE("resetting code", KEEP(1, 0, 0), false, code);
	CONVERSE("9000 that proves nothing", KEEP(1, 0, 0), false, unproven);
}

/* A card may not look at the class, and it may take the same instruction for something else. */
static void test_proprietary(void **state)
{
	static const struct step lower[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "80 20 00 81 04 31323334", "", "63C2" },
		{ 0, "A0 20 00 81 04 31323334", "", "lost" },
		{ 0, WRONG, "63C1", "refused" },
		{ 0, "FF 20 00 81 04 31323334", "", "refused" },
		{ 0, "80 20 00 81", "", "refused" },
	};
	static const struct step own[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "A0 20 00 01 04 31323334", "", "9804" },
		{ 0, "A0 20 00 01 04 31323334", "", "9000" },
		{ 0, "A0 20 00 01 04 31323334", "", "9804" },
		{ 0, "A0 20 00 01 04 31323334", "", "9804" },
		{ 0, "A0 20 00 01 04 31323334", "", "refused" },
		{ 0, "00 20 00 01 04 31323334", "", "refused" },
	};

	/* What is in flight in one class may be the same PIN's. */
	static const struct step flying[] = {
		{ 0, "open 3B01", "", "" },
		{ 1, "open 3B01", "", "" },
		{ 0, WRONG, "", "flying" },
		{ 1, "80 20 00 81 04 31323334", "", "refused" },
		{ 0, "back", "", "9000" },
		{ 1, "80 20 00 81 04 31323334", "", "flying" },
		{ 0, WRONG, "", "refused" },
	};
	/* And a number that is told in one never raises the other. */
	static const struct step higher[] = {
		{ 0, "open 3B01", "", "" },
		{ 1, "open 3B01", "", "" },
		{ 0, "80 20 00 81 04 31323334", "", "lost" },
		{ 0, "80 20 00 81 04 31323334", "", "lost" },
		{ 1, WRONG, "", "63C5" },
		{ 0, "80 20 00 81 04 31323334", "", "refused" },
		{ 0, WRONG, "", "63C4" },
	};

	(void)state;
	CONVERSE("in flight in another class", KEEP(2, 2, 0), false, flying);
	CONVERSE("a higher number in another class", KEEP(1, 0, 0), false, higher);
	CONVERSE("the class is ignored", KEEP(1, 0, 0), true, lower);
	CONVERSE("a SIM", KEEP(1, 0, 0), false, own);
}

static void test_chains(void **state)
{
	static const struct step chain[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "10 20 00 81 02 3132", "63C3 63C3", "9000" },
		{ 0, "10 20 00 81 02 3132", "", "9000" },
		{ 0, "00 20 00 81 02 3132", "", "63C2" },
		{ 0, "10 20 00 81 02 3132", "63C2", "9000" },
		/* Others see the try as used, while it is not ended. */
		{ 1, "open 3B01", "", "" },
		{ 1, WRONG, "63C2", "refused" },
		{ 0, "00 20 00 81 02 3132", "", "63C1" },
		{ 0, "10 20 00 81 02 3132", "63C1", "refused" },
		{ 0, "00 20 00 81 02 3132", "63C1", "refused" },
	};
	static const struct step broken[] = {
		{ 0, "open 3B01", "", "" },
		/* 9000 to a part proves nothing; a chain that isn't ended has used its try. */
		{ 0, "10 20 00 81 02 3132", "", "9000" },
		{ 0, "00 B0 00 00 00", "", "6982" },
		{ 0, "10 20 00 81 02 3132", "", "9000" },
		{ 0, "00 20 00 82 02 3132", "", "63C2" },
		{ 0, "10 20 00 81 02 3132", "", "refused" },
		{ 0, "00 20 00 81 02 3132", "", "refused" },
	};
	/* The try of a chain is one, however it ends. */
	static const struct step lost[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "10 20 00 81 02 3132", "", "9000" },
		{ 0, "00 20 00 81 02 3132", "", "lost" },
		{ 0, WRONG, "", "lost" },
		{ 0, WRONG, "", "refused" },
	};
	/* The next part in another class is the beginning of another one. */
	static const struct step other_class[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "10 20 00 81 02 3132", "", "9000" },
		{ 0, "90 20 00 81 02 3132", "", "refused" },
	};
	static const struct step ignored[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "10 20 00 81 02 3132", "", "63C2" },
		{ 0, "10 20 00 81 02 3132", "", "63C1" },
		{ 0, "10 20 00 81 02 3132", "", "refused" },
	};
	static const struct step envelope[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "00 C2 00 00 09 0020008104 31323334", "", "9000" },
		{ 0, "00 C2 00 00 09 0020008104 31323334", "", "9000" },
		{ 0, "00 C2 00 00 09 0020008104 31323334", "", "refused" },
	};

	(void)state;
	CONVERSE("a chain", KEEP(1, 1, 0), true, chain);
	CONVERSE("a broken chain", KEEP(1, 0, 0), false, broken);
	CONVERSE("a chain whose end is lost", KEEP(1, 0, 0), false, lost);
	CONVERSE("a chain in two classes", KEEP(2, 0, 0), false, other_class);
	CONVERSE("the chain's bit is ignored", KEEP(1, 0, 0), false, ignored);
	CONVERSE("envelopes", KEEP(1, 0, 0), true, envelope);
}

/* Within secure messaging nothing is asked, and 9000 lowers nothing and raises nothing. */
static void test_secured(void **state)
{
	static const struct step steps[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "0C 20 00 81 02 3132", "", "9000" },
		{ 0, "0C 20 00 81 02 3132", "", "63C2" },
		{ 0, "0C 20 00 81 02 3132", "", "9000" },
		{ 0, "0C 20 00 81 02 3132", "", "63C1" },
		{ 0, "0C 20 00 81 02 3132", "", "refused" },
		{ 0, "60 20 00 81 02 3132", "", "refused" },
		/* Without a status that says so, the right PIN is not believed. */
		{ 0, "0C 20 00 82 02 3132", "", "0000" },
		{ 0, "0C 20 00 82 02 3132", "", "0000" },
		{ 0, "0C 20 00 82 02 3132", "", "refused" },
	};

	(void)state;
	CONVERSE("secure messaging", KEEP(1, 0, 0), true, steps);
}

#define PAD(apdu) "pad 00 1E 82 48 03 0804 02 01 0904 05 000000 " apdu

static void test_pin_pad(void **state)
{
	static const struct step asked[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, PAD("00200081 08 FFFFFFFFFFFFFFFF"), "63C3 63C3", "63C2" },
		{ 0, PAD("00200081"), "63C2", "6401" },
		{ 0, PAD("00200081"), "63C2", "63C1" },
		{ 0, PAD("00200081"), "63C1", "refused" },
	};
	static const struct step memory[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, PAD("00200081"), "", "6400" },
		{ 0, PAD("00200081"), "", "6401" },
		{ 0, PAD("00200081"), "", "6403" },
		{ 0, PAD("00DA0081"), "", "lost" },
		{ 0, PAD("00200081"), "", "63C1" },
		{ 0, WRONG, "", "refused" },
		{ 0, PAD("00DA0081"), "", "refused" },
		{ 0, "pad 04", "", "refused" },
		/* From the card itself, the same words say nothing. */
		{ 0, OTHER_PIN, "", "6400" },
		{ 0, OTHER_PIN, "", "6401" },
		{ 0, OTHER_PIN, "", "refused" },
	};

	(void)state;
	CONVERSE("a PIN pad", KEEP(1, 0, 0), true, asked);
	CONVERSE("a PIN pad, from memory", KEEP(1, 0, 0), false, memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relatives),
		cmocka_unit_test(test_proprietary),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_secured),
		cmocka_unit_test(test_pin_pad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
