/*
 * The PIN guard: how many tries it believes a card to have, by asking and from memory.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/bridge/guard_player.h"

/* ---- cards that can be asked ---- */

static void test_asked(void **state)
{
	static const struct step steps[] = {
		{ 0, "open 3B01", "", "" },
		/* The first question is put twice, to see whether it counts. */
		{ 0, WRONG, "63C3 63C3", "63C2" },
		{ 0, WRONG, "63C2", "63C1" },
		{ 0, WRONG, "63C1", "refused" },
		{ 0, WRONG, "63C1", "refused" },
		{ 0, RIGHT, "63C1", "refused" },
		/* Somebody on the host has entered the right PIN: after the card's reset it says so. */
		{ 0, WRONG, "63C3", "63C2" },
		/* Somebody there has used a try, and then it is blocked. */
		{ 0, WRONG, "63C1", "refused" },
		{ 0, WRONG, "6983", "refused" },
		/* Another reference is another PIN. */
		{ 0, OTHER_PIN, "63C3", "9000" },
		/* "Verified" doesn't say how many are left; memory knows. */
		{ 0, OTHER_PIN, "9000", "9000" },
		{ 0, RIGHT, "9000", "refused" },
		/* The guest's own questions pass, whatever is left. */
		{ 0, ASK, "", "6983" },
		{ 0, ASK, "", "63C1" },
	};

	(void)state;
	CONVERSE("a card that says how many", KEEP(1, 0, 0), true, steps);
}

static void test_keep_more(void **state)
{
	static const struct step steps[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "63CA 63CA", "63C9" },
		{ 0, WRONG, "63C9", "63C8" },
		{ 0, WRONG, "63C8", "refused" },
	};
	static const struct step unknown[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "6A88", "refused" },
	};

	(void)state;
	CONVERSE("eight of ten", KEEP(8, 0, 0), true, steps);
	CONVERSE("of a card that doesn't say", KEEP(3, 0, 0), true, unknown);
}

/* A card of old: an empty VERIFY is a wrong PIN. The second question finds out, the last is never put. */
static void test_question_counts(void **state)
{
	static const struct step five[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, RIGHT, "63C4 63C3", "9000" },
		{ 0, WRONG, "", "63C4" },
		{ 0, WRONG, "", "63C3" },
		{ 0, ASK, "", "63C2" },
		{ 0, ASK, "", "63C1" },
		{ 0, ASK, "", "refused" },
		{ 0, WRONG, "", "refused" },
		{ 0, "close", "", "" },
		{ 0, "move 3B01", "", "" },
		{ 0, WRONG, "", "refused" },
	};
	static const struct step three[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, RIGHT, "63C2 63C1", "refused" },
		{ 0, ASK, "", "refused" },
	};
	static const struct step silent[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "6300", "6300" },
		{ 0, WRONG, "", "refused" },
		{ 0, OTHER_PIN, "6982", "6982" },
		{ 0, OTHER_PIN, "", "refused" },
		/* Each of them has used one for each question. */
		{ 0, WRONG, "", "refused" },
	};

	(void)state;
	CONVERSE("five tries", KEEP(1, 0, 0), true, five);
	CONVERSE("three tries", KEEP(1, 0, 0), true, three);
	CONVERSE("without a number", KEEP(1, 0, 0), true, silent);
}

/* As long as nobody knows, it is asked for the last tries once in each insertion. */
static void test_untried(void **state)
{
	static const struct step steps[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "63C1", "refused" },
		{ 0, WRONG, "", "refused" },
		{ 0, ASK, "", "refused" },
		{ 0, "close", "", "" },
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "refused" },
		{ 0, "close", "", "" },
		{ 0, "move 3B01", "", "" },
		{ 0, WRONG, "63C1", "refused" },
		{ 0, WRONG, "", "refused" },
		{ 0, "move 3B01", "", "" },
		{ 0, WRONG, "63C3 63C3", "63C2" },
		{ 0, WRONG, "63C2", "63C1" },
		{ 0, WRONG, "63C1", "refused" },
	};

	(void)state;
	CONVERSE("few tries from the beginning", KEEP(1, 0, 0), true, steps);
}

/* ---- cards that can't be asked ---- */

static void test_memory(void **state)
{
	static const struct step told[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "6A88", "63C2" },
		{ 0, RIGHT, "", "9000" },
		{ 0, WRONG, "", "63C2" },
		{ 0, WRONG, "", "63C1" },
		{ 0, WRONG, "", "refused" },
		{ 0, RIGHT, "", "refused" },
	};
	static const struct step silent[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "6982" },
		{ 0, RIGHT, "", "9000" },
		{ 0, WRONG, "", "6300" },
		{ 0, WRONG, "", "6F00" },
		{ 0, WRONG, "", "refused" },
		{ 0, ASK, "", "refused" },
	};
	static const struct step survives[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C2" },
		{ 0, "close", "", "" },
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C1" },
		{ 0, "close", "", "" },
		/* Pulled and put back, here or elsewhere, and another session, and another guest. */
		{ 0, "move 3B01", "", "" },
		{ 0, WRONG, "", "refused" },
		{ 1, "open 3B01", "", "" },
		{ 1, WRONG, "", "refused" },
		{ 0, "restart", "", "" },
		{ 1, "move 3B01", "", "" },
		{ 1, WRONG, "", "refused" },
		/* Another card. */
		{ 1, "move 3B02", "", "" },
		{ 1, WRONG, "", "63C2" },
	};
	static const struct step blocked[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "6983" },
		{ 0, WRONG, "", "refused" },
	};

	(void)state;
	CONVERSE("63Cx", KEEP(1, 0, 0), true, told);
	CONVERSE("no numbers", KEEP(1, 0, 0), false, silent);
	CONVERSE("memory", KEEP(1, 1, 0), false, survives);
	CONVERSE("blocked", KEEP(1, 0, 0), false, blocked);
}

