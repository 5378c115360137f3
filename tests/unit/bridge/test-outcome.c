/*
 * The table of SCard errors, row by row: each one is returned by each SCard function that a worker
 * calls, and what counts is what the guest is told and what is left open.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "host-bridge/card.h"
#include "host-bridge/outcome.h"
#include "tests/unit/bridge/fake_pcsc.h"

struct row {
	LONG code;
	const char *name;
	enum wire_outcome connecting;
	enum wire_outcome connected;
	bool keeps_handle;
	bool disconnects; /* the handle is given back to pcscd, not merely forgotten */
};

#define NAMED(code) code, #code

static const struct row rows[] = {
	{ NAMED(SCARD_W_RESET_CARD), WIRE_CARD_RESET, WIRE_CARD_RESET, true, true },
	{ NAMED(SCARD_W_UNPOWERED_CARD), WIRE_CARD_MUTE, WIRE_CARD_RESET, true, true },
	{ NAMED(SCARD_W_REMOVED_CARD), WIRE_CARD_REMOVED, WIRE_CARD_REMOVED, false, true },
	{ NAMED(SCARD_E_NO_SMARTCARD), WIRE_NO_CARD, WIRE_NO_CARD, false, true },
	{ NAMED(SCARD_W_UNRESPONSIVE_CARD), WIRE_CARD_MUTE, WIRE_CARD_MUTE, false, true },
	{ NAMED(SCARD_W_UNSUPPORTED_CARD), WIRE_CARD_MUTE, WIRE_CARD_MUTE, false, true },
	{ NAMED(SCARD_E_SHARING_VIOLATION), WIRE_CARD_BUSY, WIRE_CARD_BUSY, true, true },
	{ NAMED(SCARD_E_PROTO_MISMATCH), WIRE_PROTOCOL_MISMATCH, WIRE_PROTOCOL_MISMATCH,
	  true, true },
	{ NAMED(SCARD_E_READER_UNAVAILABLE), WIRE_READER_GONE, WIRE_READER_GONE, false, true },
	{ NAMED(SCARD_E_UNKNOWN_READER), WIRE_READER_GONE, WIRE_READER_GONE, false, true },
	{ NAMED(SCARD_E_NO_READERS_AVAILABLE), WIRE_READER_GONE, WIRE_READER_GONE, false, true },
	{ NAMED(SCARD_F_COMM_ERROR), WIRE_SERVICE_GONE, WIRE_SERVICE_GONE, false, false },
	{ NAMED(SCARD_E_NO_SERVICE), WIRE_SERVICE_GONE, WIRE_SERVICE_GONE, false, false },
	{ NAMED(SCARD_E_SERVICE_STOPPED), WIRE_SERVICE_GONE, WIRE_SERVICE_GONE, false, false },
	{ NAMED(SCARD_E_INVALID_HANDLE), WIRE_CARD_ERROR, WIRE_CARD_ERROR, false, false },
	{ NAMED(SCARD_E_NOT_TRANSACTED), WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
	{ NAMED(SCARD_F_INTERNAL_ERROR), WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
	{ NAMED(SCARD_F_UNKNOWN_ERROR), WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
	{ NAMED(SCARD_E_TIMEOUT), WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
	{ NAMED(SCARD_E_INSUFFICIENT_BUFFER), WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
	{ NAMED(SCARD_E_INVALID_PARAMETER), WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
	{ NAMED(SCARD_E_INVALID_VALUE), WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
	{ NAMED(SCARD_E_NO_MEMORY), WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
	{ NAMED(SCARD_E_READER_UNSUPPORTED), WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
	{ NAMED(SCARD_W_SECURITY_VIOLATION), WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
	/* not in the table, of this pcsc-lite and of no one's */
	{ SCARD_E_CANCELLED, "0x80100002", WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
	{ (LONG)0x8010FFFF, "0x8010FFFF", WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
	{ -1, "0xFFFFFFFF", WIRE_CARD_ERROR, WIRE_CARD_ERROR, true, true },
};

#define ROWS (sizeof rows / sizeof rows[0])

/* There is always time for one more try, and never a guest that goes. */
static bool wait_always(void *context, unsigned int milliseconds)
{
	(void)context;
	(void)milliseconds;
	return true;
}

static struct card card;
static struct wire_reply reply;

static void call(uint8_t operation)
{
	static const uint8_t apdu[5];
	const struct wire_call wire_call = {
		.number = 7,
		.operation = operation,
		.protocols = WIRE_PROTOCOL_T0 | WIRE_PROTOCOL_T1,
		.data = { .bytes = apdu, .size = operation == WIRE_TRANSMIT ? sizeof apdu : 0 },
	};

	card_call(&card, &wire_call, &reply);
	assert_int_equal(reply.number, 7);
}

static void start(bool connected)
{
	fake_reset();
	card_init(&card, &fake_functions, (struct card_patience){ .wait = wait_always }, "vm1",
		"R");
	if (!connected)
		return;
	call(WIRE_CONNECT);
	assert_int_equal(reply.outcome, WIRE_OK);
	(void)fake_calls();
}

/* What must hold after the failure of a call on an open handle. */
static void check_handle(const struct row *row)
{
	const char *calls = fake_calls();

	assert_int_equal(card.open, row->keeps_handle);
	assert_int_equal(reply.protocol, row->keeps_handle ? WIRE_PROTOCOL_T1 : 0);
	assert_int_equal(strstr(calls, "release") != NULL, !row->keeps_handle);
	assert_int_equal(strstr(calls, "disconnect leave") != NULL,
		!row->keeps_handle && row->disconnects);
}

static void check_end(void)
{
	card_deinit(&card);
	card_deinit(&card);
	assert_int_equal(fake.contexts, 0);
}

static void test_names(void **state)
{
	char text[16];

	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		assert_string_equal(outcome_code_name(rows[i].code, text, sizeof text),
			rows[i].name);
	assert_string_equal(outcome_code_name(SCARD_S_SUCCESS, text, sizeof text),
		"SCARD_S_SUCCESS");
}

static void test_establish(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		start(false);
		fake.establish = rows[i].code;
		call(WIRE_CONNECT);
		assert_int_equal(reply.outcome, rows[i].connecting);
		assert_string_equal(fake_calls(), "establish");
		check_end();
	}
}

static void test_connect(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		start(false);
		fake.connect = rows[i].code;
		call(WIRE_CONNECT);
		assert_int_equal(reply.outcome, rows[i].connecting);
		assert_int_equal(reply.protocol, 0);
		assert_string_equal(fake_calls(), "establish; connect R shared T0|T1; release");
		check_end();
	}
}

static void test_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		start(false);
		fake.status = rows[i].code;
		call(WIRE_CONNECT);
		assert_int_equal(reply.outcome, rows[i].connected);
		check_handle(&rows[i]);
		check_end();
	}
}

static void test_reconnect(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		start(true);
		fake.reconnect = rows[i].code;
		call(WIRE_CONNECT);
		assert_int_equal(reply.outcome, rows[i].connecting);
		assert_int_equal(reply.data.size, 0);
		check_handle(&rows[i]);
		check_end();
	}
}

static void test_transmit(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		start(true);
		fake.transmit = rows[i].code;
		call(WIRE_TRANSMIT);
		assert_int_equal(reply.outcome, rows[i].connected);
		assert_int_equal(reply.data.size, 0);
		check_handle(&rows[i]);
		check_end();
	}
}

/* An APDU is never sent again by ourselves, and a handle that is lost never opened again. */
static void test_nothing_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const char *calls;

		if (rows[i].code == SCARD_E_SHARING_VIOLATION)
			continue;
		start(true);
		fake.transmit = rows[i].code;
		call(WIRE_TRANSMIT);
		calls = fake_calls();
		assert_ptr_equal(strstr(calls, "transmit"), calls);
		assert_null(strstr(calls + 1, "transmit"));
		assert_null(strstr(calls, "connect R"));
		assert_null(strstr(calls, "reconnect"));
		check_end();
	}
}

/* Whatever SCardDisconnect says, the handle and the context are gone afterwards. */
static void test_disconnect(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		start(true);
		fake.disconnect = rows[i].code;
		call(WIRE_DISCONNECT);
		assert_int_equal(reply.outcome, WIRE_OK);
		assert_int_equal(reply.protocol, 0);
		assert_false(card.open);
		assert_int_equal(fake.contexts, 0);
		check_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_establish),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_reconnect),
		cmocka_unit_test(test_transmit),
		cmocka_unit_test(test_nothing_twice),
		cmocka_unit_test(test_disconnect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
