/*
 * CCID messages as packets of usbmon. See usb_trace.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "trace/usb_trace.h"

#include <stdio.h>
#include <string.h>

#include "trace/cut.h"

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

struct urb {
	uint64_t time;
	uint8_t bus;
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
	out_le16(out, urb->bus);
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

/* What is said of a packet beside its bytes. */
struct remark {
	const char *comment; /* NULL: none */
	uint64_t lost;
};

/* head: what the data begins with; it is at most a CCID header. The rest of what is captured is in rest. */
static void write_urb(struct cursor_out *out, const struct urb *urb, struct payload_view head,
	const uint8_t *rest, const struct remark *remark)
{
	uint8_t bytes[TRACE_HEADER_SIZE + TRACE_CCID_HEADER_SIZE];
	struct cursor_out header = cursor_out(bytes, sizeof(bytes));
	size_t captured = head.size < urb->captured ? head.size : urb->captured;
	struct pcapng_packet packet = {
		.time = urb->time,
		.head = bytes,
		.bytes = rest,
		.captured = urb->captured - captured,
		.size = TRACE_HEADER_SIZE + urb->size,
		.comment = remark->comment,
		.lost = remark->lost,
	};

	write_header(&header, urb);
	out_bytes(&header, head.bytes, captured);
	packet.head_size = header.size;
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
	const struct remark remark = { .comment = device->name };
	const struct payload_view none = { .bytes = NULL };
	struct urb urb = {
		.time = time,
		.bus = device->bus,
		.address = device->address,
		.type = URB_SUBMIT,
		.transfer = TRANSFER_CONTROL,
		.endpoint = ENDPOINT_CONTROL_IN,
		.setup = { 0x80, 6, 0, type, 0, 0, (uint8_t)answer->size, 0 },
		.has_setup = true,
	};

	write_urb(out, &urb, none, NULL, &remark);
	urb.type = URB_COMPLETE;
	urb.has_setup = false;
	memset(urb.setup, 0, sizeof(urb.setup));
	urb.size = answer->size;
	urb.captured = answer->size;
	write_urb(out, &urb, none, answer->start, &remark);
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

void trace_split(struct trace_message *message, struct payload_view whole)
{
	size_t header = whole.size < TRACE_CCID_HEADER_SIZE ? whole.size : TRACE_CCID_HEADER_SIZE;

	message->header = (struct payload_view){ whole.bytes, header };
	message->data = (struct payload_view){ whole.bytes + header, whole.size - header };
}

/* The status word, of a response that ends here: bChainParameter is neither "begins" nor "continues". */
static bool status_word(const struct trace_message *message, uint16_t *sw)
{
	struct cut_header header;
	struct cursor_in in = cursor_in(message->data.bytes, message->data.size);

	if (message->direction != TRACE_IN || message->atr || !cut_header(message->header, &header) ||
		header.bMessageType != CUT_DATA_BLOCK || (header.specific[2] & CUT_MORE_FOLLOWS) != 0 ||
		in.left < CUT_STATUS_WORD)
		return false;
	(void)in_bytes(&in, in.left - CUT_STATUS_WORD);
	*sw = in_be16(&in);
	return in_done(&in);
}

static void make_comment(const struct trace_message *message, bool cut, char *comment, size_t size)
{
	char call[24] = "", sw[16] = "";
	uint16_t word;

	if (message->call != 0)
		(void)snprintf(call, sizeof(call), "call=%u; ", (unsigned int)message->call);
	if (status_word(message, &word))
		(void)snprintf(sw, sizeof(sw), "SW=%04X; ", word);
	(void)snprintf(comment, size, "%s%s%.*s%s%s", call, sw, TRACE_TEXT_MAX,
		message->text != NULL ? message->text : "", message->text != NULL ? "; " : "",
		cut ? "data cut out; " : "");
	/* Without the separator behind the last part. */
	if (comment[0] != '\0')
		comment[strlen(comment) - 2] = '\0';
}

size_t trace_kept(const struct trace_message *message)
{
	size_t size = message->header.size + message->data.size;

	if (message->with_data || message->direction == TRACE_NOTIFY)
		return size;
	if (message->direction == TRACE_OUT)
		return cut_command(message->header, message->data);
	return cut_response(message->header, message->data, message->atr);
}

void trace_message(struct cursor_out *out, const struct trace_message *message)
{
	char comment[PCAPNG_COMMENT_MAX];
	struct remark remark = { .lost = message->lost };
	struct urb urb = {
		.time = message->time,
		.bus = message->bus,
		.address = message->address,
		.type = message->direction == TRACE_OUT ? URB_SUBMIT : URB_COMPLETE,
		.transfer = TRANSFER_BULK,
		.endpoint = message->direction == TRACE_OUT ? ENDPOINT_OUT : ENDPOINT_IN,
		.size = message->header.size + message->data.size,
		.captured = trace_kept(message),
	};

	if (message->direction == TRACE_NOTIFY) {
		urb.transfer = TRANSFER_INTERRUPT;
		urb.endpoint = ENDPOINT_INTERRUPT;
	}
	make_comment(message, urb.captured < urb.size, comment, sizeof(comment));
	if (comment[0] != '\0')
		remark.comment = comment;
	write_urb(out, &urb, message->header, message->data.bytes, &remark);
}

void trace_request(struct cursor_out *out, const struct trace_request *request)
{
	const struct remark remark = { .comment = request->text, .lost = request->lost };
	const struct payload_view none = { .bytes = NULL };
	struct urb urb = {
		.time = request->time,
		.bus = request->bus,
		.address = request->address,
		.type = URB_SUBMIT,
		.transfer = TRANSFER_CONTROL,
		.endpoint = (uint8_t)(request->setup[0] & ENDPOINT_CONTROL_IN), /* or 0: out */
		.has_setup = true,
	};

	memcpy(urb.setup, request->setup, sizeof(urb.setup));
	write_urb(out, &urb, none, NULL, &remark);
}
