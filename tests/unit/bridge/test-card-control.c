/*
 * A worker's PIN entries and escapes over scripted SCard functions.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <reader.h>
#include <stdbool.h>
#include <string.h>

#include "host-bridge/card.h"
#include "tests/unit/bridge/fake_pcsc.h"

#define FEATURES "control 42000D48 0"
#define T1 WIRE_PROTOCOL_T1

static unsigned int waited;
static struct card card;
static struct wire_reply reply;

static const uint8_t verify[] = { 0x00, 0x1E, 0x82, 0x04, 0x00, 0x08, 0x04, 0x02, 0x01, 0x09, 0x04,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x80 };
static const uint8_t verify_structure[] = { 0x1E, 0x00, 0x82, 0x04, 0x00, 0x08, 0x04, 0x02, 0x01,
	0x09, 0x04, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x80 };
static const uint8_t modify[] = { 0x01, 0x1E, 0x82, 0x04, 0x00, 0x00, 0x08, 0x08, 0x04, 0x03, 0x02,
	0x00, 0x09, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x24, 0x00, 0x80 };
static const uint8_t escape[] = { 0x0A, 0x0B };

static bool wait_on_clock(void *context, unsigned int milliseconds)
{
	(void)context;
	waited += milliseconds;
	return true;
}

/* A reader with a PIN pad for verification, and a code for escapes. */
static int setup(void **state)
{
	static const struct fake_control controls[] = {
		{ CM_IOCTL_GET_FEATURE_REQUEST, 0, { 0x06, 0x04, 0x00, 0x00, 0x10, 0x06,
			0x13, 0x04, 0x00, 0x00, 0x10, 0x13 }, 12 },
		{ 0x1006, 0, { 0x63, 0xC2 }, 2 },
		{ 0x1013, 0, { 0x0C }, 1 },
		{ SCARD_CTL_CODE(1), 0, { 0x0D, 0x0E }, 2 },
	};

	(void)state;
	fake_reset();
	memcpy(fake.controls, controls, sizeof controls);
	waited = 0;
	card_init(&card, &fake_functions, (struct card_patience){ .wait = wait_on_clock }, "vm1",
		"R");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	card_deinit(&card);
	assert_int_equal(fake.contexts, 0);
	assert_int_equal(fake.handles, 0);
	return 0;
}

static enum wire_outcome call(uint8_t operation, const uint8_t *bytes, size_t size)
{
	const struct wire_call wire_call = {
		.number = 3,
		.operation = operation,
		.protocols = WIRE_PROTOCOL_T0 | WIRE_PROTOCOL_T1,
		.data = { bytes, size },
	};

	card_call(&card, &wire_call, &reply);
	return reply.outcome;
}

static void connect_card(void)
{
	assert_int_equal(call(WIRE_CONNECT, NULL, 0), WIRE_OK);
	(void)fake_calls();
}

static void expect_answer(uint8_t first, size_t size)
{
	assert_int_equal(reply.data.size, size);
	assert_int_equal(reply.data.bytes[0], first);
}

/* The structure is the host's; the status word the reader's; the card is reset afterwards. */
static void test_verify(void **state)
{
	(void)state;
	connect_card();
	assert_int_equal(call(WIRE_SECURE, verify, sizeof verify), WIRE_OK);
	assert_int_equal(reply.protocol, T1);
	expect_answer(0x63, 2);
	assert_string_equal(fake_calls(), FEATURES "; control 1006 23");
	assert_int_equal(fake.controlled_size, sizeof verify_structure);
	assert_memory_equal(fake.controlled, verify_structure, sizeof verify_structure);
	assert_int_equal(call(WIRE_DISCONNECT, NULL, 0), WIRE_OK);
	assert_string_equal(fake_calls(), "disconnect reset; release");
}

static void test_no_card_in_use(void **state)
{
	(void)state;
	assert_int_equal(call(WIRE_SECURE, verify, sizeof verify), WIRE_NOT_CONNECTED);
	assert_string_equal(fake_calls(), "");
}

/* Nothing reaches the card, so it stays as it is. */
static void test_what_the_reader_lacks(void **state)
{
	(void)state;
	connect_card();
	assert_int_equal(call(WIRE_SECURE, modify, sizeof modify), WIRE_UNSUPPORTED);
	assert_string_equal(fake_calls(), FEATURES);
	fake.controls[0].code = 0;
	assert_int_equal(call(WIRE_SECURE, verify, sizeof verify), WIRE_UNSUPPORTED);
	assert_string_equal(fake_calls(), FEATURES);
	assert_int_equal(call(WIRE_DISCONNECT, NULL, 0), WIRE_OK);
	assert_string_equal(fake_calls(), "disconnect leave; release");
}

static void test_what_is_no_pin_entry(void **state)
{
	(void)state;
	connect_card();
	assert_int_equal(call(WIRE_SECURE, verify, sizeof verify - 1), WIRE_UNSUPPORTED);
	assert_int_equal(call(WIRE_SECURE, NULL, 0), WIRE_UNSUPPORTED);
	assert_int_equal(call(WIRE_SECURE, escape, sizeof escape), WIRE_UNSUPPORTED);
	assert_string_equal(fake_calls(), "");
}

struct failure {
	LONG result;
	enum wire_outcome outcome;
	bool open; /* the handle still is */
};

