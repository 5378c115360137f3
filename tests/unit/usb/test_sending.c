/*
 * The writes of a message on bulk IN: which sizes are offered, and when it is through.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/usb/sending.h"

#define WRITES 5
#define ALL SIZE_MAX
#define END SIZE_MAX

static const struct {
	const char *name;
	size_t size;
	size_t packet_size;
	struct {
		size_t offered; /* END: the message is through */
		size_t taken;   /* ALL: as many */
	} writes[WRITES];
} conversations[] = {
	{ "a short message", 10, 512, { { 10, ALL }, { END, 0 } } },
	{ "one byte less than a packet", 511, 512, { { 511, ALL }, { END, 0 } } },
	{ "a packet", 512, 512, { { 512, ALL }, { 0, ALL }, { END, 0 } } },
	{ "one byte more than a packet", 513, 512, { { 513, ALL }, { END, 0 } } },
	{ "two packets", 1024, 512, { { 1024, ALL }, { 0, ALL }, { END, 0 } } },
	{ "a packet at full speed", 64, 64, { { 64, ALL }, { 0, ALL }, { END, 0 } } },
	{ "eight full-speed packets", 512, 64, { { 512, ALL }, { 0, ALL }, { END, 0 } } },
	{ "no multiple at high speed", 64, 512, { { 64, ALL }, { END, 0 } } },
	{ "in two writes", 40000, 512, { { 32768, ALL }, { 7232, ALL }, { END, 0 } } },
	{ "one whole write", 32768, 512, { { 32768, ALL }, { 0, ALL }, { END, 0 } } },
	{ "two whole writes", 65536, 512,
		{ { 32768, ALL }, { 32768, ALL }, { 0, ALL }, { END, 0 } } },
	{ "the largest", 65554, 512, { { 32768, ALL }, { 32768, ALL }, { 18, ALL }, { END, 0 } } },
	{ "an empty message", 0, 512, { { 0, ALL }, { END, 0 } } },
	{ "the host's buffer is too small", 600, 512, { { 600, 512 }, { END, 0 } } },
	{ "and takes nothing", 600, 512, { { 600, 0 }, { END, 0 } } },
};

static void play(size_t number)
{
	static uint8_t bytes[65554];
	struct usb_sending sending = USB_SENDING_NULL;
	struct payload_view message = { .bytes = bytes, .size = conversations[number].size };
	size_t at = 0;
	bool through = false;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 >> 3);
	assert_int_equal(usb_sending_start(&sending, message, conversations[number].packet_size),
		0);
	assert_true(sending.active);
	for (size_t i = 0; conversations[number].writes[i].offered != END; i++) {
		struct payload_view next = usb_sending_next(&sending);
		size_t taken = conversations[number].writes[i].taken;

		assert_false(through);
		assert_int_equal(next.size, conversations[number].writes[i].offered);
		if (next.size > 0)
			assert_memory_equal(next.bytes, bytes + at, next.size);
		assert_int_equal(usb_sending_is_last(&sending),
			conversations[number].writes[i + 1].offered == END);
		through = usb_sending_taken(&sending, taken == ALL ? next.size : taken);
		at += next.size;
	}
	assert_true(through);
	usb_sending_clear(&sending);
	assert_false(sending.active);
	assert_null(sending.message.bytes);
	usb_sending_clear(&sending);
}

static void test_conversations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(conversations) / sizeof(conversations[0]); i++) {
		print_message("    %s\n", conversations[i].name);
		play(i);
	}
}

/* The message is a copy: the sender's bytes may change at once. */
static void test_copy(void **state)
{
	uint8_t bytes[] = { 1, 2, 3 };
	struct usb_sending sending = USB_SENDING_NULL;

	(void)state;
	assert_int_equal(usb_sending_start(&sending, (struct payload_view){ bytes, 3 }, 512), 0);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(usb_sending_next(&sending).bytes[2], 3);
	usb_sending_clear(&sending);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations),
		cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests_name("usb sending", tests, NULL, NULL);
}
