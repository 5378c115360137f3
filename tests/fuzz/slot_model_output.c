/*
 * What comes out of the slot: messages, notifications and calls. See slot_model.h for what must
 * hold.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "slot_model_output.h"

#include <assert.h>
#include <string.h>

#include "gadget/ccid/descriptor.h"

/* A response that is never split, though it fills whole packets: 256 bytes and SW. */
#define SHORT_RESPONSE_MAX 258

bool model_may_take_long(uint8_t bMessageType)
{
	return bMessageType == PC_TO_RDR_XFR_BLOCK || bMessageType == PC_TO_RDR_SECURE ||
		bMessageType == PC_TO_RDR_ESCAPE;
}

bool model_is_certain(const struct model_command *running)
{
	return running->set && !running->unsure && !running->maybe_gone;
}

/* Table 6.1-1 of CCID 1.1; a type that is not there has SlotStatus. */
static uint8_t response_type(uint8_t bMessageType)
{
	switch (bMessageType) {
	case 0x62: /* IccPowerOn */
	case 0x69: /* Secure */
	case 0x6F: /* XfrBlock */
		return 0x80;
	case 0x61: /* SetParameters */
	case 0x6C: /* GetParameters */
	case 0x6D: /* ResetParameters */
		return 0x82;
	case 0x6B: /* Escape */
		return 0x83;
	case 0x73: /* SetDataRateAndClockFrequency */
		return 0x84;
	default:
		return 0x81;
	}
}

static bool is_answer_to(const struct model_command *command, const uint8_t *message)
{
	return command->set && command->bSeq == message[6] && command->bSlot == message[5] &&
		response_type(command->bMessageType) == message[0];
}

static void check_extension(struct model *model, struct payload_view message)
{
	struct model_command *running = &model->running;
	uint64_t pause = running->extended_at == running->since ? SLOT_EXTENSION_FIRST :
								   SLOT_EXTENSION_NEXT;

	assert(is_answer_to(running, message.bytes) && model_may_take_long(running->bMessageType));
	assert(message.size == CCID_HEADER_SIZE && message.bytes[8] == 1 && message.bytes[9] == 0);
	assert(model->now >= running->extended_at + pause);
	running->extended_at = model->now;
}

/* A part of a response: CCID 1.1, 6.2.1. */
static void check_part(struct model *model, struct payload_view message)
{
	size_t size = message.size - CCID_HEADER_SIZE;
	bool first = model->response_sent == 0;
	bool last = model->response_sent + size == model->response_size;

	if (!model->response_known)
		return;
	assert(size > 0 && model->response_sent + size <= model->response_size);
	assert(memcmp(message.bytes + CCID_HEADER_SIZE, model->response + model->response_sent,
		size) == 0);
	assert(message.bytes[9] == (first ? (last ? CCID_CHAIN_WHOLE : CCID_CHAIN_BEGINS) :
					    (last ? CCID_CHAIN_ENDS : CCID_CHAIN_CONTINUES)));
	assert(message.size % model->packet_size != 0 ||
		model->response_size <= SHORT_RESPONSE_MAX);
	model->response_sent += size;
	model->response_known = !last;
}

/* What a successful answer carries. */
static void check_data(struct model *model, uint8_t bMessageType, struct payload_view message)
{
	size_t size = message.size - CCID_HEADER_SIZE;

	switch (bMessageType) {
	case PC_TO_RDR_XFR_BLOCK:
	case PC_TO_RDR_SECURE:
		if (message.bytes[9] == CCID_CHAIN_EMPTY)
			assert(size == 0);
		else
			check_part(model, message);
		break;
	case PC_TO_RDR_ICC_POWER_ON:
	case PC_TO_RDR_ESCAPE:
		assert(size == model->response_size);
		assert(size == 0 ||
			memcmp(message.bytes + CCID_HEADER_SIZE, model->response, size) == 0);
		break;
	case PC_TO_RDR_GET_PARAMETERS:
	case PC_TO_RDR_RESET_PARAMETERS:
	case PC_TO_RDR_SET_PARAMETERS:
		assert(message.bytes[9] <= 1 && size == (message.bytes[9] == 0 ? 5 : 7));
		break;
	default:
		assert(size == 0);
		break;
	}
}

static void check_answer(struct model *model, struct payload_view message)
{
	struct model_command *command = &model->current;
	bool failed = (message.bytes[7] & 0xC0) == CCID_COMMAND_FAILED;

	if (!is_answer_to(command, message.bytes)) {
		command = &model->running;
		assert(is_answer_to(command, message.bytes));
	} else {
		model->status = message.bytes[7];
		model->error = message.bytes[8];
	}
	assert(failed || ((message.bytes[7] & 0xC0) == 0 && message.bytes[8] == 0));
	assert(!failed || (message.size == CCID_HEADER_SIZE && message.bytes[9] == 0));
	if (!failed)
		check_data(model, command->bMessageType, message);
	command->set = false;
	if (command == &model->running)
		model->awaited = 0;
}

