/*
 * What a reader tells of its messages. See reader_trace.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/reader_trace.h"

#include <assert.h>

#include "base/cursor.h"
#include "control/trace_stream.h"
#include "gadget/ccid/descriptor.h"
#include "gadget/ccid/message.h"

static_assert(CCID_HEADER_SIZE == TRACE_CCID_HEADER_SIZE, "one header");
static_assert(CCID_DESCRIPTOR_SIZE == TRACE_CLASS_DESCRIPTOR_SIZE, "one descriptor");

static bool is_traced(const struct reader_trace *trace)
{
	return trace->tracers->first != NULL;
}

void reader_trace_init(struct reader_trace *trace, struct tracers *tracers, size_t index)
{
	*trace = (struct reader_trace){ .tracers = tracers, .address = (uint8_t)(index + 1) };
}

/* ---- the device ---- */

static struct trace_device device_of(const struct reader_trace *trace, const struct usb_settings *settings)
{
	return (struct trace_device){
		.address = trace->address,
		.idVendor = settings->identity.idVendor,
		.idProduct = settings->identity.idProduct,
		.interrupt = settings->interrupt,
		.class_descriptor = settings->class_descriptor,
		.name = settings->identity.interface,
	};
}

void reader_trace_device(struct reader_trace *trace, const struct usb_settings *settings)
{
	const struct trace_device device = device_of(trace, settings);

	if (is_traced(trace))
		tracers_device(trace->tracers, trace_stream_now(), &device);
}

void reader_trace_tell(const struct reader_trace *trace, struct tracer *tracer,
	const struct usb_settings *settings)
{
	const struct trace_device device = device_of(trace, settings);

	tracer_add_device(tracer, trace_stream_now(), &device);
}

/* ---- commands ---- */

void reader_trace_out(struct reader_trace *trace, struct payload_view message)
{
	struct cursor_in in = cursor_in(message.bytes, message.size);
	uint16_t level;

	/* Also for a trace that begins before the answer comes. */
	trace->bMessageType = in_u8(&in);
	(void)in_le32(&in); /* dwLength */
	(void)in_u8(&in);   /* bSlot */
	trace->bSeq = in_u8(&in);
	(void)in_u8(&in);   /* bBWI */
	level = in_le16(&in);
	/* Whoever asks for the next part of an answer means that of the last call. */
	if (trace->bMessageType != PC_TO_RDR_XFR_BLOCK || level != CCID_LEVEL_MORE)
		trace->call = 0;
	if (!is_traced(trace))
		return;
	trace->open = true;
	trace->command = message;
	trace->time = trace_stream_now();
}

void reader_trace_out_done(struct reader_trace *trace)
{
	struct trace_message message = {
		.time = trace->time,
		.address = trace->address,
		.direction = TRACE_OUT,
		.call = trace->call,
	};

	if (!trace->open)
		return;
	trace_split(&message, trace->command);
	tracers_message(trace->tracers, &message);
	trace->open = false;
	trace->command = (struct payload_view){ .bytes = NULL };
}

/*
 * A command may need two: a change of the protocol goes before the APDU. It is told with the first, and
 * answered with the last.
 */
void reader_trace_call(struct reader_trace *trace, enum wire_operation operation, uint32_t number)
{
	if (operation != WIRE_CANCEL)
		trace->call = number;
	reader_trace_out_done(trace);
}

/* ---- answers ---- */

void reader_trace_in(struct reader_trace *trace, struct payload_view bytes)
{
	struct cursor_in in = cursor_in(bytes.bytes, bytes.size);
	struct trace_message message = {
		.address = trace->address,
		.direction = TRACE_IN,
		.call = trace->call,
	};

	if (!is_traced(trace))
		return;
	reader_trace_out_done(trace);
	message.time = trace_stream_now();
	(void)in_bytes(&in, 6); /* bMessageType, dwLength, bSlot */
	message.atr = trace->bMessageType == PC_TO_RDR_ICC_POWER_ON && in_u8(&in) == trace->bSeq;
	trace_split(&message, bytes);
	tracers_message(trace->tracers, &message);
}

void reader_trace_notify(struct reader_trace *trace, struct payload_view bytes)
{
	struct trace_message message = {
		.address = trace->address,
		.direction = TRACE_NOTIFY,
		.header = bytes,
	};

	if (!is_traced(trace))
		return;
	message.time = trace_stream_now();
	tracers_message(trace->tracers, &message);
}

void reader_trace_request(struct reader_trace *trace, const struct usb_request *request)
{
	struct trace_request told = { .address = trace->address };
	struct cursor_out setup = cursor_out(told.setup, sizeof(told.setup));

	if (!is_traced(trace))
		return;
	told.time = trace_stream_now();
	out_u8(&setup, request->bmRequestType);
	out_u8(&setup, request->bRequest);
	out_le16(&setup, request->wValue);
	out_le16(&setup, request->wIndex);
	out_le16(&setup, request->wLength);
	if ((request->bmRequestType << 8 | request->bRequest) == CCID_REQUEST_ABORT)
		told.text = "ABORT";
	tracers_request(trace->tracers, &told);
}
