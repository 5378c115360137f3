/*
 * The records between the daemon and the process that makes its gadgets: they come through as they
 * were, and whatever a daemon that was taken over could try is malformed.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/usb/maker_record.h"

/* Where the fields are in a request. */
#define TYPE 0
#define NAME 1
#define UDC (NAME + USB_NAME_MAX + 1)
#define VENDOR (UDC + 64)
#define MANUFACTURER (VENDOR + 6)
#define INTERFACE (MANUFACTURER + 3 * (USB_STRING_MAX + 1))
#define CLASS (INTERFACE + USB_STRING_MAX + 1)
#define DESCRIPTOR_SIZE (CLASS + 3 + USB_CLASS_DESCRIPTOR_MAX)
#define INTERRUPT (DESCRIPTOR_SIZE + 1)

static const struct usb_maker_request make = {
	.type = USB_MAKER_MAKE,
	.settings = {
		.name = "ccid-gadget0",
		.udc = "dummy_udc.31",
		.identity = { .idVendor = 0x0E0F, .idProduct = 0x0004, .bcdDevice = 0x0100,
			.manufacturer = "maker", .product = "product", .serial = "0123",
			.interface = "interface" },
		.bInterfaceClass = 0x0B,
		.bInterfaceSubClass = 1,
		.bInterfaceProtocol = 2,
		.class_descriptor = { 54, 0x21, 3 },
		.class_descriptor_size = 54,
		.interrupt = true,
		.preferred_udc = 7,
		.reserved_udcs = 0x80000001,
	},
};

static uint8_t bytes[USB_MAKER_REQUEST_SIZE + 1];

static int decode(size_t size, struct usb_maker_request *request)
{
	return usb_maker_request_decode((struct payload_view){ .bytes = bytes, .size = size },
		request);
}

static void test_request(void **state)
{
	struct usb_maker_request request;

	(void)state;
	usb_maker_request_encode(&make, bytes);
	assert_int_equal(decode(USB_MAKER_REQUEST_SIZE, &request), 0);
	assert_memory_equal(&request, &make, sizeof(make));
	assert_int_equal(bytes[VENDOR], 0x0F);
	assert_int_equal(bytes[VENDOR + 1], 0x0E);
	assert_int_equal(bytes[INTERRUPT], 1);
}

/* All strings may be as long as their fields, and a name is all that most requests have. */
static void test_bounds(void **state)
{
	struct usb_maker_request longest = make, request;
	struct usb_maker_request shortest = { .type = USB_MAKER_REMOVE, .settings = { .name = "a" } };

	(void)state;
	memset(longest.settings.name, 'n', USB_NAME_MAX);
	memset(longest.settings.identity.interface, 'i', USB_STRING_MAX);
	memset(longest.settings.identity.serial, 's', USB_STRING_MAX);
	usb_maker_request_encode(&longest, bytes);
	assert_int_equal(decode(USB_MAKER_REQUEST_SIZE, &request), 0);
	assert_memory_equal(&request, &longest, sizeof(longest));
	usb_maker_request_encode(&shortest, bytes);
	assert_int_equal(decode(USB_MAKER_REQUEST_SIZE, &request), 0);
	assert_memory_equal(&request, &shortest, sizeof(shortest));
}

static void test_malformed(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		size_t count;
		const char *with;
	} rows[] = {
		{ "type 0", TYPE, 1, "\0" },
		{ "type 5", TYPE, 1, "\5" },
		{ "no name", NAME, USB_NAME_MAX, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" },
		{ "a hidden name", NAME, 1, "." },
		{ "a name that leaves the folder", NAME, 4, "../x" },
		{ "a name with a folder", NAME + 4, 1, "/" },
		{ "a name without end", NAME, USB_NAME_MAX + 1, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" },
		{ "something behind the name's end", NAME + USB_NAME_MAX, 1, "x" },
		{ "a controller of hardware", UDC, 12, "fe980000.usb" },
		{ "a controller elsewhere", UDC + 10, 2, "/x" },
		{ "something behind the controller's end", UDC + 63, 1, "x" },
		{ "something behind a string's end", INTERFACE + USB_STRING_MAX, 1, "x" },
		{ "a keyboard", CLASS, 1, "\3" },
		{ "a disk", CLASS, 1, "\10" },
		{ "a class descriptor of 65 bytes", DESCRIPTOR_SIZE, 1, "A" },
		{ "neither with nor without an interrupt endpoint", INTERRUPT, 1, "\2" },
	};
	struct usb_maker_request request;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].what);
		usb_maker_request_encode(&make, bytes);
		memcpy(&bytes[rows[i].at], rows[i].with, rows[i].count);
		assert_int_equal(decode(USB_MAKER_REQUEST_SIZE, &request), USB_MAKER_MALFORMED);
	}
}

static void test_sizes(void **state)
{
	struct usb_maker_request request;

	(void)state;
	usb_maker_request_encode(&make, bytes);
	for (size_t size = 0; size < USB_MAKER_REQUEST_SIZE; size++)
		assert_int_equal(decode(size, &request), USB_MAKER_MALFORMED);
	assert_int_equal(decode(USB_MAKER_REQUEST_SIZE + 1, &request), USB_MAKER_MALFORMED);
}

static void test_answer(void **state)
{
	static const struct usb_maker_answer answers[] = {
		{ .result = 0, .udc = "dummy_udc.0" },
		{ .result = USB_UDC_BUSY },
		{ .result = -5 },
	};
	uint8_t answered[USB_MAKER_ANSWER_SIZE];
	struct payload_view view = { .bytes = answered, .size = sizeof(answered) };
	struct usb_maker_answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		usb_maker_answer_encode(&answers[i], answered);
		view.size = sizeof(answered);
		assert_int_equal(usb_maker_answer_decode(view, &answer), 0);
		assert_memory_equal(&answer, &answers[i], sizeof(answer));
		view.size--;
		assert_int_equal(usb_maker_answer_decode(view, &answer), USB_MAKER_MALFORMED);
	}
	view.size = sizeof(answered);
	answered[4] = '/';
	assert_int_equal(usb_maker_answer_decode(view, &answer), USB_MAKER_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
