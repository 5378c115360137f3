/*
 * What commands mean to the PIN guard: tables of APDUs.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "base/cursor.h"
#include "host-bridge/pin_command.h"
#include "host-bridge/pin_structure.h"
#include "relay/wire.h"
#include "tests/unit/bridge/hex.h"

static uint8_t bytes[1024];

static struct payload_view hex(const char *text)
{
	return hex_bytes(text, bytes);
}

/* kind, reference, channel, and a letter for each thing that it is: "Query", "Proves", ... */
static void describe(const struct pin_command *command, char *text, size_t size)
{
	(void)snprintf(text, size, "%s %02X %u %s%s%s%s%s%s", pin_command_name(command),
		command->reference, command->channel, command->proves ? "v" : "",
		command->proprietary ? "p" : "", command->query ? "q" : "",
		command->part ? "c" : "", command->secured ? "s" : "",
		command->enveloped ? "e" : "");
}

struct row {
	const char *apdu;
	const char *meaning;
};

static void check_rows(const struct row *rows, size_t count,
	void (*read)(struct payload_view, struct pin_command *))
{
	struct pin_command command;
	char text[64];

	for (size_t i = 0; i < count; i++) {
		read(hex(rows[i].apdu), &command);
		describe(&command, text, sizeof text);
		if (command.kind == PIN_NONE || command.kind == PIN_UNREADABLE)
			(void)snprintf(text, sizeof text, "%s", pin_command_name(&command));
		if (strcmp(text, rows[i].meaning) != 0)
			fail_msg("%s is \"%s\", not \"%s\"", rows[i].apdu, text, rows[i].meaning);
	}
}

#define CHECK_ROWS(rows, read) check_rows(rows, sizeof(rows) / sizeof(rows)[0], read)

/* v: a PIN is in it, and 9000 proves that it is right. */
static void test_instructions(void **state)
{
	static const struct row rows[] = {
		{ "00 20 00 81 04 31323334", "verify 81 0 v" },
		{ "00 20 00 81 04 31323334 00", "verify 81 0 v" },
		{ "00 21 00 81 04 5F2E0131", "verify 81 0 v" },
		{ "00 24 00 02 04 31323334", "change 02 0 v" },
		{ "00 25 00 02 04 31323334", "change 02 0 v" },
		{ "00 26 00 02 04 31323334", "switch 02 0 " },
		{ "00 28 00 02 04 31323334", "switch 02 0 " },
		{ "00 2C 00 81 04 31323334", "reset-retry-counter 81 0 " },
		{ "00 2D 00 81 04 31323334", "reset-retry-counter 81 0 " },
		{ "00 2C 03 81", "reset-retry-counter 81 0 " },
		/* Neither MANAGE SECURITY ENVIRONMENT nor PERFORM SECURITY OPERATION is one of them. */
		{ "00 22 41 A4 03 830181", "none" },
		{ "00 2A 9E 9A 01 00 00", "none" },
		{ "00 23 00 81 01 00", "none" },
		{ "00 29 00 81 01 00", "none" },
		{ "00 A4 04 00 02 A000", "none" },
		{ "00 C0 00 00 20", "none" },
		/* New reference data alone (P1 01), or the end of a verified state (P1 FF): no PIN is in it. */
		{ "00 24 01 81 04 31323334", "change 81 0 " },
		{ "00 20 FF 81 04 31323334", "verify 81 0 " },
	};

	(void)state;
	CHECK_ROWS(rows, pin_command_read);
}

static void test_forms(void **state)
{
	static const struct row rows[] = {
		/* Cases 1 and, for T=0, 1 with P3. */
		{ "00 20 00 81", "query 81 0 q" },
		{ "00 20 00 81 00", "query 81 0 q" },
		{ "00 20 FF 81", "query 81 0 q" },
		{ "00 21 00 81", "verify 81 0 " },
		{ "00 24 00 81", "change 81 0 " },
		/* Case 2: nobody knows what a card makes of Le, and whether it waits for so many bytes. */
		{ "00 20 00 81 08", "verify 81 0 " },
		{ "00 20 00 81 000000", "verify 81 0 " },
		{ "00 20 00 81 000008", "verify 81 0 " },
		{ "00 20 00 81 0000", "verify 81 0 " },
		/* Cases 3E and 4E. */
		{ "00 20 00 81 000004 31323334", "verify 81 0 v" },
		{ "00 20 00 81 000004 31323334 0000", "verify 81 0 v" },
		/* Lengths that lie, and bytes that are left over. */
		{ "00 20 00 81 05 31323334", "verify 81 0 " },
		{ "00 20 00 81 03 3132333400 00", "verify 81 0 " },
		{ "00 20 00 81 FFFF 31", "verify 81 0 " },
		{ "00 20 00 81 00FFFF 31", "verify 81 0 " },
		/* Cut short. */
		{ "", "none" },
		{ "00", "none" },
		{ "00 20", "unreadable" },
		{ "00 20 00", "unreadable" },
		{ "FF 2C", "unreadable" },
		{ "00 A4 00", "none" },
	};

	(void)state;
	CHECK_ROWS(rows, pin_command_read);
}

