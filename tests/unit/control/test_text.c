/*
 * Names of any bytes, on their way into JSON and onto a terminal.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/json.h"
#include "control/table.h"
#include "control/text.h"

#define BAD "\xEF\xBF\xBD" /* U+FFFD */

static const struct {
	const char *text, *utf8;
	size_t width;
	const char *shown; /* on a terminal */
} rows[] = {
	{ "", "", 0, "" },
	{ "Reader 00 00", "Reader 00 00", 12, "Reader 00 00" },
	{ "\"quoted\" \\ /", "\"quoted\" \\ /", 12, "\"quoted\" \\ /" },
	{ "L\xC3\xA4ser", "L\xC3\xA4ser", 5, "L\xC3\xA4ser" },
	{ "\xE8\xAA\xAD", "\xE8\xAA\xAD", 1, "\xE8\xAA\xAD" },
	{ "\xF0\x9F\x92\xB3!", "\xF0\x9F\x92\xB3!", 2, "\xF0\x9F\x92\xB3!" },
	{ "\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF", 1, "\xF4\x8F\xBF\xBF" },
	{ "a\x1B[2Jb\n", "a\x1B[2Jb\n", 7, "a?[2Jb?" },
	{ "\x7F", "\x7F", 1, "?" },
	{ "\xC2\x9B" "2J", "\xC2\x9B" "2J", 3, "?2J" },
	/* Latin-1, a lone continuation, what is cut, overlong forms, surrogates, beyond U+10FFFF */
	{ "L\xE4ser", "L" BAD "ser", 5, "L" BAD "ser" },
	{ "\x80", BAD, 1, BAD },
	{ "\xC3", BAD, 1, BAD },
	{ "\xE8\xAA", BAD BAD, 2, BAD BAD },
	{ "\xF0\x9F\x92", BAD BAD BAD, 3, BAD BAD BAD },
	{ "\xC0\x80", BAD BAD, 2, BAD BAD },
	{ "\xC1\xBF", BAD BAD, 2, BAD BAD },
	{ "\xE0\x80\xAF", BAD BAD BAD, 3, BAD BAD BAD },
	{ "\xED\xA0\x80", BAD BAD BAD, 3, BAD BAD BAD },
	{ "\xF0\x80\x80\xAF", BAD BAD BAD BAD, 4, BAD BAD BAD BAD },
	{ "\xF4\x90\x80\x80", BAD BAD BAD BAD, 4, BAD BAD BAD BAD },
	{ "\xF5\xFF\xFE", BAD BAD BAD, 3, BAD BAD BAD },
	{ "\xC3(", BAD "(", 2, BAD "(" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char utf8[64], shown[64];
		json_t *json = control_json_text(rows[i].text);

		control_text_to_utf8(rows[i].text, utf8);
		assert_string_equal(utf8, rows[i].utf8);
		assert_int_equal(control_text_width(utf8), rows[i].width);
		(void)snprintf(shown, sizeof shown, "%s", utf8);
		control_text_disarm(shown);
		assert_string_equal(shown, rows[i].shown);
		/* jansson refuses what is no UTF-8. */
		assert_non_null(json);
		assert_string_equal(json_string_value(json), rows[i].utf8);
		json_decref(json);
	}
}

/* Each pair of bytes becomes UTF-8, and stays what it is if it is. */
static void test_all_pairs(void **state)
{
	(void)state;
	for (unsigned int pair = 0; pair < 0x10000; pair++) {
		const char text[3] = { (char)(pair >> 8), (char)(pair & 0xFF), '\0' };
		char once[3 * 2 + 1], twice[3 * 6 + 1];
		json_t *json;

		control_text_to_utf8(text, once);
		control_text_to_utf8(once, twice);
		assert_string_equal(once, twice);
		json = json_string(once);
		assert_non_null(json);
		json_decref(json);
	}
}

static void test_values(void **state)
{
	static const uint8_t atr[] = { 0x3B, 0x00, 0xFF };
	json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:o}", "atr", control_json_hex(atr, sizeof atr),
		"none", control_json_hex(atr, 0), "time", control_json_time(1769904000),
		"never", control_json_time(0), "error", control_json_error("no \"way\""));

	(void)state;
	assert_string_equal(control_json_get(json, "atr", "-"), "3B00FF");
	assert_string_equal(control_json_get(json, "none", "-"), "-");
	assert_true(json_is_null(json_object_get(json, "none")));
	assert_string_equal(control_json_get(json, "time", "-"), "2026-02-01T00:00:00Z");
	assert_true(json_is_null(json_object_get(json, "never")));
	assert_string_equal(control_json_get(json_object_get(json, "error"), "error", "-"), "no \"way\"");
	assert_int_equal(control_json_number(json_object_get(json, "error"), "schema"), CONTROL_SCHEMA);
	assert_string_equal(control_json_get(NULL, "x", "-"), "-");
	assert_false(control_json_is(json, "atr"));
	json_decref(json);
}

static void test_table(void **state)
{
	static const char *const headings[] = { "NAME", "STATE", "LAST", NULL };
	static const char *const cells[][3] = {
		{ "b\xC3\xA4\xC3\xA4r", "x", "" },
		{ "a\x1B", "longer", "end" },
	};
	struct control_table *table = control_table_new(headings);
	char text[256] = "";
	FILE *out = fmemopen(text, sizeof text, "w");

	(void)state;
	for (size_t i = 0; i < 2; i++)
		control_table_add(table, cells[i]);
	control_table_sort(table);
	control_table_print(table, " ", out);
	(void)fclose(out);
	assert_string_equal(text,
		" NAME  STATE   LAST\n"
		" a?    longer  end\n"
		" b\xC3\xA4\xC3\xA4r  x       \n");
	for (size_t i = 0; i < 2 * CONTROL_TABLE_ROWS; i++)
		control_table_add(table, cells[0]);
	assert_int_equal(table->rows, CONTROL_TABLE_ROWS);
	assert_null(control_table_free(table));
	assert_null(control_table_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_all_pairs),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
