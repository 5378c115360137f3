/*
 * Fuzzes the slot: messages, class requests, what the host says, and time, in any order. The input is a
 * list of steps; each begins with a byte that chooses it, and takes what it needs from the bytes behind.
 *
 * What must hold:
 *   - every message on bulk IN is a well-formed answer to a command that has none yet, with its bSeq, its
 *     bSlot and the type of response that belongs to it, and not longer than CCID_MESSAGE_MAX;
 *   - a time extension belongs to an XfrBlock, Secure or Escape that has no answer yet;
 *   - a PIN entry is asked of the host only if the descriptor promises one;
 *   - a well-formed GetSlotStatus is answered at once, whatever else goes on;
 *   - the end of a call that no command waits for any more, or that was cancelled, is followed by nothing;
 *   - a notification is two bytes, and says what GetSlotStatus would;
 *   - no input makes more calls than the slot has room for, and none has an unknown operation.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "gadget/ccid/descriptor.h"
#include "gadget/ccid/message.h"
#include "gadget/ccid/slot.h"

#define PENDING_MAX 256
#define CALLS_MAX 64
#define DATA_MAX 70000

struct pending {
	uint8_t bMessageType;
	uint8_t bSlot;
	uint8_t bSeq;
};

struct model {
	struct slot *slot;
	uint64_t now;
	bool enabled;
	uint8_t bPINSupport;
	bool in_flight;         /* the host has not read the last message */
	struct pending pending[PENDING_MAX]; /* commands without an answer, oldest first */
	size_t pending_count;
	uint32_t calls[CALLS_MAX];           /* open ones */
	size_t calls_count;
	uint32_t last_call;     /* of those that a command waits for */
	size_t sent;            /* messages on bulk IN so far */
	bool answered;          /* the command that came last */
};

static uint8_t data[CCID_HEADER_SIZE + DATA_MAX];

/* ---- what comes out ---- */

static void forget_pending(struct model *model, size_t i)
{
	model->pending_count--;
	memmove(&model->pending[i], &model->pending[i + 1],
		(model->pending_count - i) * sizeof(model->pending[0]));
}

static bool may_take_long(uint8_t bMessageType)
{
	return bMessageType == PC_TO_RDR_XFR_BLOCK || bMessageType == PC_TO_RDR_SECURE ||
		bMessageType == PC_TO_RDR_ESCAPE;
}

/* The newest command that this may be the answer to; it has to be there. */
static size_t find_pending(const struct model *model, const uint8_t *message, bool extension)
{
	for (size_t i = model->pending_count; i > 0; i--) {
		const struct pending *command = &model->pending[i - 1];

		if (command->bSeq == message[6] && command->bSlot == message[5] &&
			(uint8_t)ccid_response_type(command->bMessageType) == message[0] &&
			(!extension || may_take_long(command->bMessageType)))
			return i - 1;
	}
	abort(); /* an answer to no command */
}

static void check_message(struct model *model, struct payload_view message)
{
	struct cursor_in in = cursor_in(message.bytes, message.size);
	bool extension;
	size_t i;

	assert(model->enabled && !model->in_flight);
	assert(message.size >= CCID_HEADER_SIZE && message.size <= CCID_MESSAGE_MAX);
	(void)in_u8(&in);
	assert(in_le32(&in) == message.size - CCID_HEADER_SIZE);
	assert((message.bytes[7] & 0x3C) == 0 && (message.bytes[7] & 0x03) != 3);
	extension = (message.bytes[7] & 0xC0) == CCID_COMMAND_TIME_EXTENSION;
	i = find_pending(model, message.bytes, extension);
	if (extension) {
		assert(message.bytes[8] == 1 && message.size == CCID_HEADER_SIZE);
	} else {
		if (i + 1 == model->pending_count)
			model->answered = true;
		forget_pending(model, i);
	}
	model->in_flight = true;
	model->sent++;
}

static void check_call(struct model *model, const struct slot_call *call)
{
	assert(call->operation >= WIRE_CONNECT && call->operation <= WIRE_CANCEL);
	assert(call->operation != WIRE_TRANSMIT ||
		(call->data.size > 0 && call->data.size <= CCID_DATA_MAX));
	assert(call->operation != WIRE_SECURE ||
		(call->data.size >= 19 && call->data.size <= CCID_DATA_MAX &&
			(model->bPINSupport & (1 << call->data.bytes[0])) != 0));
	assert(call->operation != WIRE_ESCAPE || call->data.size <= CCID_DATA_MAX);
	if (model->calls_count == CALLS_MAX) {
		model->calls_count--;
		memmove(model->calls, model->calls + 1, model->calls_count * sizeof(model->calls[0]));
	}
	model->calls[model->calls_count++] = call->number;
	if (call->operation == WIRE_CANCEL)
		model->last_call = 0;
	else if (call->operation != WIRE_DISCONNECT)
		model->last_call = call->number;
}

static void take_outputs(struct model *model)
{
	struct slot_output output;

	while (slot_pop_output(model->slot, &output)) {
		switch (output.type) {
		case SLOT_OUTPUT_SEND:
			check_message(model, output.message);
			break;
		case SLOT_OUTPUT_CANCEL_SEND:
			assert(model->in_flight);
			model->in_flight = false;
			break;
		case SLOT_OUTPUT_NOTIFY:
			assert(model->enabled);
			assert(output.message.size == 2 && output.message.bytes[0] == 0x50);
			assert((output.message.bytes[1] & ~1) == CCID_NOTIFY_CHANGED);
			assert((output.message.bytes[1] & 1) ==
				(slot_icc_status(model->slot) != CCID_ICC_ABSENT));
			break;
		case SLOT_OUTPUT_CALL:
			check_call(model, &output.call);
			break;
		}
	}
}

