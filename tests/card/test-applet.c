/*
 * Conversations with the applet: what goes in, what comes out. Then the long answers, and the ways
 * of not answering.
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

#include "base/cursor.h"
#include "tests/card/applet.h"
#include "tests/card/commands.h"
#include "tests/card/pattern.h"
#include "tests/card/test-hex.h"

static struct applet applet;
static struct applet_answer answer;

static int setup(void **state)
{
	(void)state;
	return applet_init(&applet, "123456", 3);
}

static int teardown(void **state)
{
	(void)state;
	applet_deinit(&applet);
	applet_deinit(&applet); /* may be called twice */
	return 0;
}

static void execute(const uint8_t *bytes, size_t size)
{
	applet_execute(&applet, (struct payload_view){ .bytes = bytes, .size = size }, &answer);
}

/* A row is an event ("on", "off", "reset", "restore") or a command, with the expected response. */
struct row {
	const char *in;
	const char *out;
};

static void converse(const struct row *rows, size_t count)
{
	uint8_t in[64], out[64];
	size_t size;

	for (size_t i = 0; i < count; i++) {
		print_message("%s\n", rows[i].in);
		if (strcmp(rows[i].in, "on") == 0) {
			applet_power_on(&applet);
		} else if (strcmp(rows[i].in, "off") == 0) {
			applet_power_off(&applet);
		} else if (strcmp(rows[i].in, "reset") == 0) {
			applet_reset(&applet);
		} else if (strcmp(rows[i].in, "restore") == 0) {
			applet_restore_tries(&applet);
		} else {
			execute(in, test_hex(rows[i].in, in));
			size = test_hex(rows[i].out, out);
			assert_int_equal(answer.action, APPLET_ANSWER);
			assert_int_equal(answer.response.size, size);
			assert_memory_equal(answer.response.bytes, out, size);
		}
	}
}

#define CONVERSE(rows) converse(rows, sizeof(rows) / sizeof((rows)[0]))

#define PIN_RIGHT "00 20 00 81 06 31 32 33 34 35 36"
#define PIN_WRONG "00 20 00 81 06 30 30 30 30 30 30"
#define PIN_STATE "00 20 00 81"
#define SIGN "80 30 00 00"

static void test_pin(void **state)
{
	static const struct row rows[] = {
		{ PIN_RIGHT, "69 85" }, /* not powered */
		{ "on", NULL },
		{ PIN_STATE, "63 C3" },
		{ SIGN, "69 82" },
		{ PIN_RIGHT, "90 00" },
		{ PIN_STATE, "90 00" },
		{ SIGN, "90 00" },
		{ "reset", NULL }, /* reset means reset */
		{ SIGN, "69 82" },
		{ PIN_RIGHT, "90 00" },
		{ "off", NULL },
		{ "on", NULL },
		{ SIGN, "69 82" },
		{ PIN_RIGHT, "90 00" },
		{ PIN_WRONG, "63 C2" }, /* a wrong PIN takes the rights away */
		{ SIGN, "69 82" },
		{ "reset", NULL },
		{ PIN_STATE, "63 C2" }, /* the counter survives */
		{ PIN_WRONG, "63 C1" },
		{ PIN_RIGHT, "90 00" }, /* a right one sets it back */
		{ PIN_WRONG, "63 C2" },
		{ PIN_WRONG, "63 C1" },
		{ PIN_WRONG, "69 83" },
		{ PIN_RIGHT, "69 83" },
		{ "off", NULL },
		{ "on", NULL },
		{ PIN_STATE, "69 83" },
		{ "restore", NULL },
		{ PIN_STATE, "63 C3" },
		{ "00 20 00 81 08 31 32 33 34 35 36 FF FF", "90 00" },
		{ "00 20 00 81 08 31 32 33 34 35 36 00 00", "90 00" },
		{ "00 20 00 81 07 31 32 33 34 35 36 37", "63 C2" },
		{ "00 20 00 81 05 31 32 33 34 35", "63 C1" },
		{ "00 20 00 01 06 31 32 33 34 35 36", "90 00" },
		{ "00 20 00 05 06 31 32 33 34 35 36", "6A 88" },
		{ "00 20 01 81 06 31 32 33 34 35 36", "6A 86" },
	};

	(void)state;
	CONVERSE(rows);
	assert_int_equal(applet.counters.verifies, 15);
	assert_int_equal(applet.counters.resets, 2);
	assert_int_equal(applet.counters.power_ups, 3);
	assert_int_equal(applet.counters.power_offs, 2);
	assert_int_equal(applet.counters.signatures, 1);
}

