/*
 * What is kept of each message in a trace, what is said beside it, and that a file is made of whole
 * blocks.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trace/usb_trace.h"

#define OUT TRACE_OUT
#define IN TRACE_IN

struct row {
	const char *what;
	enum trace_direction direction;
	bool atr;
	bool with_data;
	uint32_t call;
	const char *text;
	size_t size; /* of the message; what isn't given of it is 0xEE */
	uint8_t head[16];
	size_t kept;
	const char *comment;
	uint8_t apdu[8]; /* what the data begins with */
	size_t given;    /* bytes of it */
};

#define XFR(size, level) { 0x6F, size, 0, 0, 0, 0, 0, 0, level, 0 }

/* What isn't given of a message is 0xEE; so is an Lc that isn't given, but for what apdu gives. */
static const struct row rows[] = {
	{ "XfrBlock: the APDU's header", OUT, false, false, 7, NULL, 23, XFR(13, 0), 15,
		"call=7; data cut out", { 0, 0x20, 0, 1, 8 }, 5 },
	{ "with Le", OUT, false, false, 7, NULL, 24, XFR(14, 0), 15,
		"call=7; data cut out", { 0, 0x20, 0, 1, 8 }, 5 },
	{ "a byte more: 8 is no Lc", OUT, false, false, 7, NULL, 25, XFR(15, 0), 14,
		"call=7; data cut out", { 0, 0x20, 0, 1, 8 }, 5 },
	{ "a PIN without Lc", OUT, false, false, 7, NULL, 22, XFR(12, 0), 14,
		"call=7; data cut out", { 0, 0x20, 0, 1, '1', '2', '3' }, 7 },
	{ "a PIN behind Lc 0", OUT, false, false, 7, NULL, 23, XFR(13, 0), 14,
		"call=7; data cut out", { 0, 0x20, 0, 1, 0, '1', '2', '3' }, 8 },
	{ "one byte behind Lc 0", OUT, false, false, 7, NULL, 16, XFR(6, 0), 14,
		"call=7; data cut out", { 0, 0x20, 0, 1, 0, '1' }, 6 },
	{ "CLA INS P1 P2: all of it", OUT, false, false, 7, NULL, 14, XFR(4, 0), 14, "call=7", { 0 }, 0 },
	{ "and Le: all of it", OUT, false, false, 7, NULL, 15, XFR(5, 0), 15, "call=7", { 0 }, 0 },
	{ "an extended Le: all of it", OUT, false, false, 7, NULL, 17, XFR(7, 0), 17, "call=7",
		{ 0, 0xB0, 0, 0, 0, 0x12, 0x34 }, 7 },
	{ "an extended Lc", OUT, false, false, 7, NULL, 37, XFR(27, 0), 17, "call=7; data cut out",
		{ 0, 0xD6, 0, 0, 0, 0, 20 }, 7 },
	{ "and Le", OUT, false, false, 7, NULL, 39, XFR(29, 0), 17, "call=7; data cut out",
		{ 0, 0xD6, 0, 0, 0, 0, 20 }, 7 },
	{ "the first part of a command", OUT, false, false, 0, NULL, 30, XFR(20, 1), 17,
		"data cut out", { 0, 0xD6, 0, 0, 0, 1, 0 }, 7 },
	{ "the first part of a short one", OUT, false, false, 0, NULL, 30, XFR(20, 1), 15,
		"data cut out", { 0, 0xD6, 0, 0, 200 }, 5 },
	{ "one that is whole already", OUT, false, false, 0, NULL, 30, XFR(20, 1), 14,
		"data cut out", { 0, 0x20, 0, 1, 8 }, 5 },
	{ "its last part has no header", OUT, false, false, 9, NULL, 30, XFR(20, 2), 10,
		"call=9; data cut out", { 0 }, 0 },
	{ "nor has one between", OUT, false, false, 0, NULL, 30, XFR(20, 3), 10, "data cut out", { 0 }, 0 },
	{ "a level that doesn't exist", OUT, false, false, 0, NULL, 30,
		{ 0x6F, 20, 0, 0, 0, 0, 0, 0, 0, 1 }, 10, "data cut out", { 0 }, 0 },
	{ "Secure", OUT, false, false, 3, NULL, 40, { 0x69, 30 }, 10, "call=3; data cut out", { 0 }, 0 },
	{ "Escape", OUT, false, false, 3, NULL, 40, { 0x6B, 30 }, 10, "call=3; data cut out", { 0 }, 0 },
	{ "SetParameters", OUT, false, false, 0, NULL, 17, { 0x61, 7 }, 10, "data cut out", { 0 }, 0 },
	{ "a wrong dwLength", OUT, false, false, 0, NULL, 30, XFR(5, 0), 5, "data cut out", { 0 }, 0 },
	{ "an APDU instead of a message", OUT, false, false, 0, NULL, 13,
		{ 0x00, 0x20, 0, 1, 8, '1', '2', '3', '4', '5' }, 1, "data cut out", { 0 }, 0 },
	{ "less than a header", OUT, false, false, 0, NULL, 5, { 0x6F, 0 }, 1, "data cut out", { 0 }, 0 },
	{ "nothing", OUT, false, false, 0, NULL, 0, { 0 }, 0, NULL, { 0 }, 0 },
	{ "a response: its status word", IN, false, false, 7, NULL, 40,
		{ 0x80, 30, 0, 0, 0, 0, 0, 0, 0, 0 }, 10, "call=7; SW=EEEE; data cut out", { 0 }, 0 },
	{ "its first part has none", IN, false, false, 7, NULL, 40,
		{ 0x80, 30, 0, 0, 0, 0, 0, 0, 0, 1 }, 10, "call=7; data cut out", { 0 }, 0 },
	{ "nor has one between", IN, false, false, 7, NULL, 40,
		{ 0x80, 30, 0, 0, 0, 0, 0, 0, 0, 3 }, 10, "call=7; data cut out", { 0 }, 0 },
	{ "its last part has", IN, false, false, 7, NULL, 12,
		{ 0x80, 2, 0, 0, 0, 0, 0, 0, 0, 2 }, 10, "call=7; SW=9000; data cut out", { 0x90, 0 }, 2 },
	{ "half a status word", IN, false, false, 7, NULL, 11,
		{ 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 2 }, 10, "call=7; data cut out", { 0 }, 0 },
	{ "what isn't one, but begins like it", IN, false, false, 1, NULL, 14, { 0x80, 4 }, 10,
		"call=1; SW=1450; data cut out", { 0x3B, 2, 0x14, 0x50 }, 4 },
	{ "a response from the wrong side has no status word", OUT, false, false, 0, NULL, 40,
		{ 0x80, 30, 0, 0, 0, 0, 0, 0, 0, 0 }, 1, "data cut out", { 0 }, 0 },
	{ "an ATR", IN, true, false, 1, NULL, 14, { 0x80, 4 }, 14, "call=1", { 0x3B, 2, 0x14, 0x50 }, 4 },
	{ "what can't be one", IN, true, false, 1, NULL, 14, { 0x80, 4 }, 10, "call=1; data cut out",
		{ 0x61, 2, 0x90, 0 }, 4 },
	{ "nor this", IN, true, false, 1, NULL, 44, { 0x80, 34 }, 10, "call=1; data cut out", { 0x3B }, 1 },
	{ "an answer without data", IN, false, false, 0, "hardware error", 10,
		{ 0x80, 0, 0, 0, 0, 0, 0, 0x40, 0xFB }, 10, "hardware error", { 0 }, 0 },
	{ "SlotStatus", IN, false, false, 0, NULL, 10, { 0x81 }, 10, NULL, { 0 }, 0 },
	{ "Parameters", IN, false, false, 0, NULL, 17, { 0x82, 7 }, 17, NULL, { 0 }, 0 },
	{ "Escape's answer", IN, false, false, 0, NULL, 17, { 0x83, 7 }, 10, "data cut out", { 0 }, 0 },
	{ "an unknown answer", IN, false, false, 0, NULL, 17, { 0x99, 7 }, 1, "data cut out", { 0 }, 0 },
	{ "a slot change", TRACE_NOTIFY, false, false, 0, NULL, 2, { 0x50, 3 }, 2, NULL, { 0 }, 0 },
	{ "with data", OUT, false, true, 7, NULL, 30, { 0x6F, 20 }, 30, "call=7", { 0 }, 0 },
	{ "with data, a response", IN, false, true, 7, NULL, 40, { 0x80, 30 }, 40,
		"call=7; SW=EEEE", { 0 }, 0 },
};

