/*
 * vpcd's frames: whole, in pieces, several at once, and the longest.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those four before it. */
#include <cmocka.h>
#include <string.h>

#include "tests/card/test-hex.h"
#include "tests/card/vpcd.h"

static struct vpcd vpcd;

static void receive(const uint8_t *bytes, size_t size)
{
	size_t room;
	uint8_t *at = vpcd_room(&vpcd, &room);

	assert_true(size <= room);
	memcpy(at, bytes, size);
	vpcd_received(&vpcd, size);
}

static void expect(enum vpcd_kind kind, size_t size)
{
	struct vpcd_message message;

	assert_int_equal(vpcd_next(&vpcd, &message), 0);
	assert_int_equal(message.kind, kind);
	assert_int_equal(message.apdu.size, size);
	vpcd_pop(&vpcd);
}

static void expect_nothing(void)
{
	struct vpcd_message message;

	assert_int_equal(vpcd_next(&vpcd, &message), VPCD_MORE);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *frame;
		enum vpcd_kind kind;
		size_t apdu;
	} table[] = {
		{ "00 01 00", VPCD_POWER_OFF, 0 },
		{ "00 01 01", VPCD_POWER_ON, 0 },
		{ "00 01 02", VPCD_RESET, 0 },
		{ "00 01 04", VPCD_ATR, 0 },
		{ "00 01 03", VPCD_UNKNOWN, 0 },
		{ "00 01 FF", VPCD_UNKNOWN, 0 },
		{ "00 00", VPCD_UNKNOWN, 0 },
		{ "00 04 00 A4 00 00", VPCD_APDU, 4 },
		{ "00 02 00 A4", VPCD_APDU, 2 },
	};
	uint8_t bytes[16];
	size_t size;

	(void)state;
	vpcd_init(&vpcd);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size = test_hex(table[i].frame, bytes);
		for (size_t j = 0; j < size; j++) { /* byte by byte */
			expect_nothing();
			receive(&bytes[j], 1);
		}
		expect(table[i].kind, table[i].apdu);
		expect_nothing();
	}
}

static void test_several_at_once(void **state)
{
	uint8_t bytes[16];
	size_t size = test_hex("00 01 00  00 01 01  00 04 00 A4 00 00  00", bytes);

	(void)state;
	vpcd_init(&vpcd);
	receive(bytes, size);
	expect(VPCD_POWER_OFF, 0);
	expect(VPCD_POWER_ON, 0);
	expect(VPCD_APDU, 4);
	expect_nothing();
	receive((const uint8_t[]){ 0x01, 0x04 }, 2);
	expect(VPCD_ATR, 0);
	expect_nothing();
}

static void test_longest(void **state)
{
	static uint8_t bytes[VPCD_HEADER_SIZE + VPCD_FRAME_MAX];
	size_t room;

	(void)state;
	vpcd_init(&vpcd);
	vpcd_header(bytes, VPCD_FRAME_MAX);
	assert_memory_equal(bytes, "\xFF\xFF", 2);
	receive(bytes, sizeof(bytes) - 1);
	expect_nothing();
	(void)vpcd_room(&vpcd, &room);
	assert_int_equal(room, 1);
	receive(bytes, 1);
	(void)vpcd_room(&vpcd, &room);
	assert_int_equal(room, 0);
	expect(VPCD_APDU, VPCD_FRAME_MAX);
	expect_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_several_at_once),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
