/*
 * SCard calls as CCID messages. See call_trace.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/call_trace.h"

#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "control/trace_stream.h"

/* CCID 1.1, 6.2, table 6.2-3: bmCommandStatus; table 6.2-2: bError. */
#define COMMAND_FAILED 0x40
#define SLOT_BUSY 0xE0
#define HARDWARE_ERROR 0xFB
#define ICC_MUTE 0xFE

/* CCID 1.1, table 5.1-1: extended APDUs, and nothing else that matters here. */
static const uint8_t class_descriptor[TRACE_CLASS_DESCRIPTOR_SIZE] = {
	54, 0x21, 0x10, 0x01, 0, 7, 3, 0, 0, 0, 0xA0, 0x0F, 0, 0, 0xA0, 0x0F, 0, 0, 0,
	1, 0x2A, 0, 0, 0x20, 0xA1, 7, 0, 0, 0xFE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0xBA, 0x04, 0x04, 0x00, 0x12, 0x00, 1, 0, 0xFF, 0xFF, 0, 0, 0, 1,
};

struct words {
	const char *call;
	uint8_t command; /* bMessageType, CCID 1.1, 6.1 and 6.2 */
	uint8_t answer;
};

static const struct words words[] = {
	[0] = { "unknown call", 0, 0x81 },
	[WIRE_CONNECT] = { "SCardConnect", 0x62, 0x80 },
	[WIRE_DISCONNECT] = { "SCardDisconnect", 0x63, 0x81 },
	[WIRE_TRANSMIT] = { "SCardTransmit", 0x6F, 0x80 },
	[WIRE_SECURE] = { "SCardControl (PIN pad)", 0x69, 0x80 },
	[WIRE_ESCAPE] = { "SCardControl (escape)", 0x6B, 0x83 },
	[WIRE_CANCEL] = { "cancel", 0x72, 0x81 },
};

static const struct words *words_of(uint8_t operation)
{
	return &words[operation < sizeof words / sizeof words[0] ? operation : 0];
}

/* Identities are never used twice, and there are seldom more than there are addresses. */
static uint8_t address_of(uint32_t reader)
{
	return (uint8_t)(reader % (CALL_TRACE_ADDRESSES - 1) + 1);
}

void call_traces_anew(struct call_traces *traces)
{
	memset(traces->told, 0, sizeof traces->told);
}

void call_trace_init(struct call_trace *trace, struct call_traces *traces, const char *guest)
{
	*trace = (struct call_trace){ .traces = traces, .guest = guest };
}

static bool is_traced(const struct call_trace *trace)
{
	return trace->traces->tracers.first != NULL;
}

static void tell_device(struct call_trace *trace, uint8_t address, const char *name)
{
	const struct trace_device device = {
		.address = address,
		.class_descriptor = class_descriptor,
		.name = name,
	};

	if (!trace->traces->told[address])
		tracers_device(&trace->traces->tracers, trace_stream_now(), &device);
}

/* data is borrowed, too; header is written here. */
static void tell(struct call_trace *trace, struct trace_message *message, uint8_t type,
	const uint8_t last[3])
{
	uint8_t header[TRACE_CCID_HEADER_SIZE];
	struct cursor_out out = cursor_out(header, sizeof header);

	out_u8(&out, type);
	out_le32(&out, (uint32_t)message->data.size);
	out_u8(&out, 0);                      /* bSlot */
	out_u8(&out, (uint8_t)message->call); /* bSeq */
	out_bytes(&out, last, 3);
	message->time = trace_stream_now();
	message->header = (struct payload_view){ header, out.size };
	tracers_message(&trace->traces->tracers, message);
}

/* ---- a call ---- */

static const char *initialization_word(const struct wire_call *call)
{
	if (call->operation != WIRE_CONNECT)
		return "";
	switch (call->initialization) {
	case WIRE_RESET:
		return ", or SCardReconnect with reset";
	case WIRE_UNPOWER:
		return ", or SCardReconnect with power-off";
	}
	return ", or SCardReconnect";
}

static void remember(struct call_trace *trace, const struct wire_call *call)
{
	size_t i = 0;

	while (i < WIRE_OPEN_MAX - 1 && trace->open[i].number != 0)
		i++;
	trace->open[i].number = call->number;
	trace->open[i].reader = call->reader;
	trace->open[i].operation = call->operation;
}

void call_trace_begin(struct call_trace *trace, const struct wire_call *call, const char *reader)
{
	static const uint8_t last[3];
	char text[TRACE_TEXT_MAX];
	struct trace_message message = {
		.address = address_of(call->reader),
		.direction = TRACE_OUT,
		.data = call->data,
		.call = call->number,
		.text = text,
	};

	if (!is_traced(trace))
		return;
	remember(trace, call);
	(void)snprintf(text, sizeof text, "%s%s; guest %s", words_of(call->operation)->call,
		initialization_word(call), trace->guest);
	tell_device(trace, message.address, reader != NULL ? reader : "no reader of this guest");
	trace->traces->told[message.address] = true;
	tell(trace, &message, words_of(call->operation)->command, last);
}

/* ---- its end ---- */

static uint8_t error_of(uint8_t outcome)
{
	switch (outcome) {
	case WIRE_CARD_BUSY:
		return SLOT_BUSY;
	case WIRE_NO_CARD:
	case WIRE_CARD_REMOVED:
	case WIRE_CARD_MUTE:
		return ICC_MUTE;
	}
	return HARDWARE_ERROR;
}

static void tell_end(struct call_trace *trace, const struct wire_reply *reply, uint32_t reader,
	uint8_t operation)
{
	const struct words *of = words_of(operation);
	uint8_t last[3] = { 0 }; /* bStatus, bError, and bChainParameter or bClockStatus */
	char text[TRACE_TEXT_MAX];
	struct trace_message message = {
		.address = address_of(reader),
		.direction = TRACE_IN,
		.data = reply->data,
		.atr = operation == WIRE_CONNECT,
		.call = reply->number,
		.text = text,
	};

	if (reply->outcome != WIRE_OK) {
		last[0] = COMMAND_FAILED;
		last[1] = error_of(reply->outcome);
	}
	/* A tracer that has begun since the call did doesn't know the device; the next call has its name. */
	tell_device(trace, message.address, "a reader that was called before this trace");
	(void)snprintf(text, sizeof text, "%s: %s; guest %s", of->call, reply->outcome == WIRE_OK ? "done" :
		wire_outcome_name(reply->outcome), trace->guest);
	tell(trace, &message, of->answer, last);
}

void call_trace_end(struct call_trace *trace, const struct wire_reply *reply)
{
	for (size_t i = 0; i < WIRE_OPEN_MAX; i++) {
		if (trace->open[i].number != reply->number)
			continue;
		if (is_traced(trace))
			tell_end(trace, reply, trace->open[i].reader, trace->open[i].operation);
		trace->open[i].number = 0;
		return;
	}
}

void call_trace_forget(struct call_trace *trace)
{
	memset(trace->open, 0, sizeof trace->open);
}
