/*
 * A property of every message that there can be: no byte of an APDU's data, or of what else may be secret,
 * is in the block that is written of it, unless it was asked for. Secret bytes are SECRET here, and no
 * other byte is; so it is enough to look for it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trace/usb_trace.h"

#define SECRET 0xEE
#define ROUNDS 40000
#define DATA_MAX 3000
#define APDU_MAX (DATA_MAX + 9)
#define XFR_BLOCK 0x6F
#define HEADER TRACE_CCID_HEADER_SIZE
#define BLOCK_HEADER 28 /* of a packet, before its bytes */

static uint32_t seed;

/* From 0 to limit - 1; xorshift. */
static uint32_t any(uint32_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % limit;
}

/* A byte that isn't secret. */
static uint8_t any_byte(void)
{
	uint8_t byte = (uint8_t)any(256);

	return byte == SECRET ? 0 : byte;
}

/* A length from least to most whose bytes can't be taken for a secret. */
static size_t any_length(size_t least, size_t most)
{
	size_t length = least + any((uint32_t)(most - least + 1));

	return (length & 0xFF) == SECRET ? length - 1 : length;
}

static void secrets(struct cursor_out *out, size_t size)
{
	while (size-- > 0)
		out_u8(out, SECRET);
}

/* ISO 7816-4, 5.1: an APDU of any of the seven cases. Returns how many bytes come before its data. */
static size_t any_apdu(struct cursor_out *out)
{
	bool extended = any(2) == 1, data = any(3) > 0, le = any(2) == 1;
	size_t length = extended ? any_length(1, DATA_MAX) : any_length(1, 255);

	for (size_t i = 0; i < 4; i++)
		out_u8(out, any_byte());
	if (extended && (data || le))
		out_u8(out, 0);
	if (data && extended)
		out_be16(out, (uint16_t)length);
	else if (data)
		out_u8(out, (uint8_t)length);
	if (data)
		secrets(out, length);
	for (size_t i = 0; le && i < (extended ? 2 : 1); i++)
		out_u8(out, any_byte());
	return data ? out->size - length - (le ? extended ? 2 : 1 : 0) : out->size;
}

static void header(struct cursor_out *out, uint8_t type, size_t size, uint16_t level)
{
	out_u8(out, type);
	out_le32(out, (uint32_t)size);
	out_u8(out, 0);
	out_u8(out, any_byte());
	out_u8(out, any_byte());
	out_le16(out, level);
}

/* Looks at what was kept of the message, but for dwLength, and at the comment. */
static bool has_secret(const uint8_t *block, size_t size, size_t kept)
{
	const uint8_t *message = block + BLOCK_HEADER + TRACE_HEADER_SIZE;
	size_t comment = BLOCK_HEADER + (TRACE_HEADER_SIZE + kept + 3) / 4 * 4;

	return (kept > 0 && message[0] == SECRET) || (kept > 5 && memchr(message + 5, SECRET, kept - 5) != NULL) ||
		memchr(block + comment, SECRET, size - 4 - comment) != NULL;
}

/* Asserts that the message, written down, has no secret, and all of it if it is asked for with data. */
static size_t check(enum trace_direction direction, bool atr, const uint8_t *bytes, size_t size)
{
	static uint8_t block[TRACE_MESSAGE_MAX(HEADER + APDU_MAX)];
	struct cursor_out out = cursor_out(block, sizeof block);
	struct trace_message message = { .time = 1, .address = 1, .direction = direction, .atr = atr, .call = 5,
		.text = "text" };
	size_t kept;

	trace_split(&message, (struct payload_view){ bytes, size });
	kept = trace_kept(&message);
	assert_true(kept <= size);
	trace_message(&out, &message);
	assert_true(out_ok(&out));
	if (has_secret(block, out.size, kept))
		fail_msg("a secret of a message of %zu bytes, of type %02X, level %02X%02X", size, bytes[0], bytes[9],
			bytes[8]);
	message.with_data = true;
	assert_int_equal(trace_kept(&message), size);
	return kept;
}

/* The same, and of what is left if the message breaks off anywhere. */
static size_t check_broken_too(enum trace_direction direction, bool atr, const uint8_t *bytes, size_t size)
{
	(void)check(direction, atr, bytes, any((uint32_t)size + 1));
	return check(direction, atr, bytes, size);
}

