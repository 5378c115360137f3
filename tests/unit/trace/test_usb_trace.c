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
};

static const struct row rows[] = {
	{ "XfrBlock: the APDU's header", OUT, false, false, 7, NULL, 30,
		{ 0x6F, 20, 0, 0, 0, 0, 0, 0, 0, 0 }, 15, "call 7; data cut out" },
	{ "a short APDU: all of it", OUT, false, false, 7, NULL, 14,
		{ 0x6F, 4, 0, 0, 0, 0, 0, 0, 0, 0 }, 14, "call 7" },
	{ "the first part of a command", OUT, false, false, 0, NULL, 30,
		{ 0x6F, 20, 0, 0, 0, 0, 0, 0, 1, 0 }, 15, "data cut out" },
	{ "its last part has no header", OUT, false, false, 9, NULL, 30,
		{ 0x6F, 20, 0, 0, 0, 0, 0, 0, 2, 0 }, 10, "call 9; data cut out" },
	{ "nor has one between", OUT, false, false, 0, NULL, 30,
		{ 0x6F, 20, 0, 0, 0, 0, 0, 0, 3, 0 }, 10, "data cut out" },
	{ "a level that doesn't exist", OUT, false, false, 0, NULL, 30,
		{ 0x6F, 20, 0, 0, 0, 0, 0, 0, 0, 1 }, 10, "data cut out" },
	{ "Secure", OUT, false, false, 3, NULL, 40, { 0x69, 30 }, 10, "call 3; data cut out" },
	{ "Escape", OUT, false, false, 3, NULL, 40, { 0x6B, 30 }, 10, "call 3; data cut out" },
	{ "SetParameters", OUT, false, false, 0, NULL, 17, { 0x61, 7 }, 10, "data cut out" },
	{ "less than a header", OUT, false, false, 0, NULL, 5, { 0x6F, 0 }, 5, NULL },
	{ "nothing", OUT, false, false, 0, NULL, 0, { 0 }, 0, NULL },
	{ "a response: its status word", IN, false, false, 7, NULL, 40,
		{ 0x80, 30, 0, 0, 0, 0, 0, 0, 0, 0 }, 10, "call 7; SW EEEE; data cut out" },
	{ "its first part has none", IN, false, false, 7, NULL, 40,
		{ 0x80, 30, 0, 0, 0, 0, 0, 0, 0, 1 }, 10, "call 7; data cut out" },
	{ "nor has one between", IN, false, false, 7, NULL, 40,
		{ 0x80, 30, 0, 0, 0, 0, 0, 0, 0, 3 }, 10, "call 7; data cut out" },
	{ "its last part has", IN, false, false, 7, NULL, 12,
		{ 0x80, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0x90, 0 }, 10, "call 7; SW 9000; data cut out" },
	{ "half a status word", IN, false, false, 7, NULL, 11,
		{ 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 2 }, 10, "call 7; data cut out" },
	{ "an ATR", IN, true, false, 1, NULL, 14, { 0x80, 4 }, 14, "call 1" },
	{ "an answer without data", IN, false, false, 0, "hardware error", 10,
		{ 0x80, 0, 0, 0, 0, 0, 0, 0x40, 0xFB }, 10, "hardware error" },
	{ "SlotStatus", IN, false, false, 0, NULL, 10, { 0x81 }, 10, NULL },
	{ "Parameters", IN, false, false, 0, NULL, 17, { 0x82, 7 }, 17, NULL },
	{ "Escape's answer", IN, false, false, 0, NULL, 17, { 0x83, 7 }, 10, "data cut out" },
	{ "an unknown answer", IN, false, false, 0, NULL, 17, { 0x99, 7 }, 10, "data cut out" },
	{ "a slot change", TRACE_NOTIFY, false, false, 0, NULL, 2, { 0x50, 3 }, 2, NULL },
	{ "with data", OUT, false, true, 7, NULL, 30, { 0x6F, 20 }, 30, "call 7" },
	{ "with data, a response", IN, false, true, 7, NULL, 40, { 0x80, 30 }, 40,
		"call 7; SW EEEE" },
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
		.direction = row->direction, .message = { bytes, row->size }, .atr = row->atr,
		.with_data = row->with_data, .call = row->call, .text = row->text };
	size_t comment = row->comment != NULL ? strlen(row->comment) : 0;
	size_t at = 28 + (TRACE_HEADER_SIZE + row->kept + 3) / 4 * 4;

	memset(bytes, 0xEE, sizeof(bytes));
	memcpy(bytes, row->head, row->size < 10 ? row->size : 10);
	if (row->head[10] != 0)
		memcpy(bytes, row->head, 12);
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
	pcapng_begin(&out);
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
	struct trace_message message = { .direction = IN, .message = { bytes, sizeof(bytes) },
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