static void test_short_answers(void **state)
{
	static const struct row rows[] = {
		{ "on", NULL },
		{ "00", "67 00" },
		{ "00 A4 04 00 05 01", "67 00" },
		{ "90 10 00 00", "6E 00" },
		{ "80 11 00 00", "6D 00" },
		{ "00 A4 00 00 02 3F 00", "6A 82" },
		{ "00 A4 04 00 0B F0 63 63 69 64 2D 72 65 6C 61 79", "90 00" },
		{ "00 A4 04 00 0B F0 63 63 69 64 2D 72 65 6C 61 79 00",
		  "6F 0D 84 0B F0 63 63 69 64 2D 72 65 6C 61 79 90 00" },
		{ "00 A4 04 00 0B F0 63 63 69 64 2D 72 65 6C 61 7A", "6A 82" },
		{ "00 B0 00 00 00", "69 86" },
		{ "00 CA DF 30 05", "6A 88" },
		{ "FF CA 00 00 00", "04 C1 D0 01 02 03 80 90 00" },
		{ "FF CA 01 00 00", "6A 88" },
		{ "80 10 00 00", "90 00" },
		{ "80 10 FF FE 00", "6A 86" },
		{ "80 12 00 00", "90 00" },
		{ "80 12 00 00 00", "00 00 00 00 81 1C 9D C5 90 00" },
		{ "80 12 00 01 02 00 00", "67 00" },
		{ "80 14 00 00 03 01 02 03", "01 02 03 90 00" },
		{ "80 14 12 34", "90 00" },
		{ "80 16 00 02 01 00", "6A 80" },
		{ "80 24 00 00 01 90", "90" },
		{ "80 24 00 00 02 61 10", "61 10" },
		{ "80 26 61 10", "61 10" },
		{ "80 26 6C 08 02 AA BB 00", "AA BB 6C 08" },
		{ "00 C0 00 00 00", "69 85" },
		{ "80 C0 00 00 00", "69 85" },
	};

	(void)state;
	CONVERSE(rows);
}

#define OPENPGP_SELECT "00 A4 04 00 06 D2 76 00 01 24 01"
#define OPENPGP_ADMIN "00 20 00 83 08 31 32 33 34 35 36 37 38"

static void test_openpgp(void **state)
{
	static const struct row rows[] = {
		{ "on", NULL },
		{ "00 CA 00 4F 00", "6A 88" }, /* not selected */
		{ OPENPGP_SELECT, "90 00" },
		{ "00 CA 00 4F 00", "D2 76 00 01 24 01 02 01 FF FE 12 34 56 78 00 00 90 00" },
		{ "00 CA 00 7A 00", "93 03 00 00 00 90 00" },
		{ "00 CA 00 65 00", "5B 0C 52 65 6C 61 79 3C 3C 53 6D 61 72 74 "
				    "5F 2D 02 65 6E 5F 35 01 39 90 00" },
		{ "00 CA 01 01 00", "6A 88" },
		{ "00 CA 7F 21 00", "90 00" },
		{ "00 DA 7F 21 03 01 02 03", "69 82" },
		{ "00 20 00 83 08 31 32 33 34 35 36 37 39", "69 82" },
		{ OPENPGP_ADMIN, "90 00" },
		{ "00 20 00 83", "90 00" },
		{ "00 DA 7F 21 03 01 02 03", "90 00" },
		{ "00 DA 00 5E 01 41", "6A 88" },
		{ "00 47 81 00 02 B6 00 00", "6A 88" },
		{ "00 2A 9E 9A", "6D 00" },
		{ "80 14 00 00 01 41", "41 90 00" }, /* the card's own commands */
		{ "00 A4 04 00 05 D2 76 00 01 24", "6A 82" },
		{ "00 CA 7F 21 00", "6A 88" },
		{ OPENPGP_SELECT, "90 00" },
		{ "00 CA 7F 21 00", "01 02 03 90 00" },
		{ "00 DA 7F 21 03 01 02 03", "69 82" }, /* the PIN was forgotten */
		{ OPENPGP_ADMIN, "90 00" },
		{ "reset", NULL },
		{ "00 CA 7F 21 00", "6A 88" },
	};

	(void)state;
	CONVERSE(rows);
}

