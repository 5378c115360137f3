/*
 * The times of a transaction: what happens, and what is due after it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "host-bridge/hold.h"

enum event {
	NOTHING,
	BEGUN,
	TOUCHED,
	ENDED,
};

struct step {
	uint64_t now;
	enum event event;
	bool wanted;
	uint64_t deadline;
	unsigned int pause;
};

static void play(enum share_mode mode, const struct step *steps, size_t count)
{
	struct hold hold = { .share = { mode, 500, 2000 } };

	for (size_t i = 0; i < count; i++) {
		switch (steps[i].event) {
		case NOTHING:
			break;
		case BEGUN:
			hold_begun(&hold, steps[i].now);
			break;
		case TOUCHED:
			hold_touch(&hold, steps[i].now);
			break;
		case ENDED:
			hold_ended(&hold, steps[i].now);
			break;
		}
		assert_int_equal(hold_is_wanted(&hold), steps[i].wanted);
		assert_true(hold_deadline(&hold) == steps[i].deadline);
		assert_int_equal(hold_pause(&hold, steps[i].now), steps[i].pause);
	}
}

#define PLAY(mode, steps) play(mode, steps, sizeof(steps) / sizeof(steps)[0])

/* Each APDU puts the end off, and idling ends it; others had their chance then. */
static void test_idle(void **state)
{
	static const struct step steps[] = {
		{ 1000, NOTHING, true, HOLD_NEVER, 0 },
		{ 1000, BEGUN, false, 1500, 0 },
		{ 1400, TOUCHED, false, 1900, 0 },
		{ 1900, ENDED, true, HOLD_NEVER, 0 },
		{ 1900 + HOLD_PAUSE, BEGUN, false, 2400 + HOLD_PAUSE, 0 },
		{ 3700, TOUCHED, false, 4200, 0 },
	};

	(void)state;
	PLAY(SHARE_TRANSACTION, steps);
}

/* It gets no older than 2 s, and then others have HOLD_PAUSE. */
static void test_age(void **state)
{
	static const struct step steps[] = {
		{ 1000, BEGUN, false, 1500, 0 },
		{ 1450, TOUCHED, false, 1950, 0 },
		{ 2800, TOUCHED, false, 3000, 0 },
		{ 3000, ENDED, true, HOLD_NEVER, HOLD_PAUSE },
		{ 3100, NOTHING, true, HOLD_NEVER, HOLD_PAUSE - 100 },
		{ 3000 + HOLD_PAUSE, BEGUN, false, 3500 + HOLD_PAUSE, 0 },
		{ 3010 + HOLD_PAUSE, TOUCHED, false, 3510 + HOLD_PAUSE, 0 },
	};

	(void)state;
	PLAY(SHARE_TRANSACTION, steps);
}

/* Whoever begins again at once has let nobody in: it is as old as before. */
static void test_no_gap(void **state)
{
	static const struct step steps[] = {
		{ 1000, BEGUN, false, 1500, 0 },
		{ 1500, ENDED, true, HOLD_NEVER, 0 },
		{ 1510, BEGUN, false, 2010, 0 },
		{ 2010, ENDED, true, HOLD_NEVER, 0 },
		{ 2009 + HOLD_PAUSE, BEGUN, false, 2509 + HOLD_PAUSE, 0 },
		{ 2900, TOUCHED, false, 3000, 0 },
		{ 3000, ENDED, true, HOLD_NEVER, HOLD_PAUSE },
	};

	(void)state;
	PLAY(SHARE_TRANSACTION, steps);
}

/* A handle that is given up early leaves nothing behind; one APDU may be longer than the limit. */
static void test_early_and_late(void **state)
{
	static const struct step steps[] = {
		{ 1000, BEGUN, false, 1500, 0 },
		{ 1100, ENDED, true, HOLD_NEVER, 0 },
		{ 1100, ENDED, true, HOLD_NEVER, 0 },
		{ 2000, BEGUN, false, 2500, 0 },
		{ 9000, TOUCHED, false, 4000, 0 },
		{ 9001, ENDED, true, HOLD_NEVER, HOLD_PAUSE },
	};

	(void)state;
	PLAY(SHARE_TRANSACTION, steps);
}

/* Whoever looks late at an idle one has still let others in. */
static void test_late_look(void **state)
{
	static const struct step steps[] = {
		{ 1000, BEGUN, false, 1500, 0 },
		{ 1100, TOUCHED, false, 1600, 0 },
		{ 5000, ENDED, true, HOLD_NEVER, 0 },
	};

	(void)state;
	PLAY(SHARE_TRANSACTION, steps);
}

