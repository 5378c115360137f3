/*
 * How a card is shared: a transaction around APDUs that follow each other, or the card for ourselves
 * alone. Conversations with a clock: what comes when, what the guest is told, what pcscd is asked.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "host-bridge/card.h"
#include "tests/unit/bridge/fake_pcsc.h"

/* In place of an operation: only time passes, or the APDU chooses an application. */
#define TICK 0
#define SELECT 200

struct step {
	uint64_t now;
	uint8_t operation;       /* or SELECT, a WIRE_TRANSMIT */
	LONG begin;              /* what SCardBeginTransaction returns */
	unsigned int busy;       /* so many calls are sharing violations first */
	enum wire_outcome outcome;
	const char *calls;
};

struct clock {
	uint64_t now;
	unsigned int waiting;    /* calls of card_patience.waiting() */
	uint64_t ends;           /* the guest is gone then; 0: it stays */
};

static struct clock clock_now;
static struct card card;
static struct wire_reply reply;

static bool wait_on_clock(void *context, unsigned int milliseconds)
{
	struct clock *clock = context;

	clock->now += milliseconds;
	return clock->ends == 0 || clock->now < clock->ends;
}

static uint64_t read_clock(void *context)
{
	const struct clock *clock = context;

	return clock->now;
}

static void count_waiting(void *context)
{
	struct clock *clock = context;

	clock->waiting++;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	clock_now = (struct clock){ .now = 1 };
	card_init(&card, &fake_functions,
		(struct card_patience){
			.wait = wait_on_clock,
			.now = read_clock,
			.waiting = count_waiting,
			.context = &clock_now,
		},
		"vm1", "R");
	card_set_share(&card, (struct share){ SHARE_TRANSACTION, 500, 2000 });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	card_deinit(&card);
	assert_int_equal(fake.contexts, 0);
	assert_int_equal(fake.handles, 0);
	assert_int_equal(clock_now.waiting % 2, 0);
	return 0;
}

static void call(uint8_t operation)
{
	static const uint8_t plain[] = { 0x00, 0xA4, 0x00, 0x04, 0x00 }; /* by identifier */
	static const uint8_t select[] = { 0x80, 0xA4, 0x04, 0x0C, 0x00 };
	bool sends = operation == WIRE_TRANSMIT || operation == SELECT;
	const struct wire_call wire_call = {
		.number = 3,
		.operation = sends ? WIRE_TRANSMIT : operation,
		.initialization = WIRE_RESET,
		.protocols = WIRE_PROTOCOL_T0 | WIRE_PROTOCOL_T1,
		.data = { operation == SELECT ? select : plain, sends ? sizeof plain : 0 },
	};

	card_call(&card, &wire_call, &reply);
	assert_int_equal(reply.number, 3);
}

static void play(const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_true(clock_now.now <= steps[i].now);
		clock_now.now = steps[i].now;
		fake.begin = steps[i].begin;
		fake.busy = steps[i].busy;
		if (steps[i].operation == TICK) {
			card_tick(&card);
		} else {
			call(steps[i].operation);
			assert_int_equal(reply.outcome, steps[i].outcome);
		}
		assert_string_equal(fake_calls(), steps[i].calls);
	}
}

#define PLAY(steps) play(steps, sizeof(steps) / sizeof(steps)[0])
#define CONNECTS "establish; connect R shared T0|T1"

/* One transaction for what follows each other, ended when it has been idle for `hold`. */
static void test_hold(void **state)
{
	static const struct step steps[] = {
		{ 1000, WIRE_CONNECT, 0, 0, WIRE_OK, CONNECTS },
		{ 2000, TICK, 0, 0, 0, "" },
		{ 2000, WIRE_TRANSMIT, 0, 0, WIRE_OK, "begin; transmit T1 5" },
		{ 2400, WIRE_TRANSMIT, 0, 0, WIRE_OK, "transmit T1 5" },
		{ 2899, TICK, 0, 0, 0, "" },
		{ 2900, TICK, 0, 0, 0, "end leave" },
		{ 9000, TICK, 0, 0, 0, "" },
		{ 9000, WIRE_TRANSMIT, 0, 0, WIRE_OK, "begin; transmit T1 5" },
	};

	(void)state;
	PLAY(steps);
	assert_true(card_deadline(&card) == 9500);
}