/* The template that GnuPG takes most objects from: its lengths are right, and nothing is left. */
static void test_openpgp_template(void **state)
{
	static const uint8_t select[] = { 0, 0xA4, 4, 0, 6, 0xD2, 0x76, 0, 1, 0x24, 1 };
	struct cursor_in in;

	(void)state;
	applet_power_on(&applet);
	execute(select, sizeof(select));
	execute((const uint8_t[]){ 0x00, 0xCA, 0x00, 0x6E, 0x00 }, 5);
	assert_in_range(answer.response.size, 200, 258);
	in = cursor_in(answer.response.bytes, answer.response.size);
	assert_int_equal(in_u8(&in), 0x4F);
	(void)in_bytes(&in, in_u8(&in));
	assert_int_equal(in_be16(&in), 0x5F52);
	(void)in_bytes(&in, in_u8(&in));
	assert_int_equal(in_be16(&in), 0x7381);
	(void)in_bytes(&in, in_u8(&in));
	assert_int_equal(in_be16(&in), 0x9000);
	assert_true(in_done(&in));
}

/* In the manner of T=0: 61xx, then GET RESPONSE, in two parts. */
static void test_get_response(void **state)
{
	static const struct row rows[] = {
		{ "on", NULL },
		{ "80 18 00 00", "90 00" },
		{ "80 18 00 FF", "61 FF" },
		{ "80 18 01 00", "61 00" },
		{ "80 18 00 06", "61 06" },
	};
	uint8_t expected[6];

	(void)state;
	CONVERSE(rows);
	pattern_fill(expected, sizeof(expected), 6);
	execute((const uint8_t[]){ 0x00, 0xC0, 0, 0, 4 }, 5);
	assert_int_equal(answer.response.size, 6);
	assert_memory_equal(answer.response.bytes, expected, 4);
	assert_memory_equal(&answer.response.bytes[4], "\x61\x02", 2);
	execute((const uint8_t[]){ 0x00, 0xC0, 0, 0, 0 }, 5);
	assert_int_equal(answer.response.size, 4);
	assert_memory_equal(answer.response.bytes, &expected[4], 2);
	assert_memory_equal(&answer.response.bytes[2], "\x90\x00", 2);
}

static void test_source_lengths(void **state)
{
	static const uint16_t lengths[] = { 1, 255, 256, 257, 500, 502, 4096, 65000, 65533 };
	uint16_t n;

	(void)state;
	applet_power_on(&applet);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		n = lengths[i];
		execute((const uint8_t[]){ 0x80, 0x10, (uint8_t)(n >> 8), (uint8_t)(n & 0xFF), 0 },
			5);
		assert_int_equal(answer.response.size, n + 2u);
		assert_int_equal(pattern_mismatch(answer.response.bytes, n, n), n);
		assert_memory_equal(&answer.response.bytes[n], "\x90\x00", 2);
	}
}

/* SINK accepts the pattern and nothing else: each single wrong byte is found. */
static void test_sink_finds_wrong_bytes(void **state)
{
	static uint8_t command[7 + 1000];
	struct cursor_out out = cursor_out(command, 7);

	(void)state;
	applet_power_on(&applet);
	out_bytes(&out, "\x80\x12\x03\xE8\x00\x03\xE8", 7);
	pattern_fill(&command[7], 1000, 1000);
	execute(command, sizeof(command));
	assert_memory_equal(answer.response.bytes, "\x90\x00", 2);
	for (size_t i = 7; i < sizeof(command); i++) {
		command[i] ^= 0x10;
		execute(command, sizeof(command));
		assert_memory_equal(answer.response.bytes, "\x6A\x80", 2);
		command[i] ^= 0x10;
	}
	execute(command, sizeof(command) - 1);
	assert_memory_equal(answer.response.bytes, "\x67\x00", 2);
}

