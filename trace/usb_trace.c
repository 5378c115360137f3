/*
 * CCID messages as packets of usbmon. See usb_trace.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "trace/usb_trace.h"

#include <stdio.h>
#include <string.h>

/* struct mon_bin_hdr of Linux, Documentation/usb/usbmon.rst: URB types, transfer types, flags. */
#define URB_SUBMIT 'S'
#define URB_COMPLETE 'C'
#define TRANSFER_INTERRUPT 1
#define TRANSFER_CONTROL 2
#define TRANSFER_BULK 3
#define SETUP_THERE 0
#define SETUP_NONE '-'
#define DATA_THERE 0
#define DATA_NONE '<' /* of a request whose data comes with its completion */
#define IN_PROGRESS (-115) /* -EINPROGRESS: the status of each submission */
#define BUS 1

/* Addresses of the endpoints; what the kernel makes of them differs, and doesn't matter here. */
#define ENDPOINT_OUT 0x01
#define ENDPOINT_IN 0x82
#define ENDPOINT_INTERRUPT 0x83
#define ENDPOINT_CONTROL_IN 0x80

/* USB 2.0, 9.4 and 9.6. */
#define GET_DESCRIPTOR_DEVICE 1
#define GET_DESCRIPTOR_CONFIGURATION 2
#define BULK_SIZE 512
#define NOTIFICATION_SIZE 2

/* CCID 1.1, 6.1 and 6.2. */
#define CCID_HEADER 10
#define CCID_LEVEL_OFFSET 8
#define APDU_HEADER 5 /* CLA INS P1 P2, and Lc or Le */
#define STATUS_WORD 2
#define XFR_BLOCK 0x6F
#define DATA_BLOCK 0x80
#define SLOT_STATUS 0x81
#define PARAMETERS 0x82
#define DATA_RATE_AND_CLOCK 0x84
#define LAST_OF_CHAIN 0x01 /* bit of bChainParameter: more follows, unless it is 2 */

struct urb {
	uint64_t time;
	uint8_t address;
	char type;
	uint8_t transfer;
	uint8_t endpoint;
	uint8_t setup[8]; /* of a control submission; else all zero */
	bool has_setup;
	size_t size;      /* of its data */
	size_t captured;
};

static void write_header(struct cursor_out *out, const struct urb *urb)
{
	bool submit = urb->type == URB_SUBMIT;

	out_le64(out, urb->time); /* the URB's id: any number that is its own */
	out_u8(out, (uint8_t)urb->type);
	out_u8(out, urb->transfer);
	out_u8(out, urb->endpoint);
	out_u8(out, urb->address);
	out_le16(out, BUS);
	out_u8(out, urb->has_setup ? SETUP_THERE : SETUP_NONE);
	out_u8(out, urb->size > 0 ? DATA_THERE : DATA_NONE);
	out_le64(out, urb->time / 1000000000);
	out_le32(out, (uint32_t)(urb->time % 1000000000 / 1000));
	out_le32(out, submit ? (uint32_t)IN_PROGRESS : 0);
	out_le32(out, (uint32_t)urb->size);
	out_le32(out, (uint32_t)urb->captured);
	out_bytes(out, urb->setup, sizeof(urb->setup));
	out_le32(out, 0); /* interval, start frame: of other transfers */
	out_le32(out, 0);
	out_le32(out, 0); /* flags, descriptors */
	out_le32(out, 0);
}

static void write_urb(struct cursor_out *out, const struct urb *urb, const uint8_t *data,
	const char *comment)
{
	uint8_t bytes[TRACE_HEADER_SIZE];
	struct cursor_out header = cursor_out(bytes, sizeof(bytes));
	struct pcapng_packet packet = {
		.time = urb->time,
		.head = bytes,
		.head_size = sizeof(bytes),
		.bytes = data,
		.captured = urb->captured,
		.size = sizeof(bytes) + urb->size,
		.comment = comment,
	};

	write_header(&header, urb);
	pcapng_packet(out, &packet);
}