/* APDU after APDU: after `hold-max` others get in, and the next one waits for that long. */
static void test_hold_max(void **state)
{
	static const struct step steps[] = {
		{ 1000, WIRE_CONNECT, 0, 0, WIRE_OK, CONNECTS },
		{ 1000, WIRE_TRANSMIT, 0, 0, WIRE_OK, "begin; transmit T1 5" },
		{ 1400, WIRE_TRANSMIT, 0, 0, WIRE_OK, "transmit T1 5" },
		{ 1800, WIRE_TRANSMIT, 0, 0, WIRE_OK, "transmit T1 5" },
		{ 2200, WIRE_TRANSMIT, 0, 0, WIRE_OK, "transmit T1 5" },
		{ 2600, WIRE_TRANSMIT, 0, 0, WIRE_OK, "transmit T1 5" },
		{ 3000, WIRE_TRANSMIT, 0, 0, WIRE_OK, "end leave; begin; transmit T1 5" },
		{ 3000 + HOLD_PAUSE, TICK, 0, 0, 0, "" },
	};

	(void)state;
	PLAY(steps);
}

/* From half of that on, the choice of an application is as good a place. */
static void test_anew(void **state)
{
	static const struct step steps[] = {
		{ 1000, WIRE_CONNECT, 0, 0, WIRE_OK, CONNECTS },
		{ 1000, SELECT, 0, 0, WIRE_OK, "begin; transmit T1 5" },
		{ 1400, WIRE_TRANSMIT, 0, 0, WIRE_OK, "transmit T1 5" },
		{ 1800, SELECT, 0, 0, WIRE_OK, "transmit T1 5" },
		{ 2200, WIRE_TRANSMIT, 0, 0, WIRE_OK, "transmit T1 5" },
		{ 2300, SELECT, 0, 0, WIRE_OK, "end leave; begin; transmit T1 5" },
		{ 2300 + HOLD_PAUSE, TICK, 0, 0, 0, "" },
	};

	(void)state;
	PLAY(steps);
}

/* Another program's transaction is waited for before ours is begun, and the APDU not sent in vain. */
static void test_others(void **state)
{
	static const struct step steps[] = {
		{ 1000, WIRE_CONNECT, 0, 0, WIRE_OK, CONNECTS },
		{ 1000, WIRE_TRANSMIT, 0, 3, WIRE_OK, "begin; transmit T1 5" },
		{ 1000 + 3 * CARD_BUSY_POLL, TICK, 0, 0, 0, "" },
		{ 5000, TICK, 0, 0, 0, "end leave" },
		{ 5000, WIRE_TRANSMIT, 0, 100000, WIRE_CARD_BUSY, "" },
		{ 5000 + CARD_BUSY_LIMIT, WIRE_TRANSMIT, SCARD_W_RESET_CARD, 0, WIRE_CARD_RESET,
		  "begin" },
	};

	(void)state;
	PLAY(steps);
	assert_true(card_deadline(&card) == HOLD_NEVER);
	assert_int_equal(clock_now.waiting, 6);
}

/* Who had to wait for long lets others by before it takes the card. */
static void test_yield(void **state)
{
	const unsigned int looks = HOLD_LONG / CARD_BUSY_POLL;
	const struct step steps[] = {
		{ 1000, WIRE_CONNECT, 0, 0, WIRE_OK, CONNECTS },
		{ 1000, WIRE_TRANSMIT, 0, looks, WIRE_OK, "begin; transmit T1 5" },
	};

	(void)state;
	PLAY(steps);
	assert_int_equal(clock_now.now, 1000 + HOLD_LONG + HOLD_YIELD);
}

/* A guest that is gone while it lets others by sends nothing any more. */
static void test_yield_gone(void **state)
{
	const struct step steps[] = {
		{ 1000, WIRE_CONNECT, 0, 0, WIRE_OK, CONNECTS },
		{ 1000, WIRE_TRANSMIT, 0, HOLD_LONG / CARD_BUSY_POLL, WIRE_CARD_BUSY, "" },
	};

	(void)state;
	clock_now.ends = 1000 + HOLD_LONG + HOLD_YIELD;
	PLAY(steps);
}

