/*
 * Fuzzes what the process that makes gadgets, root, reads from the daemon: each request that is taken
 * asks for nothing but a smart-card reader on a virtual port, and encodes to the bytes that it came
 * from. The daemon's decoder of answers is fed the same.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "gadget/usb/maker_record.h"

static void check_request(struct payload_view view)
{
	uint8_t again[USB_MAKER_REQUEST_SIZE];
	struct usb_maker_request request;
	const struct usb_settings *settings = &request.settings;

	if (usb_maker_request_decode(view, &request) != 0)
		return;
	assert(view.size == sizeof(again));
	assert(strnlen(settings->name, sizeof(settings->name)) <= USB_NAME_MAX);
	assert(strchr(settings->name, '/') == NULL && settings->name[0] != '.');
	if (request.type == USB_MAKER_MAKE) {
		assert(settings->bInterfaceClass == 0x0B);
		assert(settings->class_descriptor_size <= USB_CLASS_DESCRIPTOR_MAX);
		assert(settings->udc[0] == '\0' || strncmp(settings->udc, "dummy_udc.", 10) == 0);
	}
	usb_maker_request_encode(&request, again);
	assert(memcmp(again, view.bytes, sizeof(again)) == 0);
}

static void check_answer(struct payload_view view)
{
	uint8_t again[USB_MAKER_ANSWER_SIZE];
	struct usb_maker_answer answer;

	if (usb_maker_answer_decode(view, &answer) != 0)
		return;
	assert(view.size == sizeof(again));
	usb_maker_answer_encode(&answer, again);
	assert(memcmp(again, view.bytes, sizeof(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct payload_view view = { .bytes = bytes, .size = size };

	check_request(view);
	check_answer(view);
	return 0;
}
