/*
 * The framing of bulk OUT, as conversations: what the controller brings to each read, how large
 * that read had to be, and which messages come out.
 *
 * The messages of these tests say their length as CCID's do: le32 at offset 1, behind a header of
 * ten.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "gadget/usb/framing.h"

#define HEADER 10
#define MESSAGE_MAX 65554
#define STEPS 8

static size_t missing_of(const uint8_t *bytes, size_t size)
{
	struct cursor_in in = cursor_in(bytes, size);
	uint32_t dwLength;

	(void)in_u8(&in);
	dwLength = in_le32(&in);
	if (!in_ok(&in) || size < HEADER)
		return 0;
	return dwLength > size - HEADER ? dwLength - (size - HEADER) : 0;
}

/* One read. */
struct step {
	size_t asked;    /* room that it must offer; 0 ends the conversation */
	size_t brought;  /* bytes that come */
	uint32_t length; /* dwLength, if a header is the first of these bytes; else HEADLESS */
	size_t message;  /* size of the message that is complete then; NONE */
};

#define HEADLESS 0xFFFFFFFF
#define NONE SIZE_MAX

struct conversation {
	const char *name;
	size_t packet_size;
	struct step steps[STEPS];
};

static const struct conversation conversations[] = {
	{ "a short message", 512, {
		{ 512, 10, 0, 10 },
		{ 512, 15, 5, 15 },
	} },
	{ "one byte less than a packet", 512, {
		{ 512, 511, 501, 511 },
		{ 512, 10, 0, 10 },
	} },
	{ "a packet, without an end", 512, {
		{ 512, 512, 502, 512 },
		{ 512, 10, 0, 10 },
	} },
	{ "a packet, with an empty one as its end", 512, {
		{ 512, 512, 502, 512 },
		{ 512, 0, HEADLESS, NONE },
		{ 512, 10, 0, 10 },
	} },
	{ "one byte more than a packet", 512, {
		{ 512, 512, 503, NONE },
		{ 512, 1, HEADLESS, 513 },
		{ 512, 10, 0, 10 },
	} },
	{ "two packets, without an end", 512, {
		{ 512, 512, 1014, NONE },
		{ 512, 512, HEADLESS, 1024 },
		{ 512, 10, 0, 10 },
	} },
	{ "full speed", 64, {
		{ 64, 64, 55, NONE },
		{ 64, 1, HEADLESS, 65 },
		{ 64, 64, 118, NONE },
		{ 64, 64, HEADLESS, 128 },
		{ 64, 64, 400, NONE },
		{ 384, 346, HEADLESS, 410 },
	} },
	{ "the largest, in reads that the kernel has memory for", 512, {
		{ 512, 512, 65544, NONE },
		{ 32768, 32768, HEADLESS, NONE },
		{ 32768, 32274, HEADLESS, 65554 },
		{ 512, 10, 0, 10 },
	} },
	{ "a stray empty packet", 512, {
		{ 512, 0, HEADLESS, NONE },
		{ 512, 0, HEADLESS, NONE },
		{ 512, 10, 0, 10 },
	} },
	{ "less than a header", 512, {
		{ 512, 3, HEADLESS, 3 },
		{ 512, 10, 0, 10 },
	} },
	{ "ended early in the first packet", 512, {
		{ 512, 100, 1000, 100 },
		{ 512, 10, 0, 10 },
	} },
	{ "ended early in a later packet", 512, {
		{ 512, 512, 1000, NONE },
		{ 512, 88, HEADLESS, 600 },
		{ 512, 10, 0, 10 },
	} },
	{ "ended early between packets", 512, {
		{ 512, 512, 1500, NONE },
		{ 1024, 512, HEADLESS, 1024 },
		{ 512, 10, 0, 10 },
	} },
	{ "ended early between packets, seen as an empty one", 512, {
		{ 512, 512, 1000, NONE },
		{ 512, 0, HEADLESS, 512 },
		{ 512, 10, 0, 10 },
	} },
	{ "more bytes than it says, in one packet", 512, {
		{ 512, 20, 5, 20 },
		{ 512, 10, 0, 10 },
	} },
	{ "more bytes than it says, in the last packet", 512, {
		{ 512, 512, 503, NONE },
		{ 512, 20, HEADLESS, 532 },
		{ 512, 10, 0, 10 },
	} },
	{ "one byte too large: handed over at once, and the rest goes by", 512, {
		{ 512, 512, 65545, 512 },
		{ 32768, 32768, HEADLESS, NONE },
		{ 32768, 32275, HEADLESS, NONE },
		{ 512, 10, 0, 10 },
	} },
	{ "too large, a multiple of the packet", 512, {
		{ 512, 512, 98294, 512 },
		{ 32768, 32768, HEADLESS, NONE },
		{ 32768, 32768, HEADLESS, NONE },
		{ 32256, 32256, HEADLESS, NONE },
		{ 512, 10, 0, 10 },
	} },
	{ "too large, and ended early", 512, {
		{ 512, 512, 0xFFFFFFFE, 512 },
		{ 32768, 600, HEADLESS, NONE },
		{ 512, 10, 0, 10 },
	} },
	{ "too large, and nothing of the rest comes", 512, {
		{ 512, 512, 0xFFFFFFFE, 512 },
		{ 32768, 0, HEADLESS, NONE },
		{ 512, 10, 0, 10 },
	} },
	{ "too large, but short", 512, {
		{ 512, 10, 0xFFFFFFFE, 10 },
		{ 512, 10, 0, 10 },
	} },
};

