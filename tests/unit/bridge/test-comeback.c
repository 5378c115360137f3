/*
 * A refused card comes back when it is free: stories of calls and looks, each a table.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host-bridge/comeback.h"
#include "relay/session.h"

#define NEVER SESSION_NEVER

/* A call ends (operation isn't 0), or it is looked. */
struct step {
	uint64_t now;
	uint8_t operation;
	uint8_t outcome;
	uint64_t duration;
	bool exclusive;
	bool unoccupied;
	bool comes;        /* of a look */
	uint64_t check_at; /* afterwards */
};

#define CALL(now, operation, outcome, duration, check_at) \
	{ now, operation, outcome, duration, false, false, false, check_at }
#define LOOK(now, exclusive, unoccupied, comes, check_at) \
	{ now, 0, 0, 0, exclusive, unoccupied, comes, check_at }

static void play(const struct step *steps, size_t count)
{
	struct comeback comeback;
	uint32_t comes = 0;

	comeback_init(&comeback);
	for (size_t i = 0; i < count; i++) {
		comeback.exclusive = steps[i].exclusive;
		if (steps[i].operation != 0) {
			comeback_note(&comeback, steps[i].now, steps[i].operation,
				steps[i].outcome, steps[i].duration);
		} else {
			assert_int_equal(comeback_check(&comeback, steps[i].now,
				steps[i].unoccupied), steps[i].comes);
			comes += steps[i].comes;
		}
		assert_int_equal(comeback.check_at, steps[i].check_at);
		assert_int_equal(comeback.count, comes);
	}
}

#define PLAY(steps) play(steps, sizeof(steps) / sizeof(steps)[0])

static void test_refused(void **state)
{
	static const struct step steps[] = {
		LOOK(0, false, true, false, NEVER),
		CALL(100, WIRE_CONNECT, WIRE_CARD_BUSY, 1, 2600),
		LOOK(2599, false, true, false, 2600),
		/* exclusively another's; then a worker of ours waits for it; then it is free */
		LOOK(2600, true, true, false, 3600),
		LOOK(3600, false, false, false, 4600),
		LOOK(4600, false, true, true, NEVER),
		LOOK(9999, false, true, false, NEVER),
		/* refused again, and asked for meanwhile */
		CALL(10000, WIRE_CONNECT, WIRE_CARD_BUSY, 30000, 12500),
		CALL(11000, WIRE_CONNECT, WIRE_CARD_BUSY, 1, 13500),
		CALL(11500, WIRE_DISCONNECT, WIRE_OK, 1, 13500),
		CALL(12000, WIRE_CONNECT, WIRE_OK, 1, NEVER),
		LOOK(20000, false, true, false, NEVER),
	};

	(void)state;
	PLAY(steps);
}

/* Every other outcome has its own way to be told. */
static void test_other_outcomes(void **state)
{
	(void)state;
	for (uint8_t outcome = 0; outcome < 20; outcome++) {
		const struct step steps[] = {
			CALL(100, WIRE_CONNECT, outcome, 1, outcome == WIRE_CARD_BUSY ? 2600 : NEVER),
			CALL(100, WIRE_TRANSMIT, WIRE_CARD_BUSY, 30000,
				outcome == WIRE_CARD_BUSY ? 2600 : NEVER),
		};

		PLAY(steps);
	}
}

/* The driver had given up before the card was there, and the guest let go of it. */
static void test_late_connect(void **state)
{
	static const struct step steps[] = {
		CALL(5000, WIRE_CONNECT, WIRE_OK, 3999, NEVER),
		CALL(5001, WIRE_DISCONNECT, WIRE_OK, 1, NEVER),
		CALL(10000, WIRE_CONNECT, WIRE_OK, 4000, NEVER),
		CALL(10001, WIRE_DISCONNECT, WIRE_OK, 1, 12501),
		LOOK(12501, false, true, true, NEVER),
		/* late again: that must not go on for ever */
		CALL(17000, WIRE_CONNECT, WIRE_OK, 4400, NEVER),
		CALL(17001, WIRE_DISCONNECT, WIRE_OK, 1, NEVER),
		/* once in time, and late again */
		CALL(17100, WIRE_CONNECT, WIRE_OK, 1, NEVER),
		CALL(17200, WIRE_CONNECT, WIRE_OK, 4400, NEVER),
		CALL(17201, WIRE_DISCONNECT, WIRE_OK, 1, 19701),
		LOOK(19701, false, true, true, NEVER),
		/* a guest that waits longer, and uses it */
		CALL(20000, WIRE_CONNECT, WIRE_OK, 9000, NEVER),
		CALL(20001, WIRE_TRANSMIT, WIRE_OK, 1, NEVER),
		CALL(20002, WIRE_DISCONNECT, WIRE_OK, 1, NEVER),
	};

	(void)state;
	PLAY(steps);
}

static void test_forget(void **state)
{
	struct comeback comeback;

	(void)state;
	comeback_init(&comeback);
	comeback.count = 7;
	comeback_note(&comeback, 0, WIRE_CONNECT, WIRE_CARD_BUSY, 1);
	comeback_forget(&comeback);
	assert_false(comeback_check(&comeback, 99999, true));
	assert_int_equal(comeback.count, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_other_outcomes),
		cmocka_unit_test(test_late_connect),
		cmocka_unit_test(test_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
