/*
 * The two blobs. See descriptors.h.
 *
 * The kernel accepts a class descriptor of type 0x21 only if it is 54 bytes long and follows an
 * interface of class 0x0B (f_fs.c, ffs_do_single_desc()). The endpoint addresses are only wishes:
 * it rewrites them to what the UDC has.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/descriptors.h"

#include <linux/usb/functionfs.h>
#include <string.h>

#define USB_DESCRIPTORS_FLAGS (FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC | FUNCTIONFS_EVENTFD)
#define USB_ENGLISH 0x0409
#define USB_INTERFACE_STRING 1 /* an index into our string blob, which the kernel translates */

/*
 * bInterval for 16 ms: the unit is a frame of 1 ms at full speed, and 2^(n-1) microframes of 125 us
 * at high speed (USB 2.0, 9.6.6).
 */
#define USB_FULL_SPEED_INTERVAL 16
#define USB_HIGH_SPEED_INTERVAL 8

static void usb_write_interface(struct cursor_out *out, const struct usb_settings *settings)
{
	out_u8(out, USB_DT_INTERFACE_SIZE);
	out_u8(out, USB_DT_INTERFACE);
	out_u8(out, 0); /* bInterfaceNumber */
	out_u8(out, 0); /* bAlternateSetting */
	out_u8(out, settings->interrupt ? 3 : 2); /* bNumEndpoints */
	out_u8(out, settings->bInterfaceClass);
	out_u8(out, settings->bInterfaceSubClass);
	out_u8(out, settings->bInterfaceProtocol);
	out_u8(out, settings->identity.interface[0] != '\0' ? USB_INTERFACE_STRING : 0);
}

static void usb_write_endpoint(struct cursor_out *out, uint8_t bEndpointAddress,
	uint8_t bmAttributes, uint16_t wMaxPacketSize, uint8_t bInterval)
{
	out_u8(out, USB_DT_ENDPOINT_SIZE);
	out_u8(out, USB_DT_ENDPOINT);
	out_u8(out, bEndpointAddress);
	out_u8(out, bmAttributes);
	out_le16(out, wMaxPacketSize);
	out_u8(out, bInterval);
}

/* The descriptors of one speed. */
static void usb_write_speed(struct cursor_out *out, const struct usb_settings *settings,
	uint16_t packet_size, uint8_t interval)
{
	usb_write_interface(out, settings);
	out_bytes(out, settings->class_descriptor, settings->class_descriptor_size);
	usb_write_endpoint(out, USB_DIR_OUT | 1, USB_ENDPOINT_XFER_BULK, packet_size, 0);
	usb_write_endpoint(out, USB_DIR_IN | 2, USB_ENDPOINT_XFER_BULK, packet_size, 0);
	if (settings->interrupt)
		usb_write_endpoint(out, USB_DIR_IN | 3, USB_ENDPOINT_XFER_INT, USB_NOTIFICATION_MAX,
			interval);
}

void usb_descriptors_write(struct cursor_out *out, const struct usb_settings *settings, int eventfd)
{
	uint32_t endpoints = settings->interrupt ? 3 : 2;
	uint32_t count = 1 + (settings->class_descriptor_size > 0 ? 1u : 0) + endpoints;
	uint8_t bytes[USB_DESCRIPTORS_MAX];
	struct cursor_out sets = cursor_out(bytes, sizeof(bytes));

	usb_write_speed(&sets, settings, USB_FULL_SPEED_BULK, USB_FULL_SPEED_INTERVAL);
	usb_write_speed(&sets, settings, USB_HIGH_SPEED_BULK, USB_HIGH_SPEED_INTERVAL);

	out_le32(out, FUNCTIONFS_DESCRIPTORS_MAGIC_V2);
	out_le32(out, (uint32_t)(6 * sizeof(uint32_t) + sets.size)); /* six numbers, the sets */
	out_le32(out, USB_DESCRIPTORS_FLAGS);
	out_le32(out, (uint32_t)eventfd);
	out_le32(out, count); /* full speed */
	out_le32(out, count); /* high speed */
	out_bytes(out, bytes, sets.size);
	if (!out_ok(&sets))
		out->failed = true;
}

void usb_strings_write(struct cursor_out *out, const struct usb_settings *settings)
{
	const char *interface = settings->identity.interface;
	uint32_t count = interface[0] != '\0' ? 1 : 0; /* of strings, and of languages */
	uint32_t head = 4 * sizeof(uint32_t);
	uint32_t table = count > 0 ? (uint32_t)(sizeof(uint16_t) + strlen(interface) + 1) : 0;

	out_le32(out, FUNCTIONFS_STRINGS_MAGIC);
	out_le32(out, head + table);
	out_le32(out, count);
	out_le32(out, count);
	if (count > 0) {
		out_le16(out, USB_ENGLISH);
		out_bytes(out, interface, strlen(interface) + 1);
	}
}
