/*
 * Answers to reset, of cards in the field and of none, and the parameters that follow from them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/ccid/atr.h"
#include "gadget/ccid/parameters.h"

struct vector {
	const char *what;
	const char *bytes;     /* hexadecimal */
	int result;
	uint16_t protocols;
	uint8_t first;
	const char *t0;        /* CCID 1.1, 6.2.3: abProtocolDataStructure for T=0 and for T=1 */
	const char *t1;
};

static const struct vector vectors[] = {
	{ "the shortest", "3B00", 0, ATR_T0, 0, "1100000A00", "1110004D002000" },
	{ "T=0, historical bytes", "3B02 1450", 0, ATR_T0, 0, "1100000A00", "1110004D002000" },
	{ "T=0 by TD1, TC1", "3B65 0000 9C02020102", 0, ATR_T0, 0, "1100000A00", "1110004D002000" },
	{ "inverse convention, TA1 to TC1, TC2", "3F7F 1100FF 00112233445566778899AABBCCDDEE", 0,
		ATR_T0, 0, "1102FF0A00", "1112FF4D002000" },
	{ "OpenPGP card 3.4: T=1, TA3, TB3, T=15", "3BDA18FF81B1FE751F030031F573C001600090001C", 0,
		ATR_T1 | 1U << 15, 1, "1800FF0A00", "1810FF7500FE00" },
	{ "both protocols", "3B80800101", 0, ATR_T0 | ATR_T1, 0, "1100000A00", "1110004D002000" },
	{ "specific mode: TA2", "3B90 11 10 81", 0, ATR_T0, 0, "1100000A00", "1110004D002000" },
	{ "T=1 with CRC: TC3", "3B80 81 41 01 C0", ATR_MALFORMED, ATR_T0, 0, NULL, NULL },
	{ "T=1 with CRC, right TCK", "3B80 81 41 01 41", 0, ATR_T1, 1, "1100000A00",
		"1111004D002000" },
	{ "T=15, clock stop", "3B80 80 1F C0 DF", 0, ATR_T0 | 1U << 15, 0, "1100000A03",
		"1110004D032000" },
	{ "TCK wrong by one bit", "3B80800100", ATR_MALFORMED, ATR_T0, 0, NULL, NULL },
	{ "TCK missing", "3B808001", ATR_MALFORMED, ATR_T0, 0, NULL, NULL },
	{ "nothing", "", ATR_MALFORMED, ATR_T0, 0, NULL, NULL },
	{ "TS alone", "3B", ATR_MALFORMED, ATR_T0, 0, NULL, NULL },
	{ "not an ATR", "0000", ATR_MALFORMED, ATR_T0, 0, NULL, NULL },
	{ "a historical byte missing", "3B02 14", ATR_MALFORMED, ATR_T0, 0, NULL, NULL },
	{ "trailing bytes", "3B00 0102", ATR_MALFORMED, ATR_T0, 0, NULL, NULL },
	{ "longer than any", "3BFF 110000F0 110000F0 110000F0 11000070 110000 000102030405060708090A0B0C0D0E",
		ATR_MALFORMED, ATR_T0, 0, NULL, NULL },
	{ "groups without end", "3BF0 FFFFFFF0 FFFFFFF0 FFFFFFF0 FFFFFFF0 FFFFFFF0 FFFFFFF0 FFFFFFF0",
		ATR_MALFORMED, ATR_T0, 0, NULL, NULL },
};

static size_t from_hex(const char *text, uint8_t *bytes)
{
	size_t digits = 0;

	for (; *text != '\0'; text++) {
		char digit[2] = { *text, '\0' };

		if (*text == ' ')
			continue;
		bytes[digits / 2] = (uint8_t)(bytes[digits / 2] * 16U + strtoul(digit, NULL, 16));
		digits++;
	}
	return digits / 2;
}

static void assert_parameters(const struct atr *atr, uint8_t protocol, const char *expected)
{
	struct parameters parameters = parameters_from_atr(atr, protocol);
	uint8_t bytes[PARAMETERS_SIZE_MAX] = { 0 };

	assert_int_equal(parameters.bProtocolNum, protocol);
	assert_int_equal(parameters.size, parameters_size(protocol));
	assert_int_equal(from_hex(expected, bytes), parameters.size);
	assert_memory_equal(parameters.structure, bytes, parameters.size);
}

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *vector = &vectors[i];
		uint8_t bytes[64] = { 0 };
		struct payload_view view = { bytes, from_hex(vector->bytes, bytes) };
		struct atr atr;

		print_message("%s\n", vector->what);
		assert_int_equal(atr_parse(view, &atr), vector->result);
		assert_int_equal(atr.protocols, vector->protocols);
		assert_int_equal(atr.first, vector->first);
		if (vector->t0 == NULL)
			continue;
		assert_parameters(&atr, 0, vector->t0);
		assert_parameters(&atr, 1, vector->t1);
	}
}

/* No prefix of a good ATR is one, with the exception that its last byte may be TCK. */
static void test_truncation(void **state)
{
	uint8_t bytes[64] = { 0 };
	size_t size = from_hex("3BDA18FF81B1FE751F030031F573C001600090001C", bytes);
	struct atr atr;

	(void)state;
	for (size_t i = 0; i < size; i++)
		assert_int_equal(atr_parse((struct payload_view){ bytes, i }, &atr), ATR_MALFORMED);
	assert_int_equal(atr_parse((struct payload_view){ bytes, size }, &atr), 0);
}

static void test_no_other_protocol_has_parameters(void **state)
{
	(void)state;
	assert_int_equal(parameters_size(2), 0);
	assert_int_equal(parameters_size(255), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_no_other_protocol_has_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
