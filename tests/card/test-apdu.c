/*
 * The seven forms of ISO/IEC 7816-3:2006, 12.1, and what is none of them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those four before it. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/card/apdu.h"
#include "tests/card/test-hex.h"

static const struct {
	const char *bytes;
	int result;
	size_t nc;
	uint32_t ne;
	bool extended;
} table[] = {
	{ "00 A4 04 0C", 0, 0, 0, false },
	{ "00 B0 00 00 05", 0, 0, 5, false },
	{ "00 B0 00 00 00", 0, 0, 256, false },
	{ "00 20 00 81 02 31 32", 0, 2, 0, false },
	{ "00 A4 04 00 02 3F 00 00", 0, 2, 256, false },
	{ "00 A4 04 00 02 3F 00 07", 0, 2, 7, false },
	{ "00 B0 00 00 00 01 00", 0, 0, 256, true },
	{ "00 B0 00 00 00 00 00", 0, 0, 65536, true },
	{ "80 12 00 02 00 00 02 AA BB", 0, 2, 0, true },
	{ "80 12 00 02 00 00 02 AA BB 00 08", 0, 2, 8, true },
	{ "80 12 00 02 00 00 02 AA BB 00 00", 0, 2, 65536, true },
	{ "", APDU_MALFORMED, 0, 0, false },
	{ "00 A4 04", APDU_MALFORMED, 0, 0, false },
	{ "00 20 00 81 02 31", APDU_MALFORMED, 0, 0, false },             /* data cut */
	{ "00 20 00 81 02 31 32 00 00", APDU_MALFORMED, 0, 0, false },    /* one byte too many */
	{ "00 20 00 81 00 00", APDU_MALFORMED, 0, 0, false },             /* half a Le */
	{ "80 12 00 00 00 00 00 00", APDU_MALFORMED, 0, 0, false },       /* extended Lc of 0 */
	{ "80 12 00 00 00 00 00 00 00", APDU_MALFORMED, 0, 0, false },
	{ "80 12 00 02 00 00 02 AA", APDU_MALFORMED, 0, 0, false },
	{ "80 12 00 02 00 00 02 AA BB 00", APDU_MALFORMED, 0, 0, false }, /* half a Le */
	{ "80 12 00 02 00 00 02 AA BB 00 00 00", APDU_MALFORMED, 0, 0, false },
};

static void test_forms(void **state)
{
	uint8_t bytes[64], *exact;
	struct apdu apdu;
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].bytes);
		size = test_hex(table[i].bytes, bytes);
		exact = malloc(size + 1); /* so that a sanitizer sees a read beyond the end */
		assert_non_null(exact);
		exact = size == 0 ? exact : memcpy(realloc(exact, size), bytes, size);
		assert_int_equal(apdu_decode((struct payload_view){ exact, size }, &apdu),
				 table[i].result);
		assert_int_equal(apdu.data.size, table[i].nc);
		assert_int_equal(apdu.ne, table[i].ne);
		assert_int_equal(apdu.has_le, table[i].ne > 0);
		assert_int_equal(apdu.extended, table[i].extended);
		if (apdu.data.size == 2)
			assert_ptr_equal(apdu.data.bytes, &exact[apdu.extended ? 7 : 5]);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_forms) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