/*
 * bmICCStatus is that of before or after what happens: a card is lost with an answer, or behind
 * it.
 */
static void check_icc(const struct model *model, uint8_t bSlot, uint8_t bmICCStatus)
{
	if (bSlot != 0)
		assert(bmICCStatus == CCID_ICC_ABSENT);
	else if (model->reading)
		assert(bmICCStatus <= CCID_ICC_ABSENT);
	else
		assert(bmICCStatus == model->icc || bmICCStatus == slot_icc_status(model->slot));
}

static void check_message(struct model *model, struct payload_view message)
{
	size_t dwLength;

	assert(model->enabled && !model->in_flight);
	assert(message.size >= CCID_HEADER_SIZE && message.size <= CCID_MESSAGE_MAX);
	assert(message.size <= CCID_BLOCK_MAX || message.size <= model->asked);
	dwLength = message.bytes[1] | (size_t)message.bytes[2] << 8 | (size_t)message.bytes[3] << 16;
	assert(message.bytes[4] == 0);
	assert(dwLength == message.size - CCID_HEADER_SIZE);
	assert((message.bytes[7] & 0x3C) == 0);
	check_icc(model, message.bytes[5], message.bytes[7] & 3);
	if ((message.bytes[7] & 0xC0) == CCID_COMMAND_TIME_EXTENSION)
		check_extension(model, message);
	else
		check_answer(model, message);
	model->in_flight = true;
}

static void check_notification(struct model *model, struct payload_view message)
{
	assert(model->enabled);
	assert(message.size == 2 && message.bytes[0] == RDR_TO_PC_NOTIFY_SLOT_CHANGE);
	assert((message.bytes[1] & ~CCID_NOTIFY_PRESENT) == CCID_NOTIFY_CHANGED);
	assert(model->told_present == ((message.bytes[1] & CCID_NOTIFY_PRESENT) == 0));
	model->told_present = !model->told_present;
	assert(model->told_present == (slot_icc_status(model->slot) != CCID_ICC_ABSENT));
}

/* What is for the card is what the driver sent, goes to a powered card, and goes there once. */
static void check_apdu(struct model *model, struct payload_view apdu)
{
	assert(slot_icc_status(model->slot) == CCID_ICC_ACTIVE);
	assert(apdu.size > 0 && apdu.size <= CCID_DATA_MAX);
	if (!model->command_known)
		return;
	assert(apdu.size == model->command_size);
	assert(memcmp(apdu.bytes, model->command, apdu.size) == 0);
	assert(!model->command_used);
	model->command_used = true;
}

static void check_call(struct model *model, const struct slot_call *call)
{
	switch (call->operation) {
	case WIRE_TRANSMIT:
		check_apdu(model, call->data);
		break;
	case WIRE_SECURE:
		check_apdu(model, call->data);
		assert((model->bPINSupport & (1 << call->data.bytes[0])) != 0);
		break;
	case WIRE_ESCAPE:
		assert(call->data.size <= CCID_DATA_MAX);
		break;
	case WIRE_CONNECT:
		assert(call->protocols != 0);
		model->held_before = model->held;
		model->held = true;
		break;
	case WIRE_CANCEL:
		model->awaited = 0;
		return;
	case WIRE_DISCONNECT:
		model->held = false;
		model->held_before = false;
		return;
	default:
		assert(0);
	}
	model->awaited = call->number;
	model->awaited_operation = call->operation;
	if (model->calls_count == MODEL_CALLS_MAX) {
		model->calls_count--;
		memmove(model->calls, model->calls + 1,
			model->calls_count * sizeof(model->calls[0]));
	}
	model->calls[model->calls_count++] = call->number;
}

void model_take_outputs(struct model *model)
{
	struct slot_output output;
	size_t before = model->outputs;

	while (slot_pop_output(model->slot, &output)) {
		model->outputs++;
		assert(model->outputs - before <= MODEL_OUTPUTS_MAX);
		switch (output.type) {
		case SLOT_OUTPUT_SEND:
			check_message(model, output.message);
			break;
		case SLOT_OUTPUT_CANCEL_SEND:
			assert(model->in_flight);
			model->in_flight = false;
			break;
		case SLOT_OUTPUT_NOTIFY:
			check_notification(model, output.message);
			break;
		case SLOT_OUTPUT_CALL:
			check_call(model, &output.call);
			break;
		}
	}
	model->icc = slot_icc_status(model->slot);
	if (!model->in_flight)
		model->running.unsure = false;
	assert(!model->held || model->icc == CCID_ICC_ACTIVE || (model->running.set &&
		model->running.bMessageType == PC_TO_RDR_ICC_POWER_ON) || model->current.set);
	assert(!model->enabled ||
		model->told_present == (slot_icc_status(model->slot) != CCID_ICC_ABSENT));
}