/* ---- the descriptors ---- */

static void device_descriptor(struct cursor_out *out, const struct trace_device *device)
{
	out_u8(out, 18);
	out_u8(out, GET_DESCRIPTOR_DEVICE);
	out_le16(out, 0x0200); /* bcdUSB */
	out_zeros(out, 3);     /* class, subclass, protocol: the interface's */
	out_u8(out, 64);       /* bMaxPacketSize0 */
	out_le16(out, device->idVendor);
	out_le16(out, device->idProduct);
	out_zeros(out, 5);     /* bcdDevice, the strings */
	out_u8(out, 1);        /* bNumConfigurations */
}

static void endpoint_descriptor(struct cursor_out *out, uint8_t address, uint8_t transfer,
	uint16_t size)
{
	out_u8(out, 7);
	out_u8(out, 5); /* ENDPOINT */
	out_u8(out, address);
	out_u8(out, transfer);
	out_le16(out, size);
	out_u8(out, transfer == 3 ? 8 : 0); /* bInterval */
}

static void configuration_descriptor(struct cursor_out *out, const struct trace_device *device)
{
	unsigned int endpoints = device->interrupt ? 3 : 2;

	out_u8(out, 9);
	out_u8(out, GET_DESCRIPTOR_CONFIGURATION);
	out_le16(out, (uint16_t)(9 + 9 + TRACE_CLASS_DESCRIPTOR_SIZE + endpoints * 7));
	out_u8(out, 1); /* bNumInterfaces */
	out_u8(out, 1); /* bConfigurationValue */
	out_u8(out, 0);
	out_u8(out, 0x80); /* bmAttributes: powered by the bus */
	out_u8(out, 1);    /* bMaxPower */
	out_u8(out, 9);
	out_u8(out, 4); /* INTERFACE */
	out_zeros(out, 2);
	out_u8(out, (uint8_t)endpoints);
	out_u8(out, 0x0B); /* CCID 1.1, table 4.3-1 */
	out_zeros(out, 3);
	out_bytes(out, device->class_descriptor, TRACE_CLASS_DESCRIPTOR_SIZE);
	endpoint_descriptor(out, ENDPOINT_OUT, 2, BULK_SIZE);
	endpoint_descriptor(out, ENDPOINT_IN, 2, BULK_SIZE);
	if (device->interrupt)
		endpoint_descriptor(out, ENDPOINT_INTERRUPT, 3, NOTIFICATION_SIZE);
}

/* A request for a descriptor, and the answer. */
static void write_exchange(struct cursor_out *out, uint64_t time, const struct trace_device *device,
	uint8_t type, const struct cursor_out *answer)
{
	struct urb urb = {
		.time = time,
		.address = device->address,
		.type = URB_SUBMIT,
		.transfer = TRANSFER_CONTROL,
		.endpoint = ENDPOINT_CONTROL_IN,
		.setup = { 0x80, 6, 0, type, 0, 0, (uint8_t)answer->size, 0 },
		.has_setup = true,
	};

	write_urb(out, &urb, NULL, device->name);
	urb.type = URB_COMPLETE;
	urb.has_setup = false;
	memset(urb.setup, 0, sizeof(urb.setup));
	urb.size = answer->size;
	urb.captured = answer->size;
	write_urb(out, &urb, answer->start, device->name);
}

void trace_device(struct cursor_out *out, uint64_t time, const struct trace_device *device)
{
	uint8_t bytes[128];
	struct cursor_out answer = cursor_out(bytes, sizeof(bytes));

	device_descriptor(&answer, device);
	write_exchange(out, time, device, GET_DESCRIPTOR_DEVICE, &answer);
	answer = cursor_out(bytes, sizeof(bytes));
	configuration_descriptor(&answer, device);
	write_exchange(out, time + 1, device, GET_DESCRIPTOR_CONFIGURATION, &answer);
}