/* What the controller does: puts bytes into the space, and nothing behind what came. */
static void bring(struct usb_space space, const struct step *step, uint8_t *all, size_t *all_size)
{
	struct cursor_out out = cursor_out(space.bytes, space.size);

	if (step->length != HEADLESS) {
		out_u8(&out, 0x6F);
		out_le32(&out, step->length);
		out_zeros(&out, HEADER - out.size);
	}
	while (out.size < step->brought)
		out_u8(&out, (uint8_t)(*all_size + out.size));
	assert_true(out_ok(&out));
	memcpy(all + *all_size, space.bytes, step->brought);
	*all_size += step->brought;
}

static void play(const struct conversation *conversation)
{
	static uint8_t all[4 * MESSAGE_MAX];
	struct usb_framing framing = USB_FRAMING_NULL;
	size_t all_size = 0;

	assert_int_equal(usb_framing_init(&framing, MESSAGE_MAX, missing_of), 0);
	usb_framing_reset(&framing, conversation->packet_size);
	for (const struct step *step = conversation->steps; step->asked > 0; step++) {
		struct usb_space space = usb_framing_space(&framing);
		bool complete;

		if (framing.state == USB_FRAMING_FIRST || framing.state == USB_FRAMING_SKIP)
			all_size = 0;
		assert_int_equal(space.size, step->asked);
		bring(space, step, all, &all_size);
		complete = usb_framing_received(&framing, step->brought);
		assert_int_equal(complete, step->message != NONE);
		if (!complete)
			continue;
		assert_int_equal(usb_framing_message(&framing).size, step->message);
		assert_memory_equal(usb_framing_message(&framing).bytes, all, step->message);
		usb_framing_taken(&framing);
		for (size_t i = 0; i < step->message; i++)
			assert_int_equal(framing.buffer.bytes[i], 0);
	}
	usb_framing_deinit(&framing);
	usb_framing_deinit(&framing);
}

static void test_conversations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(conversations) / sizeof(conversations[0]); i++) {
		print_message("    %s\n", conversations[i].name);
		play(&conversations[i]);
	}
}

/* Every length, as libccid sends it: no empty packet, every packet but the last one full. */
static void test_every_length(void **state)
{
	static const size_t packet_sizes[] = { 64, 512 };
	struct usb_framing framing = USB_FRAMING_NULL;

	(void)state;
	assert_int_equal(usb_framing_init(&framing, MESSAGE_MAX, missing_of), 0);
	for (size_t p = 0; p < 2; p++) {
		usb_framing_reset(&framing, packet_sizes[p]);
		for (size_t size = HEADER; size <= MESSAGE_MAX; size += size < 1600 ? 1 : 509) {
			size_t left = size;
			bool complete = false;

			while (left > 0) {
				struct usb_space space = usb_framing_space(&framing);
				size_t n = left < space.size ? left : space.size;
				struct cursor_out out = cursor_out(space.bytes, n);

				assert_false(complete);
				assert_int_equal(space.size % packet_sizes[p], 0);
				memset(space.bytes, (int)(size & 0xFF), space.size);
				if (left == size) {
					out_u8(&out, 0x6F);
					out_le32(&out, (uint32_t)(size - HEADER));
				}
				complete = usb_framing_received(&framing, n);
				left -= n;
			}
			assert_true(complete);
			assert_int_equal(usb_framing_message(&framing).size, size);
			usb_framing_taken(&framing);
		}
	}
	usb_framing_deinit(&framing);
}

