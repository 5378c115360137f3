/*
 * What the guard at a reader tells the audit log: one line for each verification, by its outcome, and for
 * each card that is opened or closed, and nothing else.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host-bridge/reader_guard.h"
#include "tests/unit/bridge/captured_log.h"
#include "tests/unit/bridge/hex.h"

#define NOW 1000
#define HEAD "program: info: vm1: audit: event="
#define TAIL " guest=\"vm1\" reader=\"R\"\n"
#define PAD "00 1E 82 48 03 0804 02 01 0904 05 000000 "
#define NOTHING NULL

static const uint8_t atr[] = { 0x3B, 0x80, 0x01, 0x81 };

static struct pin_guard pin_guard;
static struct audit audit;
static struct reader_guard guard;

struct row {
	uint8_t operation;
	const char *data;
	uint8_t outcome;
	const char *response;
	const char *line; /* behind "verification "; NOTHING: none */
};

static const struct row rows[] = {
	{ WIRE_TRANSMIT, "00200081 02 3132", WIRE_OK, "9000", "command=verify reference=81 result=verified sw=9000" },
	{ WIRE_TRANSMIT, "00200081 02 3132", WIRE_OK, "63C2",
	  "command=verify reference=81 result=wrong tries=2 sw=63C2" },
	{ WIRE_TRANSMIT, "00200081 02 3132", WIRE_OK, "6300", "command=verify reference=81 result=wrong sw=6300" },
	{ WIRE_TRANSMIT, "00200081 02 3132", WIRE_OK, "6983",
	  "command=verify reference=81 result=blocked tries=0 sw=6983" },
	{ WIRE_TRANSMIT, "00200081 02 3132", WIRE_OK, "6982", "command=verify reference=81 result=failed sw=6982" },
	{ WIRE_TRANSMIT, "00200081 02 3132", WIRE_OK, "6D00", "command=verify reference=81 result=rejected sw=6D00" },
	{ WIRE_TRANSMIT, "00200081 02 3132", WIRE_OK, "90", "command=verify reference=81 result=failed" },
	{ WIRE_TRANSMIT, "00240082 02 3132", WIRE_OK, "9000", "command=change reference=82 result=verified sw=9000" },
	{ WIRE_TRANSMIT, "00280081 02 3132", WIRE_OK, "63C1",
	  "command=switch reference=81 result=wrong tries=1 sw=63C1" },
	{ WIRE_TRANSMIT, "002C0081 02 3132", WIRE_OK, "63C0",
	  "command=reset-retry-counter reference=81 result=wrong tries=0 sw=63C0" },
	/* What the worker says in the card's place. */
	{ WIRE_TRANSMIT, "00200081 02 3132", WIRE_CARD_BUSY, "", "command=verify reference=81 result=unsent" },
	{ WIRE_TRANSMIT, "00200081 02 3132", WIRE_NOT_CONNECTED, "", "command=verify reference=81 result=unsent" },
	{ WIRE_TRANSMIT, "00200081 02 3132", WIRE_OUTCOME_UNKNOWN, "", "command=verify reference=81 result=lost" },
	{ WIRE_TRANSMIT, "00200081 02 3132", WIRE_CARD_RESET, "", "command=verify reference=81 result=lost" },
	/* Of a chain the end, of an envelope all. */
	{ WIRE_TRANSMIT, "10200081 02 3132", WIRE_OK, "9000", NOTHING },
	{ WIRE_TRANSMIT, "10200081 02 3132", WIRE_OK, "63C1",
	  "command=verify reference=81 result=wrong tries=1 sw=63C1" },
	{ WIRE_TRANSMIT, "00C20000 07 0020008102 3132", WIRE_OK, "9000",
	  "command=verify reference=81 result=lost sw=9000" },
	/* At the PIN pad. */
	{ WIRE_SECURE, PAD "00200081", WIRE_OK, "9000",
	  "command=verify reference=81 result=verified sw=9000 pin-pad=yes" },
	{ WIRE_SECURE, PAD "00200081", WIRE_OK, "63C1",
	  "command=verify reference=81 result=wrong tries=1 sw=63C1 pin-pad=yes" },
	{ WIRE_SECURE, PAD "00200081", WIRE_OK, "6401",
	  "command=verify reference=81 result=rejected sw=6401 pin-pad=yes" },
	{ WIRE_SECURE, PAD "00200081", WIRE_TIMED_OUT, "", "command=verify reference=81 result=unsent pin-pad=yes" },
	{ WIRE_SECURE, PAD "00200081", WIRE_CANCELLED, "", "command=verify reference=81 result=unsent pin-pad=yes" },
	{ WIRE_SECURE, PAD "00200081", WIRE_UNSUPPORTED, "",
	  "command=verify reference=81 result=unsent pin-pad=yes" },
	/* What is none, or asks. */
	{ WIRE_TRANSMIT, "00200081", WIRE_OK, "63C1", NOTHING },
	{ WIRE_TRANSMIT, "00B00000 00", WIRE_OK, "9000", NOTHING },
	{ WIRE_TRANSMIT, "00A40400 02 A001", WIRE_CARD_RESET, "", NOTHING },
};