/* In one message: CLA INS P1 P2 and the length, and all of it if there is no data. */
static void test_apdus(void **state)
{
	static uint8_t bytes[HEADER + APDU_MAX], apdu[APDU_MAX];

	(void)state;
	seed = 1;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct cursor_out message = cursor_out(bytes, sizeof bytes), whole = cursor_out(apdu, sizeof apdu);
		size_t before = any_apdu(&whole), kept;

		header(&message, XFR_BLOCK, whole.size, 0);
		out_bytes(&message, apdu, whole.size);
		kept = check(TRACE_OUT, false, bytes, message.size);
		assert_int_equal(kept, HEADER + before);
	}
}

/* In parts, however small: the first has a header, the others have none. */
static void test_chains(void **state)
{
	static uint8_t bytes[HEADER + APDU_MAX], apdu[APDU_MAX];

	(void)state;
	seed = 2;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct cursor_out whole = cursor_out(apdu, sizeof apdu);
		size_t before = any_apdu(&whole), done = 0, kept, part;
		bool first = true;

		while (done < whole.size) {
			struct cursor_out message = cursor_out(bytes, sizeof bytes);
			bool last;

			part = any_length(1, any(2) == 0 ? 12 : whole.size);
			part = part < whole.size - done ? part : whole.size - done;
			last = done + part == whole.size;
			header(&message, XFR_BLOCK, part, first ? (last ? 0 : 1) : (last ? 2 : 3));
			out_bytes(&message, apdu + done, part);
			kept = check(TRACE_OUT, false, bytes, message.size);
			if (!first)
				assert_int_equal(kept, HEADER);
			else if (part >= 7)
				assert_int_equal(kept, HEADER + before);
			first = false;
			done += part;
		}
	}
}

/* Everything else that has data or shouldn't, whole and broken off, from both sides. */
static void test_others(void **state)
{
	static uint8_t bytes[HEADER + APDU_MAX];
	static const uint8_t apdus[] = { 0x80, 0x6F };

	(void)state;
	seed = 3;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct cursor_out message = cursor_out(bytes, sizeof bytes);
		uint8_t type = any_byte();
		size_t size = any_length(0, 400);
		bool in = any(2) == 1, atr = in && any(2) == 1;

		if (any(2) == 0)
			type = in ? (uint8_t)(0x80 + any(5)) : (uint8_t)(0x61 + any(19));
		/* What has a place for public data is the other tests'. */
		if (memchr(apdus, type, sizeof apdus) != NULL && !in)
			type = 0x69;
		if ((type == 0x82 && (size == 5 || size == 7)) || (type == 0x84 && size == 8))
			size = 9;
		header(&message, type, any(4) == 0 ? any(100000) : size, (uint16_t)any(0xEE));
		secrets(&message, size);
		assert_true(check_broken_too(in ? TRACE_IN : TRACE_OUT, atr, bytes, message.size) <= HEADER);
	}
}

/* An APDU that somebody sends without a message around it, and a PIN that has not even that. */
static void test_no_messages(void **state)
{
	static uint8_t bytes[APDU_MAX];

	(void)state;
	seed = 4;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct cursor_out apdu = cursor_out(bytes, sizeof bytes);

		(void)any_apdu(&apdu);
		if (apdu.size < 5 || (bytes[0] >= 0x61 && bytes[0] <= 0x84))
			continue;
		assert_true(check(TRACE_OUT, false, bytes, apdu.size) <= 1);
		assert_true(check(TRACE_IN, false, bytes, apdu.size) <= 1);
	}
}

/* What anybody may see stays as it is. */
static void test_public(void **state)
{
	static const struct {
		enum trace_direction direction;
		bool atr;
		uint8_t type;
		size_t size;
	} rows[] = {
		{ TRACE_OUT, false, 0x6C, 0 }, { TRACE_OUT, false, 0x62, 0 }, { TRACE_OUT, false, 0x65, 0 },
		{ TRACE_IN, false, 0x81, 0 }, { TRACE_IN, false, 0x82, 5 }, { TRACE_IN, false, 0x82, 7 },
		{ TRACE_IN, false, 0x84, 8 }, { TRACE_IN, true, 0x80, 33 }, { TRACE_IN, true, 0x80, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t bytes[HEADER + 40];
		struct cursor_out message = cursor_out(bytes, sizeof bytes);

		header(&message, rows[i].type, rows[i].size, 0);
		for (size_t k = 0; k < rows[i].size; k++)
			out_u8(&message, k == 0 ? 0x3B : (uint8_t)k);
		assert_int_equal(check(rows[i].direction, rows[i].atr, bytes, message.size), HEADER + rows[i].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apdus),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_no_messages),
		cmocka_unit_test(test_public),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
