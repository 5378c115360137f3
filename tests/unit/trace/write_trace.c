/*
 * Writes a capture file of one short conversation with a card, in which a PIN and a key occur, for
 * Wireshark to read: write-trace [--with-data] >FILE
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/usb_trace.h"

struct line {
	enum trace_direction direction;
	uint32_t call;
	bool atr;
	const char *text;
	size_t size;
	uint8_t bytes[64];
};

static const struct line lines[] = {
	{ TRACE_NOTIFY, 0, false, NULL, 2, { 0x50, 0x03 } },
	{ TRACE_OUT, 1, false, NULL, 10, { 0x62, 0, 0, 0, 0, 0, 1, 0, 0, 0 } },
	{ TRACE_IN, 1, true, NULL, 14, { 0x80, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0x3B, 0x02, 0x14, 0x50 } },
	{ TRACE_OUT, 0, false, NULL, 10, { 0x65, 0, 0, 0, 0, 0, 2, 0, 0, 0 } },
	{ TRACE_IN, 0, false, NULL, 10, { 0x81, 0, 0, 0, 0, 0, 2, 0, 0, 0 } },
	/* SELECT by name */
	{ TRACE_OUT, 2, false, NULL, 20, { 0x6F, 10, 0, 0, 0, 0, 3, 0, 0, 0,
		0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08 } },
	{ TRACE_IN, 2, false, NULL, 12, { 0x80, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0x90, 0x00 } },
	/* VERIFY with the PIN 93471856 */
	{ TRACE_OUT, 3, false, NULL, 23, { 0x6F, 13, 0, 0, 0, 0, 4, 0, 0, 0,
		0x00, 0x20, 0x00, 0x81, 0x08, '9', '3', '4', '7', '1', '8', '5', '6' } },
	{ TRACE_IN, 3, false, NULL, 10, { 0x80, 0, 0, 0, 0, 0, 4, 0x80, 1, 0 } },
	{ TRACE_IN, 3, false, NULL, 12, { 0x80, 2, 0, 0, 0, 0, 4, 0, 0, 0, 0x63, 0xC2 } },
	/* the next part of a long command, which begins with a PIN */
	{ TRACE_OUT, 4, false, NULL, 18, { 0x6F, 8, 0, 0, 0, 0, 5, 0, 2, 0,
		'9', '3', '4', '7', '1', '8', '5', '6' } },
	{ TRACE_IN, 4, false, "hardware error", 10, { 0x80, 0, 0, 0, 0, 0, 5, 0x40, 0xFB, 0 } },
	/* READ BINARY of something that begins with the PIN */
	{ TRACE_OUT, 5, false, NULL, 15, { 0x6F, 5, 0, 0, 0, 0, 6, 0, 0, 0,
		0x00, 0xB0, 0x00, 0x00, 0x08 } },
	{ TRACE_IN, 5, false, NULL, 20, { 0x80, 10, 0, 0, 0, 0, 6, 0, 0, 0,
		'9', '3', '4', '7', '1', '8', '5', '6', 0x90, 0x00 } },
	{ TRACE_OUT, 6, false, NULL, 10, { 0x63, 0, 0, 0, 0, 0, 7, 0, 0, 0 } },
	{ TRACE_IN, 6, false, NULL, 10, { 0x81, 0, 0, 0, 0, 0, 7, 1, 0, 0 } },
};

int main(int argc, char **argv)
{
	static uint8_t bytes[16 * 1024];
	static const uint8_t class_descriptor[TRACE_CLASS_DESCRIPTOR_SIZE] = {
		54, 0x21, 0x10, 0x01, 0, 7, 3, 0, 0, 0, 0xA0, 0x0F, 0, 0, 0xA0, 0x0F, 0, 0, 0,
		1, 0x2A, 0, 0, 0x20, 0xA1, 7, 0, 0, 0xFE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xBA, 0x04, 0x04, 0x00, 0x11, 0x08, 0, 0, 0xFF, 0xFF, 0, 0, 0, 1,
	};
	const struct trace_device device = { .bus = 1, .address = 1, .idVendor = 0x0E0F, .idProduct = 4,
		.interrupt = true, .class_descriptor = class_descriptor, .name = "A reader" };
	struct cursor_out out = cursor_out(bytes, sizeof(bytes));
	uint64_t time = 1700000000000000000;

	pcapng_begin(&out, "write-trace", "a conversation");
	trace_device(&out, time, &device);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct trace_message message = {
			.time = time + (i + 1) * 1000000,
			.bus = 1,
			.address = 1,
			.direction = lines[i].direction,
			.atr = lines[i].atr,
			.with_data = argc > 1 && strcmp(argv[1], "--with-data") == 0,
			.call = lines[i].call,
			.text = lines[i].text,
		};

		trace_split(&message, (struct payload_view){ lines[i].bytes, lines[i].size });
		trace_message(&out, &message);
	}
	if (!out_ok(&out) || fwrite(bytes, 1, out.size, stdout) != out.size)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