static void test_failures(void **state)
{
	static const struct failure rows[] = {
		{ SCARD_E_TIMEOUT, WIRE_TIMED_OUT, true },
		{ SCARD_E_CANCELLED, WIRE_CANCELLED, true },
		{ SCARD_W_CANCELLED_BY_USER, WIRE_CANCELLED, true },
		{ SCARD_E_UNSUPPORTED_FEATURE, WIRE_UNSUPPORTED, true },
		{ SCARD_E_NOT_TRANSACTED, WIRE_CARD_ERROR, true },
		{ SCARD_W_REMOVED_CARD, WIRE_CARD_REMOVED, false },
		{ SCARD_F_COMM_ERROR, WIRE_SERVICE_GONE, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		connect_card();
		fake.controls[1].result = rows[i].result;
		assert_int_equal(call(WIRE_SECURE, verify, sizeof verify), rows[i].outcome);
		assert_int_equal(reply.protocol != 0, rows[i].open);
		assert_int_equal(card.used, rows[i].open);
		(void)call(WIRE_DISCONNECT, NULL, 0);
		if (rows[i].result == SCARD_F_COMM_ERROR)
			fake.handles = 0; /* they went with their pcscd */
	}
}

static void test_a_success_without_sw(void **state)
{
	(void)state;
	connect_card();
	fake.controls[1].size = 1;
	assert_int_equal(call(WIRE_SECURE, verify, sizeof verify), WIRE_CARD_ERROR);
	assert_int_equal(reply.data.size, 0);
}

/* Somebody has reset the card: the PIN would be for another state of it. */
static void test_a_reset_card(void **state)
{
	(void)state;
	connect_card();
	fake.status = SCARD_W_RESET_CARD;
	assert_int_equal(call(WIRE_SECURE, verify, sizeof verify), WIRE_CARD_RESET);
	assert_string_equal(fake_calls(), "");
}

/* SCardControl doesn't wait for another program's transaction, so we do. */
static void test_busy(void **state)
{
	(void)state;
	connect_card();
	fake.busy = 5;
	assert_int_equal(call(WIRE_SECURE, verify, sizeof verify), WIRE_OK);
	assert_int_equal(waited, 5 * CARD_BUSY_POLL);
	fake.controls_busy[0] = 2;
	assert_int_equal(call(WIRE_SECURE, verify, sizeof verify), WIRE_OK);
	assert_int_equal(waited, 7 * CARD_BUSY_POLL);
	fake.controls_busy[1] = 3;
	assert_int_equal(call(WIRE_SECURE, verify, sizeof verify), WIRE_OK);
	assert_int_equal(waited, 10 * CARD_BUSY_POLL);
	fake.busy = 100000;
	assert_int_equal(call(WIRE_SECURE, verify, sizeof verify), WIRE_CARD_BUSY);
	assert_in_range(waited, CARD_BUSY_LIMIT, CARD_BUSY_LIMIT + 11 * CARD_BUSY_POLL);
	fake.busy = 0;
}

/* ---- escapes ---- */

static void test_escape(void **state)
{
	(void)state;
	connect_card();
	assert_int_equal(call(WIRE_ESCAPE, escape, sizeof escape), WIRE_OK);
	expect_answer(0x0C, 1);
	assert_string_equal(fake_calls(), FEATURES "; control 1013 2");
	assert_memory_equal(fake.controlled, escape, sizeof escape);
	assert_int_equal(call(WIRE_DISCONNECT, NULL, 0), WIRE_OK);
	assert_string_equal(fake_calls(), "disconnect reset; release");
}

static void test_escape_without_a_feature_for_it(void **state)
{
	(void)state;
	connect_card();
	fake.controls[0].size = 6;
	assert_int_equal(call(WIRE_ESCAPE, escape, sizeof escape), WIRE_OK);
	expect_answer(0x0D, 2);
	assert_string_equal(fake_calls(), FEATURES "; control 42000001 2");
}

static void test_escape_without_a_card_in_use(void **state)
{
	(void)state;
	assert_int_equal(call(WIRE_ESCAPE, escape, sizeof escape), WIRE_OK);
	assert_int_equal(reply.protocol, 0);
	expect_answer(0x0C, 1);
	assert_string_equal(fake_calls(), "establish; connect R direct none; " FEATURES
		"; control 1013 2; disconnect leave; release");
	fake.controls[2].result = SCARD_E_NOT_TRANSACTED;
	assert_int_equal(call(WIRE_ESCAPE, escape, sizeof escape), WIRE_CARD_ERROR);
	fake.connect = SCARD_E_READER_UNAVAILABLE;
	assert_int_equal(call(WIRE_ESCAPE, escape, sizeof escape), WIRE_READER_GONE);
	fake.establish = SCARD_E_NO_SERVICE;
	assert_int_equal(call(WIRE_ESCAPE, escape, sizeof escape), WIRE_SERVICE_GONE);
}

static void test_an_answer_that_can_not_be(void **state)
{
	(void)state;
	connect_card();
	fake.controls[2].size = 100000;
	assert_int_equal(call(WIRE_ESCAPE, escape, sizeof escape), WIRE_CARD_ERROR);
	fake.controls[1].size = 100000;
	assert_int_equal(call(WIRE_SECURE, verify, sizeof verify), WIRE_CARD_ERROR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_verify),
		TEST(test_no_card_in_use),
		TEST(test_what_the_reader_lacks),
		TEST(test_what_is_no_pin_entry),
		TEST(test_failures),
		TEST(test_a_success_without_sw),
		TEST(test_a_reset_card),
		TEST(test_busy),
		TEST(test_escape),
		TEST(test_escape_without_a_feature_for_it),
		TEST(test_escape_without_a_card_in_use),
		TEST(test_an_answer_that_can_not_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
