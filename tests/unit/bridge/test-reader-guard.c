/*
 * The guard between a queue of calls and its worker: what is sent, what is asked first, what is answered
 * in the card's place, and what an end of the worker leaves behind.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "host-bridge/reader_guard.h"

#define NOW 1000

static const uint8_t atr[] = { 0x3B, 0x80, 0x01, 0x81 };
static const uint8_t verify[] = { 0x00, 0x20, 0x00, 0x81, 0x04, '1', '2', '3', '4' };
static const uint8_t question[] = { 0x00, 0x20, 0x00, 0x81 };
static const uint8_t read_binary[] = { 0x00, 0xB0, 0x00, 0x00, 0x00 };

static struct pin_guard pin_guard;
static struct audit audit;
static struct reader_guard guard;

static void start(unsigned int keep, bool ask)
{
	log_init("test", LOG_LEVEL_WARNING);
	pin_guard_init(&pin_guard);
	audit_init(&audit, "vm1");
	reader_guard_init(&guard, &pin_guard, &audit, "R", 1, keep, ask);
	guard.insertion = 1;
	reader_guard_opened(&guard, NOW, WIRE_PROTOCOL_T1, (struct payload_view){ atr, sizeof atr });
}

static struct wire_call call_of(const uint8_t *apdu, size_t size)
{
	return (struct wire_call){ .number = 7, .operation = WIRE_TRANSMIT, .data = { apdu, size } };
}

/* The call passes, and the worker gets expected. */
static void sends(const uint8_t *apdu, size_t size, const uint8_t *expected, size_t expected_size)
{
	struct wire_call call = call_of(apdu, size);
	struct wire_reply answer;

	assert_true(reader_guard_may(&guard, NOW, &call, &answer));
	reader_guard_send(&guard, &call);
	assert_int_equal(call.data.size, expected_size);
	assert_memory_equal(call.data.bytes, expected, expected_size);
}

static void refuses(const uint8_t *apdu, size_t size)
{
	struct wire_call call = call_of(apdu, size);
	struct wire_reply answer = { .outcome = 0xFF };

	assert_false(reader_guard_may(&guard, NOW, &call, &answer));
	assert_int_equal(answer.outcome, WIRE_OK);
	assert_int_equal(answer.number, 7);
	assert_int_equal(answer.data.size, 2);
	assert_int_equal(answer.data.bytes[0], PIN_GUARD_SW >> 8);
	assert_int_equal(answer.data.bytes[1], PIN_GUARD_SW & 0xFF);
}

/* The worker's reply. Returns whether the call is to be judged again. */
static bool replies(const uint8_t *apdu, size_t size, uint8_t outcome, uint16_t sw)
{
	const uint8_t bytes[] = { (uint8_t)(sw >> 8), (uint8_t)sw };
	struct wire_call call = call_of(apdu, size);
	struct wire_reply reply = { .number = 7, .outcome = outcome,
		.data = { bytes, sw != 0 ? sizeof bytes : 0 } };

	return reader_guard_answered(&guard, NOW, &call, &reply);
}

#define SENDS(apdu, what) sends(apdu, sizeof apdu, what, sizeof what)
#define REFUSES(apdu) refuses(apdu, sizeof apdu)
#define REPLIES(apdu, outcome, sw) replies(apdu, sizeof apdu, outcome, sw)

static void test_counts_down(void **state)
{
	(void)state;
	start(1, true);
	SENDS(read_binary, read_binary);
	assert_false(REPLIES(read_binary, WIRE_OK, 0x9000));
	/* The first question is put twice. */
	SENDS(verify, question);
	assert_true(REPLIES(verify, WIRE_OK, 0x63C3));
	SENDS(verify, question);
	assert_true(REPLIES(verify, WIRE_OK, 0x63C3));
	SENDS(verify, verify);
	assert_false(REPLIES(verify, WIRE_OK, 0x63C2));
	SENDS(verify, question);
	assert_true(REPLIES(verify, WIRE_OK, 0x63C2));
	SENDS(verify, verify);
	assert_false(REPLIES(verify, WIRE_OK, 0x63C1));
	SENDS(verify, question);
	assert_true(REPLIES(verify, WIRE_OK, 0x63C1));
	REFUSES(verify);
	/* That question is answered, and the next verification has one of its own. */
	SENDS(verify, question);
	assert_true(REPLIES(verify, WIRE_OK, 0x63C1));
	REFUSES(verify);
	SENDS(read_binary, read_binary);
}

static void test_without_questions(void **state)
{
	(void)state;
	start(1, false);
	SENDS(verify, verify);
	assert_false(REPLIES(verify, WIRE_OK, 0x63C2));
	SENDS(verify, verify);
	assert_false(REPLIES(verify, WIRE_OK, 0x63C1));
	REFUSES(verify);
}

/* Whether it reached the card nobody knows: it counts as used. */
static void test_a_worker_dies(void **state)
{
	(void)state;
	start(2, false);
	SENDS(verify, verify);
	reader_guard_ended(&guard, NOW, false);
	reader_guard_opened(&guard, NOW, WIRE_PROTOCOL_T1, (struct payload_view){ atr, sizeof atr });
	REFUSES(verify);
}

static void test_a_worker_that_waited_dies(void **state)
{
	(void)state;
	start(2, false);
	SENDS(verify, verify);
	reader_guard_ended(&guard, NOW, true);
	reader_guard_opened(&guard, NOW, WIRE_PROTOCOL_T1, (struct payload_view){ atr, sizeof atr });
	SENDS(verify, verify);
}