/* c: of a chain; s: with secure messaging; p: proprietary. */
static void test_classes(void **state)
{
	static const struct row rows[] = {
		{ "01 20 00 81 01 31", "verify 81 1 v" },
		{ "03 20 00 81", "query 81 3 q" },
		{ "10 20 00 81 01 31", "verify 81 0 vc" },
		{ "10 20 00 81", "verify 81 0 c" },
		{ "12 24 00 81 01 31", "change 81 2 vc" },
		{ "04 20 00 81 01 31", "verify 81 0 s" },
		{ "0C 20 00 81 01 31", "verify 81 0 s" },
		{ "0C 20 00 81", "verify 81 0 s" },
		{ "1F 20 00 81 01 31", "verify 81 3 cs" },
		{ "40 20 00 81 01 31", "verify 81 4 v" },
		{ "4F 20 00 81", "query 81 19 q" },
		{ "5F 20 00 81 01 31", "verify 81 19 vc" },
		{ "60 20 00 81 01 31", "verify 81 4 s" },
		{ "7F 20 00 81 01 31", "verify 81 19 cs" },
		{ "20 20 00 81 01 31", "verify 81 0 vp" },
		{ "3F 20 00 81", "verify 81 3 pc" },
		{ "80 20 00 81 01 31", "verify 81 0 vp" },
		{ "84 24 00 81 01 31", "change 81 0 vp" },
		{ "90 20 00 81 01 31", "verify 81 0 vpc" },
		{ "A0 2C 00 01 01 31", "reset-retry-counter 01 0 p" },
		{ "A0 20 00 01", "verify 01 0 p" },
		{ "FF 20 00 81 01 31", "verify 81 3 vpc" },
	};

	(void)state;
	CHECK_ROWS(rows, pin_command_read);
}

/* e: in an envelope. */
static void test_envelopes(void **state)
{
	static const struct row rows[] = {
		{ "00 C2 00 00 09 0020008104 31323334", "verify 81 0 e" },
		{ "00 C2 00 00 09 0020008104 31323334 00", "verify 81 0 e" },
		{ "00 C2 00 00 000009 0020008104 31323334", "verify 81 0 e" },
		{ "10 C2 00 00 05 0120008204", "verify 82 1 e" },
		{ "00 C2 00 00 04 00200081", "verify 81 0 e" },
		{ "00 C2 00 00 04 00A40400", "none" },
		{ "00 C2 00 00", "none" },
		{ "00 C2 00 00 00", "none" },
		/* A header that comes in pieces, and a length that hides it. */
		{ "00 C2 00 00 02 0020", "unreadable" },
		{ "00 C2 00 00 01 00", "unreadable" },
		{ "00 C2 00 00 02 0020008104 31323334", "unreadable" },
		{ "00 C2 00 00 7F 0020008104 31323334", "verify 81 0 e" },
		{ "00 C3 00 00 04 00A40400", "unreadable" },
		/* Of a SIM: something else. */
		{ "A0 C2 00 00 05 D120008104", "none" },
		{ "80 C2 00 00 05 D120008104", "none" },
	};

	(void)state;
	CHECK_ROWS(rows, pin_command_read);
}

#define VERIFY "00 1E 82 48 03 0804 02 01 0904 05 000000 "
#define MODIFY(messages) "01 1E 82 48 03 08 00 0804 03 02 " messages " 000000 "

static void test_pin_pad(void **state)
{
	static const struct row rows[] = {
		{ VERIFY "00200081 08 FFFFFFFFFFFFFFFF", "verify 81 0 v" },
		{ VERIFY "00200081", "verify 81 0 v" },
		{ VERIFY "0CDA0081", "verify 81 0 s" },
		{ VERIFY "A0200001", "verify 01 0 vp" },
		{ VERIFY "00240081", "change 81 0 v" },
		/* The reader puts a PIN into whatever this is. */
		{ VERIFY "00DA0083", "verify 83 0 " },
		{ MODIFY("00 0904 05") "00240081", "change 81 0 v" },
		{ MODIFY("01 0904 05 06") "00240082", "change 82 0 v" },
		{ MODIFY("02 0904 05 06") "00240083", "change 83 0 v" },
		{ MODIFY("03 0904 05 06 07") "00240084", "change 84 0 v" },
		{ MODIFY("FF 0904 05 06 07") "002C0085", "reset-retry-counter 85 0 " },
		{ VERIFY "002000", "unreadable" },
		{ "00 1E 82", "unreadable" },
		{ "", "unreadable" },
		{ "02", "unreadable" },
		{ "04 1E 82 48 03 0804 02 01 0904 05 000000 00200081", "unreadable" },
	};

	(void)state;
	CHECK_ROWS(rows, pin_command_read_secure);
}