/* What a card doesn't understand it doesn't count; but a wrong length or form it may. */
static void test_not_understood(void **state)
{
	static const struct step steps[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "6D00" },
		{ 0, WRONG, "", "6E00" },
		{ 0, WRONG, "", "6A86" },
		{ 0, WRONG, "", "6A88" },
		{ 0, WRONG, "", "6884" },
		{ 0, WRONG, "", "unsent" },
		{ 0, WRONG, "", "6700" },
		{ 0, WRONG, "", "6A80" },
		{ 0, WRONG, "", "refused" },
	};

	(void)state;
	CONVERSE("not understood", KEEP(1, 0, 0), false, steps);
}

static void test_lost(void **state)
{
	static const struct step memory[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "lost" },
		{ 0, WRONG, "", "lost" },
		{ 0, WRONG, "", "refused" },
	};
	static const struct step asked[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "63C3 63C3", "lost" },
		{ 0, WRONG, "63C3", "lost" },
		{ 0, WRONG, "63C2", "lost" },
		{ 0, WRONG, "63C1", "refused" },
	};
	/* A question of the guest's own may have used a try, too, as long as nobody knows. */
	static const struct step questions[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, ASK, "", "lost" },
		{ 0, ASK, "", "lost" },
		{ 0, ASK, "", "refused" },
	};
	static const struct step harmless[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "63C3 63C3", "63C2" },
		{ 0, ASK, "", "lost" },
		{ 0, ASK, "", "lost" },
		{ 0, WRONG, "63C2", "63C1" },
	};
	static const struct step killed[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "flying" },
		{ 0, "restart", "", "" },
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "flying" },
		{ 0, "restart", "", "" },
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "refused" },
	};

	(void)state;
	CONVERSE("lost answers", KEEP(1, 0, 0), false, memory);
	CONVERSE("lost answers of a card that is asked", KEEP(1, 0, 0), true, asked);
	CONVERSE("lost questions", KEEP(1, 0, 0), false, questions);
	CONVERSE("lost questions that are known to be harmless", KEEP(1, 0, 0), true, harmless);
	CONVERSE("the bridge is killed in flight", KEEP(1, 0, 0), false, killed);
}

/* ---- several guests ---- */

static void test_several(void **state)
{
	static const struct step shared[] = {
		{ 0, "open 3B01", "", "" },
		{ 1, "open 3B01", "", "" },
		{ 2, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C2" },
		{ 1, WRONG, "", "refused" },
		{ 0, WRONG, "", "63C1" },
		{ 0, WRONG, "", "refused" },
		/* No guard, and no question, but it is counted. */
		{ 2, RIGHT, "", "9000" },
		{ 0, WRONG, "", "63C2" },
		{ 2, WRONG, "", "63C1" },
		{ 0, WRONG, "", "refused" },
		{ 2, WRONG, "", "63C0" },
	};
	static const struct step flying[] = {
		{ 0, "open 3B01", "", "" },
		{ 1, "open 3B01", "", "" },
		{ 0, WRONG, "", "flying" },
		{ 1, WRONG, "", "flying" },
		{ 0, WRONG, "", "refused" },
		/* The answers cross: the higher one was first at the card. */
		{ 1, "back", "", "63C1" },
		{ 0, "back", "", "63C2" },
		{ 0, WRONG, "", "refused" },
	};
	static const struct step right[] = {
		{ 0, "open 3B01", "", "" },
		{ 1, "open 3B01", "", "" },
		{ 0, WRONG, "", "flying" },
		{ 1, RIGHT, "", "flying" },
		{ 0, "back", "", "63C1" },
		{ 1, "back", "", "9000" },
		{ 0, WRONG, "", "refused" },
	};
	static const struct step asked[] = {
		{ 0, "open 3B01", "", "" },
		{ 1, "open 3B01", "", "" },
		{ 0, WRONG, "63C2 63C2", "flying" },
		{ 1, WRONG, "63C2", "refused" },
		{ 1, WRONG, "63C1", "refused" },
		{ 0, "back", "", "63C1" },
		{ 1, WRONG, "63C1", "refused" },
	};

	/* Of two answers with another's try between them nothing is learned about questions. */
	static const struct step tried_out[] = {
		{ 0, "open 3B01", "", "" },
		{ 2, "open 3B01", "", "" },
		{ 2, WRONG, "", "flying" },
		{ 0, WRONG, "63C3 63C2", "refused" },
		{ 2, "back", "", "63C2" },
		{ 0, WRONG, "63C2 63C2", "63C1" },
	};

	(void)state;
	CONVERSE("what others use", KEEP(1, 2, 0), false, shared);
	CONVERSE("in flight", KEEP(1, 1, 0), false, flying);
	CONVERSE("the right one in flight", KEEP(1, 1, 0), false, right);
	CONVERSE("asked while one is in flight", KEEP(1, 1, 0), true, asked);
	CONVERSE("tried out while one is in flight", KEEP(1, 0, 0), true, tried_out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_keep_more),
		cmocka_unit_test(test_question_counts),
		cmocka_unit_test(test_untried),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_not_understood),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
