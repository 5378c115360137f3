/*
 * The codec of the maker's records. See maker_record.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/maker_record.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"

#define USB_CLASS_SMART_CARD 0x0B /* bInterfaceClass */
#define USB_DUMMY_UDC "dummy_udc."

/* A string in a field of fixed size, filled up with zeros. */
static void text_out(struct cursor_out *out, const char *text, size_t size)
{
	size_t length = strnlen(text, size - 1);

	out_bytes(out, text, length);
	out_zeros(out, size - length);
}

/* Whether there was such a string. */
static bool text_in(struct cursor_in *in, char *text, size_t size)
{
	size_t length;

	in_copy(in, text, size);
	length = strnlen(text, size);
	if (length == size) {
		text[0] = '\0';
		return false;
	}
	while (length < size && text[length] == '\0')
		length++;
	return length == size;
}

/* Whether a name can be that of a folder and of a FunctionFS instance. */
static bool is_name(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

static bool is_dummy(const char *udc)
{
	return udc[0] == '\0' || (strncmp(udc, USB_DUMMY_UDC, strlen(USB_DUMMY_UDC)) == 0 &&
		strchr(udc, '/') == NULL);
}

static bool request_is_possible(const struct usb_maker_request *request)
{
	const struct usb_settings *settings = &request->settings;

	switch (request->type) {
	case USB_MAKER_MAKE:
		return is_name(settings->name) && is_dummy(settings->udc) &&
			settings->bInterfaceClass == USB_CLASS_SMART_CARD &&
			settings->class_descriptor_size <= USB_CLASS_DESCRIPTOR_MAX;
	case USB_MAKER_BIND:
	case USB_MAKER_UNBIND:
	case USB_MAKER_REMOVE:
		return is_name(settings->name);
	}
	return false;
}

void usb_maker_request_encode(const struct usb_maker_request *request, uint8_t *bytes)
{
	const struct usb_settings *settings = &request->settings;
	const struct usb_identity *identity = &settings->identity;
	struct cursor_out out = cursor_out(bytes, USB_MAKER_REQUEST_SIZE);

	out_u8(&out, (uint8_t)request->type);
	text_out(&out, settings->name, sizeof(settings->name));
	text_out(&out, settings->udc, sizeof(settings->udc));
	out_le16(&out, identity->idVendor);
	out_le16(&out, identity->idProduct);
	out_le16(&out, identity->bcdDevice);
	text_out(&out, identity->manufacturer, sizeof(identity->manufacturer));
	text_out(&out, identity->product, sizeof(identity->product));
	text_out(&out, identity->serial, sizeof(identity->serial));
	text_out(&out, identity->interface, sizeof(identity->interface));
	out_u8(&out, settings->bInterfaceClass);
	out_u8(&out, settings->bInterfaceSubClass);
	out_u8(&out, settings->bInterfaceProtocol);
	out_bytes(&out, settings->class_descriptor, sizeof(settings->class_descriptor));
	out_u8(&out, (uint8_t)settings->class_descriptor_size);
	out_u8(&out, settings->interrupt ? 1 : 0);
	out_le32(&out, settings->preferred_udc);
	out_le32(&out, settings->reserved_udcs);
	assert(out_ok(&out) && out.size == USB_MAKER_REQUEST_SIZE);
}

int usb_maker_request_decode(struct payload_view bytes, struct usb_maker_request *request)
{
	struct usb_settings *settings = &request->settings;
	struct usb_identity *identity = &settings->identity;
	struct cursor_in in = cursor_in(bytes.bytes, bytes.size);
	uint8_t interrupt;
	bool good;

	*request = (struct usb_maker_request){ .type = (enum usb_maker_type)in_u8(&in) };
	good = text_in(&in, settings->name, sizeof(settings->name));
	good &= text_in(&in, settings->udc, sizeof(settings->udc));
	identity->idVendor = in_le16(&in);
	identity->idProduct = in_le16(&in);
	identity->bcdDevice = in_le16(&in);
	good &= text_in(&in, identity->manufacturer, sizeof(identity->manufacturer));
	good &= text_in(&in, identity->product, sizeof(identity->product));
	good &= text_in(&in, identity->serial, sizeof(identity->serial));
	good &= text_in(&in, identity->interface, sizeof(identity->interface));
	settings->bInterfaceClass = in_u8(&in);
	settings->bInterfaceSubClass = in_u8(&in);
	settings->bInterfaceProtocol = in_u8(&in);
	in_copy(&in, settings->class_descriptor, sizeof(settings->class_descriptor));
	settings->class_descriptor_size = in_u8(&in);
	interrupt = in_u8(&in);
	settings->interrupt = interrupt == 1;
	settings->preferred_udc = in_le32(&in);
	settings->reserved_udcs = in_le32(&in);
	good &= in_done(&in) && interrupt <= 1 && request_is_possible(request);
	return good ? 0 : USB_MAKER_MALFORMED;
}

void usb_maker_answer_encode(const struct usb_maker_answer *answer, uint8_t *bytes)
{
	struct cursor_out out = cursor_out(bytes, USB_MAKER_ANSWER_SIZE);

	out_le32(&out, (uint32_t)answer->result);
	text_out(&out, answer->udc, sizeof(answer->udc));
	assert(out_ok(&out) && out.size == USB_MAKER_ANSWER_SIZE);
}

int usb_maker_answer_decode(struct payload_view bytes, struct usb_maker_answer *answer)
{
	struct cursor_in in = cursor_in(bytes.bytes, bytes.size);
	bool good;

	answer->result = (int)in_le32(&in);
	good = text_in(&in, answer->udc, sizeof(answer->udc));
	return good && in_done(&in) && is_dummy(answer->udc) ? 0 : USB_MAKER_MALFORMED;
}