static void test_an_unsent_one_is_not_used(void **state)
{
	(void)state;
	start(2, false);
	for (int i = 0; i < 5; i++) {
		SENDS(verify, verify);
		assert_false(REPLIES(verify, WIRE_CARD_BUSY, 0));
	}
	SENDS(verify, verify);
	assert_false(REPLIES(verify, WIRE_OUTCOME_UNKNOWN, 0));
	REFUSES(verify);
}

static void test_without_a_guard(void **state)
{
	(void)state;
	start(0, true);
	for (int i = 0; i < 5; i++) {
		SENDS(verify, verify);
		assert_false(REPLIES(verify, WIRE_OK, 0x63C0));
	}
	/* And without any memory of it. */
	reader_guard_init(&guard, NULL, NULL, "R", 1, 1, true);
	SENDS(verify, verify);
	assert_false(REPLIES(verify, WIRE_OK, 0x63C0));
}

/* The question that fails takes the call with it. */
static void test_a_question_fails(void **state)
{
	(void)state;
	start(1, true);
	SENDS(verify, question);
	assert_false(REPLIES(verify, WIRE_CARD_BUSY, 0));
	SENDS(verify, question);
	assert_false(REPLIES(verify, WIRE_CARD_RESET, 0));
}

/* As long as nobody knows whether this card counts questions, a lost one is a try. */
static void test_a_question_is_lost(void **state)
{
	(void)state;
	start(2, true);
	SENDS(verify, question);
	assert_false(REPLIES(verify, WIRE_CARD_BUSY, 0));
	SENDS(verify, question);
	assert_false(REPLIES(verify, WIRE_OUTCOME_UNKNOWN, 0));
	REFUSES(verify);
}

static void test_a_worker_dies_with_a_question(void **state)
{
	const bool unsent[] = { true, false };

	(void)state;
	for (size_t i = 0; i < sizeof unsent / sizeof unsent[0]; i++) {
		start(2, true);
		SENDS(verify, question);
		reader_guard_ended(&guard, NOW, unsent[i]);
		reader_guard_opened(&guard, NOW, WIRE_PROTOCOL_T1, (struct payload_view){ atr, sizeof atr });
		if (unsent[i])
			SENDS(verify, question);
		else
			REFUSES(verify);
	}
}

/* A PIN pad's question goes to the card, not to the pad; of the pad's own words none has used a try. */
static void test_pin_pad(void **state)
{
	static const uint8_t pad[] = { 0x00, 0x1E, 0x82, 0x48, 0x03, 0x08, 0x04, 0x02, 0x01, 0x09, 0x04, 0x05,
		0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x81 };
	static const uint8_t unsent[] = { WIRE_TIMED_OUT, WIRE_CANCELLED, WIRE_UNSUPPORTED, WIRE_NOT_CONNECTED };
	const struct wire_call whole = { .number = 7, .operation = WIRE_SECURE, .data = { pad, sizeof pad } };
	struct wire_call call = whole;
	struct wire_reply reply = { .outcome = WIRE_OUTCOME_UNKNOWN };

	(void)state;
	start(1, true);
	assert_true(reader_guard_may(&guard, NOW, &call, &reply));
	reader_guard_send(&guard, &call);
	assert_int_equal(call.operation, WIRE_TRANSMIT);
	assert_int_equal(call.data.size, sizeof question);
	assert_memory_equal(call.data.bytes, question, sizeof question);
	start(2, false);
	for (size_t i = 0; i < sizeof unsent; i++) {
		call = whole;
		assert_true(reader_guard_may(&guard, NOW, &call, &reply));
		reader_guard_send(&guard, &call);
		assert_int_equal(call.operation, WIRE_SECURE);
		reply = (struct wire_reply){ .outcome = unsent[i] };
		assert_false(reader_guard_answered(&guard, NOW, &call, &reply));
	}
	assert_true(reader_guard_may(&guard, NOW, &call, &reply));
	reader_guard_send(&guard, &call);
	reply = (struct wire_reply){ .outcome = WIRE_OUTCOME_UNKNOWN };
	assert_false(reader_guard_answered(&guard, NOW, &call, &reply));
	assert_false(reader_guard_may(&guard, NOW, &call, &reply));
	REFUSES(verify);
}

/* Which application is selected the guard learns once the card has answered. */
static void test_select(void **state)
{
	static const uint8_t select[] = { 0x00, 0xA4, 0x04, 0x00, 0x02, 0xA0, 0x01 };

	(void)state;
	start(1, false);
	SENDS(select, select);
	assert_int_equal(guard.handle.selection[0], 0);
	assert_false(REPLIES(select, WIRE_OK, 0x9000));
	assert_int_not_equal(guard.handle.selection[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_down),
		cmocka_unit_test(test_without_questions),
		cmocka_unit_test(test_a_worker_dies),
		cmocka_unit_test(test_a_worker_that_waited_dies),
		cmocka_unit_test(test_an_unsent_one_is_not_used),
		cmocka_unit_test(test_without_a_guard),
		cmocka_unit_test(test_a_question_fails),
		cmocka_unit_test(test_a_question_is_lost),
		cmocka_unit_test(test_a_worker_dies_with_a_question),
		cmocka_unit_test(test_pin_pad),
		cmocka_unit_test(test_select),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
