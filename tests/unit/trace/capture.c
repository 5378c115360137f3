/*
 * Captures, read back. See capture.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/unit/trace/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trace/usb_trace.h"

#define PACKET 28 /* where a packet's bytes begin in its block */

static uint32_t number(const uint8_t *at)
{
	struct cursor_in in = cursor_in(at, 4);

	return in_le32(&in);
}

static uint64_t long_number(const uint8_t *at)
{
	struct cursor_in in = cursor_in(at, 8);

	return in_le64(&in);
}

/* An option of a block whose options begin at, and its size; NULL: it has none such. */
static const uint8_t *option(const uint8_t *block, size_t at, uint16_t code, size_t *size)
{
	size_t end = number(block + 4) - 4;

	while (at + 4 <= end) {
		uint32_t head = number(block + at);

		*size = head >> 16;
		if ((head & 0xFFFF) == code)
			return block + at + 4;
		at += 4 + (*size + 3) / 4 * 4;
	}
	return NULL;
}

static const uint8_t *packet_option(const uint8_t *packet, uint16_t code, size_t *size)
{
	return option(packet, PACKET + (number(packet + 20) + 3) / 4 * 4, code, size);
}

static void add(struct capture_sum *sum, const uint8_t *block)
{
	const uint8_t *found;
	size_t size;

	switch (number(block)) {
	case PCAPNG_PACKET:
		sum->packets++;
		found = packet_option(block, 4, &size);
		sum->lost += found != NULL ? long_number(found) : 0;
		break;
	case PCAPNG_COUNTS:
		sum->ends++;
		found = option(block, 20, 4, &size);
		sum->counts.received = found != NULL ? long_number(found) : 0;
		found = option(block, 20, 5, &size);
		sum->counts.lost = found != NULL ? long_number(found) : 0;
		break;
	}
}

struct capture_sum capture_sum(const uint8_t *bytes, size_t size)
{
	struct capture_sum sum = { .packets = 0 };

	assert_true(size > 12);
	assert_int_equal(number(bytes), PCAPNG_SECTION);
	for (size_t at = 0; at < size; at += number(bytes + at + 4)) {
		assert_true(size - at >= 12);
		assert_in_range(number(bytes + at + 4), 12, size - at);
		assert_int_equal(number(bytes + at + number(bytes + at + 4) - 4), number(bytes + at + 4));
		add(&sum, bytes + at);
	}
	return sum;
}

static void hex(FILE *out, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		(void)fprintf(out, "%02X", bytes[i]);
}

/* The bytes that were captured, and how many were not. */
static void print_data(FILE *out, const uint8_t *block)
{
	size_t captured = number(block + 20), size = number(block + 24);

	hex(out, block + PACKET + TRACE_HEADER_SIZE, captured - TRACE_HEADER_SIZE);
	if (size > captured)
		(void)fprintf(out, " +%zu", size - captured);
}

static void print_packet(FILE *out, const uint8_t *block)
{
	const uint8_t *urb = block + PACKET, *comment;
	bool submitted = urb[8] == 'S';
	size_t size;

	assert_true(number(block + 20) >= TRACE_HEADER_SIZE);
	(void)fprintf(out, "%u ", urb[11]);
	switch (urb[9] << 8 | urb[10]) {
	case 0x0200:
	case 0x0280:
		(void)fprintf(out, submitted ? "request " : "descriptor of %u", number(block + 24) - TRACE_HEADER_SIZE);
		hex(out, urb + 40, submitted ? 8 : 0);
		break;
	case 0x0301:
		(void)fputs("out ", out);
		print_data(out, block);
		break;
	case 0x0382:
		(void)fputs("in ", out);
		print_data(out, block);
		break;
	case 0x0183:
		(void)fputs("notify ", out);
		print_data(out, block);
		break;
	default:
		fail_msg("a packet of type %u on endpoint %u", urb[9], urb[10]);
	}
	comment = packet_option(block, 1, &size);
	if (comment != NULL)
		(void)fprintf(out, "; %.*s", (int)size, (const char *)comment);
	(void)fputc('\n', out);
}

const char *capture_text(const uint8_t *bytes, size_t size)
{
	static char text[CAPTURE_TEXT_MAX];
	FILE *out = fmemopen(text, sizeof text, "w");

	assert_non_null(out);
	text[0] = '\0';
	for (size_t at = 0; at < size; at += number(bytes + at + 4)) {
		assert_in_range(number(bytes + at + 4), 12, size - at);
		if (number(bytes + at) == PCAPNG_PACKET)
			print_packet(out, bytes + at);
	}
	assert_int_equal(fclose(out), 0);
	return text;
}