/* ---- what goes in ---- */

static void send_message(struct model *model, size_t size)
{
	struct ccid_command command;
	struct payload_view message = { data, size };
	bool whole = ccid_command_decode(message, &command) == 0;
	bool status = whole && command.bMessageType == PC_TO_RDR_GET_SLOT_STATUS &&
		command.bSlot == 0 && size == CCID_HEADER_SIZE;

	model->answered = false;
	if (size >= CCID_HEADER_SIZE && model->enabled) {
		if (model->pending_count == PENDING_MAX)
			forget_pending(model, 0);
		model->pending[model->pending_count++] = (struct pending){
			command.bMessageType, command.bSlot, command.bSeq };
	}
	slot_message(model->slot, model->now, message);
	take_outputs(model);
	assert(!status || !model->enabled || model->answered);
}

/* Raw bytes: a length in two bytes, and as many bytes as there are. */
static void step_raw(struct model *model, struct cursor_in *in)
{
	size_t size = in_le16(in);

	if (size > in->left)
		size = in->left;
	in_copy(in, data, size);
	send_message(model, size);
}

/* A well-formed command: type, bSeq, bytes 7 to 9, and a length whose data is made up. */
static void step_command(struct model *model, struct cursor_in *in)
{
	static const uint8_t types[] = { 0x61, 0x62, 0x63, 0x65, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F,
		0x71, 0x72, 0x73 };
	struct cursor_out out = cursor_out(data, sizeof(data));
	uint8_t type = types[in_u8(in) % sizeof(types)], seq = in_u8(in);
	uint8_t specific[3];
	size_t size;

	in_copy(in, specific, sizeof(specific));
	size = (size_t)in_le16(in);
	if (in_u8(in) & 1)
		size += 0x10000;
	if (size > DATA_MAX)
		size = DATA_MAX;
	out_u8(&out, type);
	out_le32(&out, (uint32_t)size);
	out_u8(&out, 0);
	out_u8(&out, seq);
	out_bytes(&out, specific, sizeof(specific));
	out_zeros(&out, size);
	send_message(model, out.size);
}

/* The end of an open call (or of one that is not): which, outcome, protocol, size of the data. */
static void step_result(struct model *model, struct cursor_in *in)
{
	uint8_t which = in_u8(in);
	struct slot_result result = { .outcome = in_u8(in) % 16, .protocol = in_u8(in) & 3 };
	size_t size = in_le16(in), sent = model->sent;

	memset(data, 0x3B, size);
	if (size == 5)
		memcpy(data, "\x3B\x80\x80\x01\x01", 5);
	result.data = (struct payload_view){ data, size };
	result.number = which;
	if (model->calls_count > 0)
		result.number = model->calls[which % model->calls_count];
	slot_result(model->slot, model->now, &result);
	take_outputs(model);
	assert(result.number == model->last_call || model->sent == sent);
}

static void step_control(struct model *model, struct cursor_in *in)
{
	uint8_t answer[SLOT_CONTROL_MAX];
	uint8_t bRequest = in_u8(in);
	uint8_t bmRequestType = bRequest == 1 ? 0x21 : bRequest < 4 ? 0xA1 : bRequest;
	int r = slot_control(model->slot, model->now, bmRequestType, bRequest, in_le16(in), answer);

	assert(r >= -1 && r <= SLOT_CONTROL_MAX);
}

static void step_time(struct model *model, struct cursor_in *in)
{
	uint64_t until = model->now + in_le16(in);

	for (int i = 0; i < 32 && slot_deadline(model->slot) <= until; i++) {
		uint64_t before = slot_deadline(model->slot);

		if (before > model->now)
			model->now = before;
		slot_tick(model->slot, model->now);
		take_outputs(model);
		/* A deadline that was served is over: the loop would spin otherwise. */
		assert(slot_deadline(model->slot) > model->now);
	}
	model->now = until;
}

/* options: bit 0, the packet size; bits 1 and 2, bPINSupport. */
static void step_enable(struct model *model, bool enabled, uint8_t options)
{
	model->enabled = enabled;
	model->in_flight = false;
	model->pending_count = 0;
	model->bPINSupport = options >> 1 & 3;
	slot_set_pin_support(model->slot, model->bPINSupport);
	if (enabled)
		slot_enabled(model->slot, model->now, options & 1 ? 64 : 512);
	else
		slot_disabled(model->slot, model->now);
}

static void step_host_reads(struct model *model, bool bulk)
{
	if (bulk && model->in_flight) {
		model->in_flight = false;
		slot_sent(model->slot);
	}
}

static void step_card(struct model *model, uint8_t insertion)
{
	slot_set_card(model->slot, model->now, (struct slot_card){
		.present = insertion != 0, .insertion = insertion });
}

static void step(struct model *model, struct cursor_in *in)
{
	switch (in_u8(in) % 10) {
	case 0:
		step_enable(model, true, in_u8(in));
		break;
	case 1:
		step_enable(model, false, 0);
		break;
	case 2:
		step_card(model, in_u8(in) % 4);
		break;
	case 3:
		step_raw(model, in);
		break;
	case 4:
	case 5:
		step_command(model, in);
		break;
	case 6:
		step_result(model, in);
		break;
	case 7:
		step_control(model, in);
		break;
	case 8:
		step_time(model, in);
		break;
	case 9:
		step_host_reads(model, in_u8(in) & 1);
		break;
	}
	take_outputs(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct model model;
	struct cursor_in in = cursor_in(bytes, size);

	memset(&model, 0, sizeof(model));
	model.now = 1;
	assert(slot_new(&model.slot) == 0);
	while (in_ok(&in) && in.left > 0)
		step(&model, &in);
	model.slot = slot_free(model.slot);
	return 0;
}
