/*
 * The APDUs that `exchange` sends: their bytes, and that the card's decoder reads them back.
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

#include "tests/card/apdu.h"
#include "tests/card/test-hex.h"
#include "tests/pcsc/command.h"

static uint8_t encoded[COMMAND_APDU_MAX], data[65536];

static void test_forms(void **state)
{
	static const struct {
		size_t nc;
		uint32_t ne;
		bool extended;
		const char *form, *bytes;
	} table[] = {
		{ 0, 0, false, "1", "80 10 12 34" },
		{ 0, 0, true, "1", "80 10 12 34" },
		{ 0, 5, false, "2S", "80 10 12 34 05" },
		{ 0, 256, false, "2S", "80 10 12 34 00" },
		{ 0, 256, true, "2E", "80 10 12 34 00 01 00" },
		{ 0, 65536, true, "2E", "80 10 12 34 00 00 00" },
		{ 2, 0, false, "3S", "80 10 12 34 02 00 00" },
		{ 2, 0, true, "3E", "80 10 12 34 00 00 02 00 00" },
		{ 2, 256, false, "4S", "80 10 12 34 02 00 00 00" },
		{ 2, 7, true, "4E", "80 10 12 34 00 00 02 00 00 00 07" },
	};
	struct command command = { .cla = 0x80, .ins = 0x10, .p1p2 = 0x1234, .data = data };
	uint8_t expected[32];
	struct cursor_out out;
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		command.nc = table[i].nc;
		command.ne = table[i].ne;
		command.extended = table[i].extended;
		out = cursor_out(encoded, sizeof(encoded));
		assert_int_equal(command_encode(&command, &out), 0);
		size = test_hex(table[i].bytes, expected);
		assert_int_equal(out.size, size);
		assert_memory_equal(encoded, expected, size);
		assert_string_equal(command_case(&command), table[i].form);
	}
}

static void test_limits(void **state)
{
	struct command command = { .data = data };
	struct cursor_out out = cursor_out(encoded, sizeof(encoded));

	(void)state;
	command.nc = 256;
	assert_int_equal(command_encode(&command, &out), COMMAND_UNENCODABLE);
	command.nc = 0;
	command.ne = 257;
	assert_int_equal(command_encode(&command, &out), COMMAND_UNENCODABLE);
	command.extended = true;
	command.nc = 65536;
	assert_int_equal(command_encode(&command, &out), COMMAND_UNENCODABLE);
	command.nc = 65535;
	command.ne = 65537;
	assert_int_equal(command_encode(&command, &out), COMMAND_UNENCODABLE);
	command.ne = 65536;
	assert_int_equal(command_encode(&command, &out), 0);
	assert_int_equal(out.size, COMMAND_APDU_MAX);
	out = cursor_out(encoded, COMMAND_APDU_MAX - 1);
	assert_int_equal(command_encode(&command, &out), COMMAND_UNENCODABLE);
}

/* Every length, every form: decoded by the card as it was meant. */
static void test_round_trip(void **state)
{
	struct command command = { .cla = 0x80, .ins = 0x12, .data = data };
	struct cursor_out out;
	struct apdu apdu;

	(void)state;
	for (size_t n = 0; n <= 600; n++) {
		for (int form = 0; form < 4; form++) {
			command.nc = n;
			command.extended = form & 1;
			command.ne = form & 2 ? (uint32_t)(n == 0 ? 256 : n) : 0;
			out = cursor_out(encoded, sizeof(encoded));
			if (!command.extended && (command.nc > 255 || command.ne > 256))
				continue;
			assert_int_equal(command_encode(&command, &out), 0);
			assert_int_equal(
				apdu_decode((struct payload_view){ encoded, out.size }, &apdu), 0);
			assert_int_equal(apdu.data.size, n);
			assert_int_equal(apdu.ne, command.ne);
			if (command.nc > 0 || command.ne > 0)
				assert_int_equal(apdu.extended, command.extended);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