/* A new driver in the middle of a message: nothing of it is left. */
static void test_reset(void **state)
{
	struct usb_framing framing = USB_FRAMING_NULL;
	struct usb_space space;

	(void)state;
	assert_int_equal(usb_framing_init(&framing, MESSAGE_MAX, missing_of), 0);
	usb_framing_reset(&framing, 512);
	space = usb_framing_space(&framing);
	memset(space.bytes, 0x01, 512); /* dwLength 0x01010101: too large */
	space.bytes[3] = 0;
	space.bytes[4] = 0;             /* dwLength 0x101... still more than a packet */
	space.bytes[2] = 0x40;
	assert_false(usb_framing_received(&framing, 512));
	space = usb_framing_space(&framing);
	memset(space.bytes, 0x77, 512); /* came, but was never looked at */

	usb_framing_reset(&framing, 64);
	assert_int_equal(usb_framing_space(&framing).size, 64);
	for (size_t i = 0; i < framing.buffer.capacity; i++)
		assert_int_equal(framing.buffer.bytes[i], 0);
	usb_framing_deinit(&framing);
}

/*
 * A read for the end of a message turns out to bring a new driver's first one, in one packet or the
 * first of several.
 */
static void test_restart(void **state)
{
	static const struct {
		uint32_t old_length, length;
		size_t brought;
		bool complete;
	} rows[] = {
		{ 2000, 0, 10, true },
		{ 2000, 502, 512, true },
		{ 2000, 1600, 1536, false },
		{ 600, 600, 512, false },
		{ 98304, 5, 15, true },
	};
	struct usb_framing framing = USB_FRAMING_NULL;
	struct usb_space space;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t all[2 * MESSAGE_MAX];
		struct step old = { 0, 512, rows[i].old_length, 0 };
		struct step new = { 0, rows[i].brought, rows[i].length, 0 };
		size_t size = 0;

		assert_int_equal(usb_framing_init(&framing, MESSAGE_MAX, missing_of), 0);
		usb_framing_reset(&framing, 512);
		bring(usb_framing_space(&framing), &old, all, &size);
		if (usb_framing_received(&framing, 512))
			usb_framing_taken(&framing); /* too large: the rest is passed over */
		size = 0;
		space = usb_framing_space(&framing);
		bring(space, &new, all, &size);
		usb_framing_restart(&framing, 512);
		assert_false(usb_framing_is_former(&framing, rows[i].brought));
		/* A full read is one that the host has not ended. */
		framing.asked = rows[i].brought % 512 == 0 ? rows[i].brought : framing.asked;
		assert_int_equal(usb_framing_received(&framing, rows[i].brought), rows[i].complete);
		assert_memory_equal(framing.buffer.bytes, all, rows[i].brought);
		for (size_t j = rows[i].brought; j < framing.buffer.capacity; j++)
			assert_int_equal(framing.buffer.bytes[j], 0);
		usb_framing_deinit(&framing);
	}
}

/* What such a read brought of the old driver's message, because it was there already. */
static void test_former(void **state)
{
	static const struct {
		uint32_t old_length;
		size_t former;
	} rows[] = { { 2000, 1498 }, { 503, 1 }, { 98304, USB_READ_MAX } };
	struct usb_framing framing = USB_FRAMING_NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct step old = { 0, 512, rows[i].old_length, 0 };
		uint8_t all[MESSAGE_MAX];
		size_t size = 0;

		assert_int_equal(usb_framing_init(&framing, MESSAGE_MAX, missing_of), 0);
		usb_framing_reset(&framing, 512);
		bring(usb_framing_space(&framing), &old, all, &size);
		if (usb_framing_received(&framing, 512))
			usb_framing_taken(&framing);
		(void)usb_framing_space(&framing);
		usb_framing_restart(&framing, 512);
		assert_true(usb_framing_is_former(&framing, rows[i].former));
		assert_false(usb_framing_is_former(&framing, rows[i].former + 1));
		usb_framing_reset(&framing, 512);
		assert_false(usb_framing_is_former(&framing, 0));
		assert_false(usb_framing_is_former(&framing, rows[i].former));
		usb_framing_deinit(&framing);
	}
}

/* The smallest limit still has room for what a single read may bring. */
static void test_small_limit(void **state)
{
	struct usb_framing framing = USB_FRAMING_NULL;
	struct usb_space space;

	(void)state;
	for (size_t limit = 0; limit <= 1024; limit += 256) {
		assert_int_equal(usb_framing_init(&framing, limit, missing_of), 0);
		usb_framing_reset(&framing, 512);
		space = usb_framing_space(&framing);
		assert_int_equal(space.size, 512);
		memset(space.bytes, 0, 512);
		space.bytes[1] = 0xFF;
		space.bytes[2] = 0x03; /* 10 + 1023 bytes: over each of the limits */
		assert_true(usb_framing_received(&framing, 512));
		assert_int_equal(usb_framing_message(&framing).size, 512);
		usb_framing_taken(&framing);
		assert_int_equal(framing.state, USB_FRAMING_SKIP);
		usb_framing_deinit(&framing);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_former),
		cmocka_unit_test(test_small_limit),
	};

	return cmocka_run_group_tests_name("usb framing", tests, NULL, NULL);
}