static void test_no_transaction(void **state)
{
	static const struct step steps[] = {
		{ 1000, NOTHING, false, HOLD_NEVER, 0 },
		{ 1000, ENDED, false, HOLD_NEVER, 0 },
	};

	(void)state;
	PLAY(SHARE_SHARED, steps);
	PLAY(SHARE_EXCLUSIVE, steps);
}

/* Before the choice of an application it is due at half its age; idle, it is due in any case. */
static void test_due(void **state)
{
	struct hold hold = { .share = { SHARE_TRANSACTION, 500, 2000 } };

	(void)state;
	assert_false(hold_is_due(&hold, 99999, true));
	hold_begun(&hold, 1000);
	assert_false(hold_is_due(&hold, 1499, true));
	assert_true(hold_is_due(&hold, 1500, false));
	hold_touch(&hold, 1900);
	assert_false(hold_is_due(&hold, 1999, true));
	assert_false(hold_is_due(&hold, 2000, false));
	assert_true(hold_is_due(&hold, 2000, true));
	hold_touch(&hold, 2900);
	assert_false(hold_is_due(&hold, 2999, false));
	assert_true(hold_is_due(&hold, 3000, false));
	hold_ended(&hold, 2990);
	assert_int_equal(hold_pause(&hold, 2990), HOLD_PAUSE);
	assert_false(hold_is_due(&hold, 99999, true));
}

struct look {
	uint64_t now;
	bool busy;
	unsigned int pause;
};

static void play_looks(const struct look *looks, size_t count)
{
	struct hold_wait wait = HOLD_WAIT_NULL;

	for (size_t i = 0; i < count; i++)
		assert_int_equal(hold_look(&wait, looks[i].now, looks[i].busy), looks[i].pause);
}

#define PLAY_LOOKS(looks) play_looks(looks, sizeof(looks) / sizeof(looks)[0])

/* A card that is free, or was busy for a moment only, is taken. */
static void test_looks(void **state)
{
	static const struct look at_once[] = { { 1000, false, 0 } };
	static const struct look soon[] = {
		{ 1000, true, HOLD_POLL },
		{ 1000 + HOLD_LONG - 1, true, HOLD_POLL },
		{ 1000 + HOLD_LONG - 1, false, 0 },
	};

	(void)state;
	PLAY_LOOKS(at_once);
	PLAY_LOOKS(soon);
}

/* Who was kept out for long lets others by; whoever is quick then doesn't make it wait again. */
static void test_yield(void **state)
{
	static const struct look looks[] = {
		{ 1000, true, HOLD_POLL },
		{ 1000 + HOLD_LONG, false, HOLD_YIELD },
		{ 1500, true, HOLD_POLL },
		{ 1600, false, 0 },
	};
	static const struct look nobody[] = {
		{ 1000, true, HOLD_POLL },
		{ 9000, false, HOLD_YIELD },
		{ 9000 + HOLD_YIELD, false, 0 },
	};

	(void)state;
	PLAY_LOOKS(looks);
	PLAY_LOOKS(nobody);
}

/* The longer it waits, the sooner it comes, until it lets nobody by any more. */
static void test_yields(void **state)
{
	static const struct look looks[] = {
		{ 1000, true, HOLD_POLL }, { 2000, false, HOLD_YIELD },
		{ 3000, true, HOLD_POLL }, { 4000, false, HOLD_YIELD - HOLD_YIELD_LESS },
		{ 5000, true, HOLD_POLL }, { 6000, false, HOLD_YIELD - 2 * HOLD_YIELD_LESS },
		{ 7000, true, HOLD_POLL }, { 8000, false, 0 },
	};

	(void)state;
	assert_int_equal(HOLD_YIELDS, 3);
	assert_true(HOLD_YIELD - 2 * HOLD_YIELD_LESS > 200);
	assert_true(HOLD_YIELD + HOLD_POLL < HOLD_PAUSE);
	PLAY_LOOKS(looks);
}

static void test_names(void **state)
{
	static const enum share_mode modes[] = { SHARE_SHARED, SHARE_TRANSACTION, SHARE_EXCLUSIVE };
	enum share_mode mode;

	(void)state;
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(share_by_name(share_name(modes[i]), &mode), 0);
		assert_int_equal(mode, modes[i]);
	}
	assert_int_equal(share_by_name("", &mode), -1);
	assert_int_equal(share_by_name("Shared", &mode), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_no_gap),
		cmocka_unit_test(test_early_and_late),
		cmocka_unit_test(test_late_look),
		cmocka_unit_test(test_no_transaction),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_yield),
		cmocka_unit_test(test_yields),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
