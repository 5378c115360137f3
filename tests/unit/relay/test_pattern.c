/*
 * Patterns for reader names.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "relay/pattern.h"

static const struct {
	const char *pattern;
	const char *name;
	bool matches;
} cases[] = {
	{ "*", "Gemalto PC Twin Reader 00 00", true },
	{ "Gemalto PC Twin Reader 00 00", "Gemalto PC Twin Reader 00 00", true },
	{ "Gemalto PC Twin Reader", "Gemalto PC Twin Reader 00 00", true },
	{ "Gemalto PC Twin Reader", "Gemalto PC Twin Reader 0A 01", true },
	{ "Gemalto PC Twin Reader 00 00", "Gemalto PC Twin Reader 01 00", false },
	{ "Gemalto*", "Gemalto PC Twin Reader 00 00", true },
	{ "gemalto*", "Gemalto PC Twin Reader 00 00", false },
	{ "Twin", "Gemalto PC Twin Reader 00 00", false },       /* the whole name, not a part */
	{ "Reader 1", "Reader 10 00 00", false },
	{ "Reader", "Reader 1 0 00", false },                    /* that is no index */
	{ "Reader ?", "Reader 1 00 00", true },
	{ "Reader [12]", "Reader 2 00 00", true },
	{ "Reader [12]", "Reader 3 00 00", false },
	{ "Alcor [CCID]", "Alcor [CCID] 00 00", true },          /* letter by letter */
	{ "Alcor [CCID] 00 00", "Alcor [CCID] 00 00", true },
	{ "Alcor [[]CCID*", "Alcor [CCID] 00 00", true },
	{ "", "Reader 00 00", false },
	{ "", "", true },
	{ "* 00 00", "00 00", false },
};

static void test_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (pattern_matches(cases[i].pattern, cases[i].name) != cases[i].matches)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].name);
	}
}

static void test_base_length(void **state)
{
	(void)state;
	assert_int_equal(pattern_base_length("Reader 00 00"), 6);
	assert_int_equal(pattern_base_length("Reader fF 0a"), 6);
	assert_int_equal(pattern_base_length("Reader 00 0g"), 12);
	assert_int_equal(pattern_base_length("Reader"), 6);
	assert_int_equal(pattern_base_length(" 00 00"), 6); /* nothing would be left */
	assert_int_equal(pattern_base_length(""), 0);
}

static void test_names_alike(void **state)
{
	(void)state;
	assert_true(pattern_names_alike("Reader 00 00", "Reader 00 00"));
	assert_true(pattern_names_alike("Reader 00 01", "Reader 1F 01")); /* numbered anew */
	assert_false(pattern_names_alike("Reader 00 00", "Reader 00 01")); /* another slot */
	assert_false(pattern_names_alike("Reader 00 00", "Readers 00 00"));
	assert_false(pattern_names_alike("Reader 1 00 00", "Reader 2 00 00"));
	assert_true(pattern_names_alike("Reader", "Reader"));
	assert_false(pattern_names_alike("Reader", "Reader 00 00"));
	assert_string_equal(pattern_slot("Reader 02 01"), "01");
	assert_string_equal(pattern_slot("Reader"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_base_length),
		cmocka_unit_test(test_names_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