/* Powering off ends it with the handle, a warm reset does not. */
static void test_power(void **state)
{
	static const struct step steps[] = {
		{ 1000, WIRE_CONNECT, 0, 0, WIRE_OK, CONNECTS },
		{ 1000, WIRE_TRANSMIT, 0, 0, WIRE_OK, "begin; transmit T1 5" },
		{ 1100, WIRE_CONNECT, 0, 0, WIRE_OK, "reconnect shared T0|T1 reset" },
		{ 1200, WIRE_TRANSMIT, 0, 0, WIRE_OK, "transmit T1 5" },
		{ 1300, WIRE_DISCONNECT, 0, 0, WIRE_OK, "disconnect reset; release" },
		{ 9000, TICK, 0, 0, 0, "" },
		{ 9000, WIRE_CONNECT, 0, 0, WIRE_OK, CONNECTS },
		{ 9000, WIRE_TRANSMIT, 0, 0, WIRE_OK, "begin; transmit T1 5" },
	};

	(void)state;
	PLAY(steps);
}

/* A card that was pulled takes the handle and the transaction with it. */
static void test_removal(void **state)
{
	static const struct step steps[] = {
		{ 1000, WIRE_CONNECT, 0, 0, WIRE_OK, CONNECTS },
		{ 1000, WIRE_TRANSMIT, 0, 0, WIRE_OK, "begin; transmit T1 5" },
	};

	(void)state;
	PLAY(steps);
	fake.transmit = SCARD_W_REMOVED_CARD;
	call(WIRE_TRANSMIT);
	assert_int_equal(reply.outcome, WIRE_CARD_REMOVED);
	assert_true(card_deadline(&card) == HOLD_NEVER);
	clock_now.now = 99999;
	(void)fake_calls();
	card_tick(&card);
	assert_string_equal(fake_calls(), "");
}

/* The end of a transaction that pcscd knows nothing of any more is no failure. */
static void test_end_fails(void **state)
{
	static const struct step steps[] = {
		{ 1000, WIRE_CONNECT, 0, 0, WIRE_OK, CONNECTS },
		{ 1000, WIRE_TRANSMIT, 0, 0, WIRE_OK, "begin; transmit T1 5" },
		{ 5000, TICK, 0, 0, 0, "end leave" },
		{ 5000, TICK, 0, 0, 0, "" },
		{ 5000, WIRE_TRANSMIT, 0, 0, WIRE_OK, "begin; transmit T1 5" },
	};

	(void)state;
	fake.end = SCARD_W_RESET_CARD;
	PLAY(steps);
}

static void test_shared(void **state)
{
	static const struct step steps[] = {
		{ 1000, WIRE_CONNECT, 0, 0, WIRE_OK, CONNECTS },
		{ 1000, WIRE_TRANSMIT, 0, 0, WIRE_OK, "transmit T1 5" },
		{ 9000, TICK, 0, 0, 0, "" },
	};

	(void)state;
	card_set_share(&card, (struct share){ SHARE_SHARED, 500, 2000 });
	PLAY(steps);
	assert_int_equal(clock_now.waiting, 0);
}

static void test_exclusive(void **state)
{
	static const struct step steps[] = {
		{ 1000, WIRE_CONNECT, 0, 0, WIRE_OK, "establish; connect R exclusive T0|T1" },
		{ 1000, WIRE_TRANSMIT, 0, 0, WIRE_OK, "transmit T1 5" },
		{ 1000, WIRE_CONNECT, 0, 0, WIRE_OK, "reconnect exclusive T0|T1 reset" },
		{ 9000, TICK, 0, 0, 0, "" },
		{ 9000, WIRE_DISCONNECT, 0, 0, WIRE_OK, "disconnect leave; release" },
	};

	(void)state;
	card_set_share(&card, (struct share){ SHARE_EXCLUSIVE, 500, 2000 });
	PLAY(steps);
}

/* Whoever has the card is waited for, but no longer than the guest's driver waits for us. */
static void test_exclusive_refused(void **state)
{
	(void)state;
	card_set_share(&card, (struct share){ SHARE_EXCLUSIVE, 500, 2000 });
	fake.connect = SCARD_E_SHARING_VIOLATION;
	call(WIRE_CONNECT);
	assert_int_equal(reply.outcome, WIRE_CARD_BUSY);
	assert_int_equal(clock_now.now, 1 + CARD_EXCLUSIVE_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hold, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hold_max, setup, teardown),
		cmocka_unit_test_setup_teardown(test_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_yield, setup, teardown),
		cmocka_unit_test_setup_teardown(test_yield_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_power, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exclusive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exclusive_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