static uint32_t number(const uint8_t *at)
{
	struct cursor_in in = cursor_in(at, 4);

	return in_le32(&in);
}

static void check_row(const struct row *row)
{
	uint8_t bytes[64], block[TRACE_MESSAGE_MAX(64)];
	struct cursor_out out = cursor_out(block, sizeof(block));
	struct trace_message message = { .time = 1700000000123456789, .address = 5,
		.direction = row->direction, .atr = row->atr,
		.with_data = row->with_data, .call = row->call, .text = row->text };
	size_t comment = row->comment != NULL ? strlen(row->comment) : 0;
	size_t at = 28 + (TRACE_HEADER_SIZE + row->kept + 3) / 4 * 4;

	memset(bytes, 0xEE, sizeof(bytes));
	memcpy(bytes, row->head, row->size < 10 ? row->size : 10);
	memcpy(bytes + 10, row->apdu, row->given);
	trace_split(&message, (struct payload_view){ bytes, row->size });
	trace_message(&out, &message);
	assert_true(out_ok(&out));
	assert_int_equal(number(block), 6);
	assert_int_equal(number(block + 4), out.size);
	assert_int_equal(number(block + out.size - 4), out.size);
	assert_int_equal((uint64_t)number(block + 12) << 32 | number(block + 16), message.time);
	assert_int_equal(number(block + 20), TRACE_HEADER_SIZE + row->kept);
	assert_int_equal(number(block + 24), TRACE_HEADER_SIZE + row->size);
	assert_int_equal(number(block + 28 + 32), row->size);
	assert_int_equal(number(block + 28 + 36), row->kept);
	assert_memory_equal(block + 28 + TRACE_HEADER_SIZE, bytes, row->kept);
	if (comment == 0) {
		assert_int_equal(out.size, at + 4);
		return;
	}
	assert_int_equal(number(block + at), 1u | (uint32_t)comment << 16);
	assert_memory_equal(block + at + 4, row->comment, comment);
}

