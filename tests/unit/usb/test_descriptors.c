/*
 * The two blobs that FunctionFS gets, byte for byte: layout of linux/usb/functionfs.h, descriptors
 * of USB 2.0, 9.6.5 and 9.6.6.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/usb/descriptors.h"

static struct usb_settings settings_make(bool interrupt, size_t class_descriptor_size)
{
	struct usb_settings settings = {
		.identity = { .interface = "Reader" },
		.bInterfaceClass = 0x0B,
		.bInterfaceSubClass = 0x01,
		.bInterfaceProtocol = 0x02,
		.class_descriptor_size = class_descriptor_size,
		.interrupt = interrupt,
	};

	for (size_t i = 0; i < class_descriptor_size; i++)
		settings.class_descriptor[i] = (uint8_t)(0xC0 + i);
	return settings;
}

static void test_all_endpoints(void **state)
{
	static const uint8_t expected[] = {
		0x03, 0x00, 0x00, 0x00, /* magic: FUNCTIONFS_DESCRIPTORS_MAGIC_V2 */
		0x5A, 0x00, 0x00, 0x00, /* length: 24 + 2 * 33 */
		0x23, 0x00, 0x00, 0x00, /* flags: FS, HS, eventfd */
		0x07, 0x00, 0x00, 0x00, /* the eventfd */
		0x05, 0x00, 0x00, 0x00, /* descriptors at full speed: interface, class, endpoints */
		0x05, 0x00, 0x00, 0x00, /* at high speed */
		/* Full speed. Interface 0, alternate setting 0, 3 endpoints, class, iInterface 1 */
		0x09, 0x04, 0x00, 0x00, 0x03, 0x0B, 0x01, 0x02, 0x01,
		0xC0, 0xC1, 0xC2,                         /* class descriptor, as it was given */
		0x07, 0x05, 0x01, 0x02, 0x40, 0x00, 0x00, /* EP 1 OUT, bulk, 64 */
		0x07, 0x05, 0x82, 0x02, 0x40, 0x00, 0x00, /* EP 2 IN, bulk, 64 */
		0x07, 0x05, 0x83, 0x03, 0x08, 0x00, 0x10, /* EP 3 IN, interrupt, 8, every 16 ms */
		/* High speed */
		0x09, 0x04, 0x00, 0x00, 0x03, 0x0B, 0x01, 0x02, 0x01,
		0xC0, 0xC1, 0xC2,
		0x07, 0x05, 0x01, 0x02, 0x00, 0x02, 0x00, /* 512 */
		0x07, 0x05, 0x82, 0x02, 0x00, 0x02, 0x00, /* 512 */
		0x07, 0x05, 0x83, 0x03, 0x08, 0x00, 0x08, /* 2^(8-1) * 125 us */
	};
	struct usb_settings settings = settings_make(true, 3);
	uint8_t bytes[USB_DESCRIPTORS_MAX];
	struct cursor_out out = cursor_out(bytes, sizeof(bytes));

	(void)state;
	usb_descriptors_write(&out, &settings, 7);
	assert_true(out_ok(&out));
	assert_int_equal(out.size, sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
}

/* Two endpoints, no class descriptor, no name. */
static void test_least(void **state)
{
	static const uint8_t expected[] = {
		0x03, 0x00, 0x00, 0x00, 0x46, 0x00, 0x00, 0x00, 0x23, 0x00, 0x00, 0x00,
		0xF0, 0x01, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
		0x09, 0x04, 0x00, 0x00, 0x02, 0x0B, 0x01, 0x02, 0x00,
		0x07, 0x05, 0x01, 0x02, 0x40, 0x00, 0x00,
		0x07, 0x05, 0x82, 0x02, 0x40, 0x00, 0x00,
		0x09, 0x04, 0x00, 0x00, 0x02, 0x0B, 0x01, 0x02, 0x00,
		0x07, 0x05, 0x01, 0x02, 0x00, 0x02, 0x00,
		0x07, 0x05, 0x82, 0x02, 0x00, 0x02, 0x00,
	};
	struct usb_settings settings = settings_make(false, 0);
	uint8_t bytes[USB_DESCRIPTORS_MAX];
	struct cursor_out out = cursor_out(bytes, sizeof(bytes));

	(void)state;
	settings.identity.interface[0] = '\0';
	usb_descriptors_write(&out, &settings, 0x1F0);
	assert_true(out_ok(&out));
	assert_int_equal(out.size, sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
}

/* The largest blobs fit into USB_DESCRIPTORS_MAX; nothing is written beyond a smaller buffer. */
static void test_room(void **state)
{
	struct usb_settings settings = settings_make(true, USB_CLASS_DESCRIPTOR_MAX);
	uint8_t bytes[USB_DESCRIPTORS_MAX];
	struct cursor_out out = cursor_out(bytes, sizeof(bytes));
	size_t size;

	(void)state;
	memset(settings.identity.interface, 'x', USB_STRING_MAX);
	usb_descriptors_write(&out, &settings, 7);
	assert_true(out_ok(&out));
	size = out.size;
	out = cursor_out(bytes, size - 1);
	usb_descriptors_write(&out, &settings, 7);
	assert_false(out_ok(&out));

	out = cursor_out(bytes, sizeof(bytes));
	usb_strings_write(&out, &settings);
	assert_true(out_ok(&out));
	assert_int_equal(out.size, 16 + 2 + USB_STRING_MAX + 1);
}

static void test_strings(void **state)
{
	static const uint8_t expected[] = {
		0x02, 0x00, 0x00, 0x00, /* magic: FUNCTIONFS_STRINGS_MAGIC */
		0x19, 0x00, 0x00, 0x00, /* length: 16 + 2 + 7 */
		0x01, 0x00, 0x00, 0x00, /* strings */
		0x01, 0x00, 0x00, 0x00, /* languages */
		0x09, 0x04,             /* English (United States) */
		'R', 'e', 'a', 'd', 'e', 'r', 0x00,
	};
	struct usb_settings settings = settings_make(true, 0);
	uint8_t bytes[USB_DESCRIPTORS_MAX];
	struct cursor_out out = cursor_out(bytes, sizeof(bytes));

	(void)state;
	usb_strings_write(&out, &settings);
	assert_true(out_ok(&out));
	assert_int_equal(out.size, sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
}

static void test_no_strings(void **state)
{
	static const uint8_t expected[] = {
		0x02, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	};
	struct usb_settings settings = settings_make(true, 0);
	uint8_t bytes[USB_DESCRIPTORS_MAX];
	struct cursor_out out = cursor_out(bytes, sizeof(bytes));

	(void)state;
	settings.identity.interface[0] = '\0';
	usb_strings_write(&out, &settings);
	assert_true(out_ok(&out));
	assert_int_equal(out.size, sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_endpoints),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_no_strings),
	};

	return cmocka_run_group_tests_name("usb descriptors", tests, NULL, NULL);
}