static const struct row refused_rows[] = {
	{ WIRE_TRANSMIT, "00200081 02 3132", 0, "", "command=verify reference=81 result=refused tries=3" },
	{ WIRE_TRANSMIT, "00200081", 0, "", "command=query reference=81 result=refused tries=3" },
	{ WIRE_SECURE, PAD "00240081", 0, "", "command=change reference=81 result=refused tries=3 pin-pad=yes" },
	{ WIRE_SECURE, "04", 0, "", "command=unreadable reference=00 result=refused tries=3 pin-pad=yes" },
};

static void start(unsigned int keep)
{
	pin_guard_init(&pin_guard);
	audit_init(&audit, "vm1");
	reader_guard_init(&guard, &pin_guard, &audit, "R", 1, keep, false);
	guard.insertion = 1;
	reader_guard_opened(&guard, NOW, WIRE_PROTOCOL_T1, (struct payload_view){ atr, sizeof atr });
	(void)captured_log();
}

static void assert_line(const struct row *row)
{
	char line[512] = "";

	if (row->line != NOTHING)
		(void)snprintf(line, sizeof line, HEAD "verification %s" TAIL, row->line);
	assert_string_equal(captured_log(), line);
}

static void test_outcomes(void **state)
{
	uint8_t data[64], response[8];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wire_call call = { .operation = rows[i].operation, .data = hex_bytes(rows[i].data, data) };
		struct wire_reply reply = { .outcome = rows[i].outcome,
			.data = hex_bytes(rows[i].response, response) };

		start(1);
		assert_true(reader_guard_may(&guard, NOW, &call, &reply));
		reader_guard_send(&guard, &call);
		reply.outcome = rows[i].outcome;
		assert_false(reader_guard_answered(&guard, NOW, &call, &reply));
		assert_line(&rows[i]);
	}
}

static void test_refusals(void **state)
{
	uint8_t data[64];

	(void)state;
	for (size_t i = 0; i < sizeof refused_rows / sizeof refused_rows[0]; i++) {
		struct wire_call call = { .operation = refused_rows[i].operation,
			.data = hex_bytes(refused_rows[i].data, data) };
		struct wire_reply answer;

		start(3);
		assert_false(reader_guard_may(&guard, NOW, &call, &answer));
		assert_line(&refused_rows[i]);
	}
}

/* The worker's end is the outcome of what it had; and the card is closed. */
static void test_ends(void **state)
{
	static const struct {
		const char *data;
		bool unsent;
		const char *lines;
	} ends[] = {
		{ "00200081 02 3132", false, HEAD "verification command=verify reference=81 result=lost" TAIL
		  HEAD "card-closed" TAIL },
		{ "00200081 02 3132", true, HEAD "verification command=verify reference=81 result=unsent" TAIL
		  HEAD "card-closed" TAIL },
		{ "00B00000 00", false, HEAD "card-closed" TAIL },
	};
	uint8_t data[64];

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		struct wire_call call = { .operation = WIRE_TRANSMIT, .data = hex_bytes(ends[i].data, data) };
		struct wire_reply answer;

		start(1);
		assert_true(reader_guard_may(&guard, NOW, &call, &answer));
		reader_guard_send(&guard, &call);
		reader_guard_ended(&guard, NOW, ends[i].unsent);
		assert_string_equal(captured_log(), ends[i].lines);
		assert_null(guard.handle.card);
	}
}

/* Once for an opening, whatever is reset in between, and once for its end. */
static void test_card(void **state)
{
	const struct payload_view view = { atr, sizeof atr };

	(void)state;
	start(1);
	reader_guard_opened(&guard, NOW, WIRE_PROTOCOL_T1, view);
	assert_string_equal(captured_log(), "");
	reader_guard_dropped(&guard, NOW);
	assert_string_equal(captured_log(), HEAD "card-closed" TAIL);
	assert_non_null(guard.handle.card);
	reader_guard_closed(&guard, NOW);
	assert_string_equal(captured_log(), "");
	assert_null(guard.handle.card);
	reader_guard_opened(&guard, NOW, WIRE_PROTOCOL_T0, view);
	assert_string_equal(captured_log(), HEAD "card-opened protocol=T0" TAIL);
	reader_guard_closed(&guard, NOW);
	assert_string_equal(captured_log(), HEAD "card-closed" TAIL);
	reader_guard_opened(&guard, NOW, WIRE_PROTOCOL_T1, view);
	assert_string_equal(captured_log(), HEAD "card-opened protocol=T1" TAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_card),
	};

	return cmocka_run_group_tests(tests, captured_log_set_up, captured_log_tear_down);
}