/* Whatever the worker makes a structure of has the APDU that was judged. */
static void test_worker_agrees(void **state)
{
	uint8_t structure[2 * sizeof bytes];
	struct payload_view secure = { bytes, 40 }, apdu;
	enum pin_structure kind;

	(void)state;
	for (size_t i = 0; i < 40; i++)
		bytes[i] = (uint8_t)i;
	for (uint8_t operation = 0; operation < 3; operation++) {
		for (unsigned int number = 0; number < 256; number++) {
			struct cursor_out out = cursor_out(structure, sizeof structure);

			bytes[0] = operation;
			bytes[8] = bytes[11] = (uint8_t)number;
			if (pin_structure_write(secure, &out, &kind) != 0)
				continue;
			assert_int_equal(pin_structure_find_apdu(secure, &apdu), 0);
			assert_true(apdu.size < out.size);
			assert_memory_equal(apdu.bytes, &structure[out.size - apdu.size], apdu.size);
			assert_int_equal(structure[out.size - apdu.size - 4], apdu.size);
		}
	}
}

static void test_selections(void **state)
{
	uint32_t first = 0, second = 0, third = 0;
	uint8_t channel = 9;

	(void)state;
	assert_true(pin_command_selects(hex("00 A4 04 00 02 A000"), &channel, &first));
	assert_int_equal(channel, 0);
	assert_true(pin_command_selects(hex("02 A4 04 00 02 A000"), &channel, &second));
	assert_int_equal(channel, 2);
	assert_int_equal(first, second);
	assert_true(pin_command_selects(hex("45 A4 04 00 02 A001"), &channel, &third));
	assert_int_equal(channel, 9);
	assert_int_not_equal(first, third);
	assert_true(first != 0 && third != 0);
	assert_false(pin_command_selects(hex("00 A5 04 00 02 A000"), &channel, &first));
	assert_false(pin_command_selects(hex("00"), &channel, &first));
	assert_false(pin_command_selects(hex(""), &channel, &first));
}

static void test_statuses(void **state)
{
	static const struct {
		const char *command;
		const char *response;
		uint16_t sw;
	} rows[] = {
		{ "00 20 00 81 01 31", "63C2", 0x63C2 },
		{ "00 20 00 81 01 31", "0102 9000", 0x9000 },
		{ "00 20 00 81 01 31", "90", 0 },
		{ "00 20 00 81 01 31", "", 0 },
		/* ISO/IEC 7816-4:2005, 6.2: DO'99' is the status of what was secured. */
		{ "0C 20 00 81 01 31", "99 02 63C1 8E 04 01020304 9000", 0x63C1 },
		{ "0C 20 00 81 01 31", "87 02 0100 99 02 9000 8E 01 00 9000", 0x9000 },
		{ "0C 20 00 81 01 31", "87 81 02 0100 99 02 6983 9000", 0x6983 },
		{ "0C 20 00 81 01 31", "87 82 0002 0100 99 02 6983 9000", 0x6983 },
		{ "0C 20 00 81 01 31", "63C1", 0x63C1 },
		{ "0C 20 00 81 01 31", "9000", 0 },
		{ "0C 20 00 81 01 31", "99 01 63 9000", 0 },
		{ "0C 20 00 81 01 31", "99 02 63 9000", 0 },
		{ "0C 20 00 81 01 31", "87 83 000001 00 99 02 9000 9000", 0 },
		{ "0C 20 00 81 01 31", "87 7F 99 02 9000 9000", 0 },
		{ "00 20 00 81 01 31", "99 02 63C1 9000", 0x9000 },
	};
	struct pin_command command;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		pin_command_read(hex(rows[i].command), &command);
		if (pin_command_status(&command, hex(rows[i].response)) != rows[i].sw)
			fail_msg("%s: not %04X", rows[i].response, rows[i].sw);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_instructions),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_envelopes),
		cmocka_unit_test(test_pin_pad),
		cmocka_unit_test(test_worker_agrees),
		cmocka_unit_test(test_selections),
		cmocka_unit_test(test_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