static void test_trouble(void **state)
{
	static const struct {
		const char *in;
		enum applet_action action;
		uint32_t delay_ms, away_ms;
		size_t size;
	} table[] = {
		{ "80 20 75 30", APPLET_ANSWER, 30000, 0, 2 },
		{ "80 20 00 05 02 41 42", APPLET_ANSWER, 5, 0, 4 },
		{ "80 22 00 00", APPLET_MUTE, 0, 0, 2 },
		{ "80 24 00 00", APPLET_FIN, 0, 1000, 0 },
		{ "80 28 00 00", APPLET_FIN, 0, 0, 2 },
		{ "80 28 00 0A", APPLET_FIN, 0, 1000, 2 },
		{ "80 28 01 05 02 01 F4", APPLET_RST, 500, 500, 2 },
		{ "80 28 02 00", APPLET_CUT, 0, 0, 256 },
		{ "80 28 03 00", APPLET_ANSWER, 0, 0, 2 },
		{ "80 28 00 00 01 05", APPLET_ANSWER, 0, 0, 2 },
	};
	uint8_t in[16];

	(void)state;
	applet_power_on(&applet);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].in);
		execute(in, test_hex(table[i].in, in));
		assert_int_equal(answer.action, table[i].action);
		if (answer.action != APPLET_ANSWER || answer.delay_ms > 0) {
			assert_int_equal(answer.delay_ms, table[i].delay_ms);
			assert_int_equal(answer.away_ms, table[i].away_ms);
		}
		assert_int_equal(answer.response.size, table[i].size);
	}
}

static void test_counters(void **state)
{
	static const struct row rows[] = {
		{ "on", NULL },
		{ PIN_WRONG, "63 C2" },
		{ PIN_RIGHT, "90 00" },
		{ SIGN, "90 00" },
		{ "reset", NULL },
		{ PIN_STATE, "63 C3" }, /* without a PIN it is no try */
		{ "80 32 00 00 00",
		  "00 00 00 01 00 00 00 01 00 00 00 05 00 00 00 02 00 00 00 01 90 00" },
	};

	(void)state;
	CONVERSE(rows);
}

static void test_bad_pins(void **state)
{
	struct applet other;

	(void)state;
	assert_int_equal(applet_init(&other, "", 3), APPLET_BAD_PIN);
	assert_int_equal(applet_init(&other, "12345678901234567", 3), APPLET_BAD_PIN);
}

/* A block out of place, or one of another command, is never taken for the right one. */
static void test_pattern_is_positional(void **state)
{
	static uint8_t bytes[70000];

	(void)state;
	for (uint32_t seed = 0; seed < 300; seed++) {
		pattern_fill(bytes, 2048, seed);
		assert_int_equal(pattern_mismatch(bytes, 2048, seed), 2048);
		assert_true(pattern_mismatch(bytes, 2048, seed + 1) < 16);
		for (size_t shift = 1; shift <= 1024; shift *= 2)
			assert_true(pattern_mismatch(&bytes[shift], 1024, seed) < 16);
	}
	pattern_fill(bytes, sizeof(bytes), 65000);
	assert_true(memcmp(bytes, &bytes[65536], 16) != 0);
	assert_int_equal(pattern_hash((const uint8_t *)"foobar", 6), 0xBF9CF968);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pin),
		TEST(test_short_answers),
		TEST(test_openpgp),
		TEST(test_openpgp_template),
		TEST(test_get_response),
		TEST(test_source_lengths),
		TEST(test_sink_finds_wrong_bytes),
		TEST(test_trouble),
		TEST(test_counters),
		TEST(test_bad_pins),
		TEST(test_pattern_is_positional),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