static void test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].what);
		check_row(&rows[i]);
	}
}

static void test_file_is_whole_blocks(void **state)
{
	static const uint8_t descriptor[TRACE_CLASS_DESCRIPTOR_SIZE] = { 54, 0x21 };
	const struct trace_device device = { .address = 1, .idVendor = 0x0E0F, .idProduct = 4,
		.interrupt = true, .class_descriptor = descriptor, .name = "A reader" };
	uint8_t file[PCAPNG_BEGIN_MAX + TRACE_DEVICE_MAX];
	struct cursor_out out = cursor_out(file, sizeof(file));
	size_t at = 0, blocks = 0;

	(void)state;
	pcapng_begin(&out, "a program", "an interface");
	trace_device(&out, 1, &device);
	assert_true(out_ok(&out));
	for (; at < out.size; at += number(file + at + 4), blocks++)
		assert_int_equal(number(file + at + number(file + at + 4) - 4), number(file + at + 4));
	assert_int_equal(at, out.size);
	assert_int_equal(blocks, 6);
}

static void test_long_text_is_cut(void **state)
{
	char text[1000];
	uint8_t bytes[10] = { 0x81 }, block[TRACE_MESSAGE_MAX(sizeof(bytes))];
	struct cursor_out out = cursor_out(block, sizeof(block));
	struct trace_message message = { .direction = IN, .header = { bytes, sizeof(bytes) },
		.text = text };

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	trace_message(&out, &message);
	assert_true(out_ok(&out));
	assert_int_equal(number(block + out.size - 4), out.size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_file_is_whole_blocks),
		cmocka_unit_test(test_long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