/* ---- messages ---- */

/* Of a command: its APDU's header, where one begins here (CCID 1.1, 6.1.4: wLevelParameter). */
static size_t kept_of_command(struct payload_view message)
{
	struct cursor_in in = cursor_in(message.bytes, message.size);
	uint8_t type = in_u8(&in);
	uint16_t level;

	(void)in_bytes(&in, CCID_LEVEL_OFFSET - 1);
	level = in_le16(&in);
	if (in_ok(&in) && type == XFR_BLOCK && level <= 1)
		return CCID_HEADER + APDU_HEADER;
	return CCID_HEADER;
}

static size_t kept_of_response(struct payload_view message, bool atr)
{
	uint8_t type = message.size > 0 ? message.bytes[0] : 0;

	switch (type) {
	case DATA_BLOCK:
		return atr ? message.size : CCID_HEADER;
	case SLOT_STATUS:
	case PARAMETERS:
	case DATA_RATE_AND_CLOCK:
		return message.size;
	}
	return CCID_HEADER;
}

size_t trace_kept(const struct trace_message *message)
{
	size_t kept = message->message.size;

	if (message->with_data || message->direction == TRACE_NOTIFY)
		return kept;
	if (message->direction == TRACE_OUT)
		kept = kept_of_command(message->message);
	else
		kept = kept_of_response(message->message, message->atr);
	return kept < message->message.size ? kept : message->message.size;
}

/* The status word, of a response that ends here: bChainParameter is neither "begins" nor "continues". */
static bool status_word(const struct trace_message *message, uint16_t *sw)
{
	struct cursor_in in = cursor_in(message->message.bytes, message->message.size);
	uint8_t type = in_u8(&in);
	uint8_t chain;

	(void)in_bytes(&in, CCID_HEADER - 2);
	chain = in_u8(&in);
	if (message->direction != TRACE_IN || message->atr || type != DATA_BLOCK ||
		(chain & LAST_OF_CHAIN) != 0 || in.left < STATUS_WORD)
		return false;
	(void)in_bytes(&in, in.left - STATUS_WORD);
	*sw = in_be16(&in);
	return in_done(&in);
}

static void make_comment(const struct trace_message *message, size_t kept, char *comment, size_t size)
{
	char call[24] = "", sw[16] = "";
	uint16_t word;

	if (message->call != 0)
		(void)snprintf(call, sizeof(call), "call %u; ", (unsigned int)message->call);
	if (status_word(message, &word))
		(void)snprintf(sw, sizeof(sw), "SW %04X; ", word);
	(void)snprintf(comment, size, "%s%s%.*s%s%s", call, sw, TRACE_TEXT_MAX,
		message->text != NULL ? message->text : "", message->text != NULL ? "; " : "",
		kept < message->message.size ? "data cut out; " : "");
	/* Without the separator behind the last part. */
	if (comment[0] != '\0')
		comment[strlen(comment) - 2] = '\0';
}

void trace_message(struct cursor_out *out, const struct trace_message *message)
{
	char comment[PCAPNG_COMMENT_MAX];
	struct urb urb = {
		.time = message->time,
		.address = message->address,
		.type = message->direction == TRACE_OUT ? URB_SUBMIT : URB_COMPLETE,
		.transfer = TRANSFER_BULK,
		.endpoint = message->direction == TRACE_OUT ? ENDPOINT_OUT : ENDPOINT_IN,
		.size = message->message.size,
		.captured = trace_kept(message),
	};

	if (message->direction == TRACE_NOTIFY) {
		urb.transfer = TRANSFER_INTERRUPT;
		urb.endpoint = ENDPOINT_INTERRUPT;
	}
	make_comment(message, urb.captured, comment, sizeof(comment));
	write_urb(out, &urb, message->message.bytes, comment[0] != '\0' ? comment : NULL);
}
