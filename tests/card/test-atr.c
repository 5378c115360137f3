/*
 * Every ATR of the table is what its name says; and the checker finds what is wrong with a bad one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those four before it. */
#include <cmocka.h>

#include "tests/card/atr.h"

static const struct {
	const char *name;
	int check;
	bool t0, t1, tck;
	size_t size;
} named[] = {
	{ "t0", 0, true, false, false, 11 },
	{ "t0-inverse", 0, true, false, false, 11 },
	{ "t1", 0, false, true, true, 16 },
	{ "dual", 0, true, true, true, 16 },
	{ "contactless", 0, true, true, true, 13 },
	{ "extended", 0, false, true, true, 20 },
	{ "slow-t1", 0, false, true, true, 16 },
	{ "t1-specific", 0, false, true, true, 17 },
	{ "t1-implicit", 0, false, true, true, 17 },
	{ "longest", 0, true, true, true, 33 },
	{ "bad-tck", ATR_MALFORMED, false, true, true, 16 },
};

static void test_named(void **state)
{
	struct atr_info info;
	struct atr atr;

	(void)state;
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		print_message("%s\n", named[i].name);
		assert_int_equal(atr_by_name(named[i].name, &atr), 0);
		assert_int_equal(atr_check(&atr, &info), named[i].check);
		assert_int_equal(atr.size, named[i].size);
		assert_int_equal(info.t0, named[i].t0);
		assert_int_equal(info.t1, named[i].t1);
		assert_int_equal(info.has_tck, named[i].tck);
	}
}

/* The table above has a row for each ATR: a new one can't be forgotten here. */
static void test_all_are_tested(void **state)
{
	const char *about;
	size_t count = 0;

	(void)state;
	while (atr_name(count, &about) != NULL)
		count++;
	assert_int_equal(count, sizeof(named) / sizeof(named[0]));
}

static const struct {
	const char *hex;
	int found, check;
} literal[] = {
	{ "hex:3B00", 0, 0 },
	{ "hex:3b0", ATR_UNKNOWN, 0 },
	{ "hex:3B", ATR_UNKNOWN, 0 },
	{ "hex:3X00", ATR_UNKNOWN, 0 },
	{ "hex:", ATR_UNKNOWN, 0 },
	{ "t2", ATR_UNKNOWN, 0 },
	{ "", ATR_UNKNOWN, 0 },
	{ "hex:3B0011", 0, ATR_MALFORMED },               /* one byte too many */
	{ "hex:3B02", 0, ATR_MALFORMED },                 /* historical bytes missing */
	{ "hex:3B80", 0, ATR_MALFORMED },                 /* TD1 missing */
	{ "hex:3C00", 0, ATR_MALFORMED },                 /* TS */
	{ "hex:3B800181", 0, 0 },
	{ "hex:3B800180", 0, ATR_MALFORMED },             /* TCK is wrong ... */
	{ "hex:3B800181FF", 0, ATR_MALFORMED },           /* ... or not the last byte */
	{ "hex:3B8001", 0, ATR_MALFORMED },               /* T=1 without TCK */
	{ "hex:3B800181818181", 0, ATR_MALFORMED },
	{ "hex:3F6525082904F1F1F1", 0, 0 },
	{ "hex:3F6525082904F1F1", 0, ATR_MALFORMED },
};

static void test_literal(void **state)
{
	struct atr_info info;
	struct atr atr;

	(void)state;
	for (size_t i = 0; i < sizeof(literal) / sizeof(literal[0]); i++) {
		print_message("%s\n", literal[i].hex);
		assert_int_equal(atr_by_name(literal[i].hex, &atr), literal[i].found);
		if (literal[i].found == 0)
			assert_int_equal(atr_check(&atr, &info), literal[i].check);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_all_are_tested),
		cmocka_unit_test(test_literal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
