/*
 * The model of the slot: see slot_model.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "slot_model.h"

#include <assert.h>
#include <string.h>

#include "gadget/ccid/descriptor.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#endif
#ifdef WITH_ASAN
/* Of clang's sanitizer/allocator_interface.h, which gcc has not, but for the function itself. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

/* A response that is never split, though it fills whole packets: 256 bytes and SW. */
#define SHORT_RESPONSE_MAX 258

#define OUTPUTS_MAX 8  /* of one event: calls, a taken back message, a message, a notification */
#define TICKS_MAX 200  /* 65 s of time extensions are fewer */

/* libFuzzer itself allocates now and then, but not while an input is played. */
static size_t allocated_bytes(void)
{
#ifdef WITH_ASAN
	return __sanitizer_get_current_allocated_bytes();
#else
	return 0;
#endif
}

/* ---- commands ---- */

static bool may_take_long(uint8_t bMessageType)
{
	return bMessageType == PC_TO_RDR_XFR_BLOCK || bMessageType == PC_TO_RDR_SECURE ||
		bMessageType == PC_TO_RDR_ESCAPE;
}

/* A command that ends the one that runs, CCID 1.1, 6.1.13, and what drivers do in its place. */
static bool takes_over(const struct ccid_command *command)
{
	if (command->bSlot != 0 || command->dwLength != 0 || ccid_command_wrong_rfu(command) != 0)
		return false;
	switch (command->bMessageType) {
	case PC_TO_RDR_ICC_POWER_ON:
		return command->specific[0] <= CCID_POWER_SELECT_MAX;
	case PC_TO_RDR_ICC_POWER_OFF:
	case PC_TO_RDR_ABORT:
		return true;
	default:
		return false;
	}
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

/* Nothing of it was missed: it runs. */
static bool is_certain(const struct model_command *running)
{
	return running->set && !running->unsure && !running->maybe_gone;
}

static void forget_running(struct model *model)
{
	model->running.set = false;
	model->awaited = 0;
}

/* ---- what comes out ---- */

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

	assert(is_answer_to(running, message.bytes) && may_take_long(running->bMessageType));
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
	dwLength = message.bytes[1] | (size_t)message.bytes[2] << 8;
	assert(message.bytes[3] == 0 && message.bytes[4] == 0);
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

static void take_outputs(struct model *model)
{
	struct slot_output output;
	size_t before = model->outputs;

	while (slot_pop_output(model->slot, &output)) {
		model->outputs++;
		assert(model->outputs - before <= OUTPUTS_MAX);
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

/*
 * Something may have ended the running command; its answer is behind a message that nobody has
 * read.
 */
static void happened(struct model *model, bool unread)
{
	if (model->running.set && unread)
		model->running.unsure = true;
}

/* ---- the device, the card, the driver that reads ---- */

void model_init(struct model *model)
{
	memset(model, 0, sizeof(*model));
	model->now = 1;
	model->packet_size = 512;
	assert(slot_new(&model->slot) == 0);
	model->icc = slot_icc_status(model->slot);
	model->allocated = allocated_bytes();
}

static void reset(struct model *model, bool enabled)
{
	model->enabled = enabled;
	model->in_flight = false;
	model->told_present = false;
	model->abort_until = 0;
	model->response_known = false;
	forget_running(model);
}

void model_enable(struct model *model, size_t packet_size, uint8_t bPINSupport)
{
	reset(model, true);
	model->packet_size = packet_size;
	model->bPINSupport = bPINSupport;
	slot_set_pin_support(model->slot, bPINSupport);
	slot_enabled(model->slot, model->now, packet_size);
	take_outputs(model);
}

void model_disable(struct model *model)
{
	reset(model, false);
	slot_disabled(model->slot, model->now);
	take_outputs(model);
}

void model_set_card(struct model *model, struct slot_card card)
{
	happened(model, model->in_flight);
	slot_set_card(model->slot, model->now, card);
	take_outputs(model);
}

void model_read_bulk(struct model *model)
{
	if (!model->in_flight)
		return;
	model->in_flight = false;
	model->read_at = model->now;
	slot_sent(model->slot);
	model->reading = true;
	take_outputs(model);
	model->reading = false;
}

/* ---- messages ---- */

/* The parts of a command as they come; what the slot refuses, it never shows to the card. */
static void note_command(struct model *model, const struct ccid_command *command)
{
	uint16_t level = ccid_command_level(command);
	bool xfr = command->bMessageType == PC_TO_RDR_XFR_BLOCK;

	if ((!xfr && command->bMessageType != PC_TO_RDR_SECURE) || level == CCID_LEVEL_MORE)
		return;
	if (!xfr || (level & CCID_LEVEL_ENDS) == 0) {
		model->command_size = 0;
		model->command_known = true;
	}
	if (command->data.size > sizeof(model->command) - model->command_size)
		return;
	if (command->data.size > 0)
		memcpy(model->command + model->command_size, command->data.bytes,
			command->data.size);
	model->command_size += command->data.size;
	model->command_used = false;
}

/* A command that the running one has no chance against, or an Abort that is given up. */
static void note_ending(struct model *model, const struct ccid_command *command, bool well_formed)
{
	bool waiting = model->running.set && model->running.bMessageType == PC_TO_RDR_ABORT;

	if (well_formed && takes_over(command))
		forget_running(model);
	else if (waiting && command->bSlot == 0 && command->bMessageType != PC_TO_RDR_ABORT)
		forget_running(model);
	if (model->running.unsure) {
		model->running.maybe_gone = true;
		model->response_known = false;
	}
}

/* The command has no answer yet: it runs, and nothing else does. */
static void check_accepted(struct model *model, const struct ccid_command *command,
	uint32_t awaited)
{
	assert(command->bSlot == 0);
	assert(!is_certain(&model->running));
	if (command->bMessageType == PC_TO_RDR_ABORT)
		assert(takes_over(command));
	else
		assert(model->awaited != 0 && model->awaited != awaited);
	model->running = model->current;
	model->current.set = false;
}

/* A well-formed command, and what it may never get. */
static void check_outcome(struct model *model, const struct ccid_command *command, bool aborting)
{
	bool abort = command->bMessageType == PC_TO_RDR_ABORT;
	bool answered = !model->current.set;
	bool failed = answered && (model->status & 0xC0) == CCID_COMMAND_FAILED;

	if (aborting && !abort)
		assert(failed && model->error == CCID_ERROR_ABORTED);
	else if (command->bMessageType == PC_TO_RDR_GET_SLOT_STATUS && command->dwLength == 0)
		assert(answered && !failed);
	if (abort && answered && !failed)
		model->abort_until = 0;
	/* If the slot was busy, the model has overwritten the command that is on its way. */
	if (failed && model->error == CCID_ERROR_SLOT_BUSY)
		model->command_known = is_certain(&model->running);
}

void model_message(struct model *model, struct payload_view message)
{
	struct ccid_command command;
	int r = ccid_command_decode(message, &command);
	bool well_formed = r == 0 && command.bSlot == 0 && ccid_command_wrong_rfu(&command) == 0;
	bool aborting = model->now < model->abort_until;
	size_t outputs = model->outputs;
	uint32_t awaited;

	if (!model->enabled || r == CCID_TRUNCATED) {
		slot_message(model->slot, model->now, message);
		take_outputs(model);
		assert(model->outputs == outputs);
		return;
	}
	note_ending(model, &command, well_formed);
	if (well_formed && !is_certain(&model->running))
		note_command(model, &command);
	model->current = (struct model_command){ .set = true, .bMessageType = command.bMessageType,
		.bSlot = command.bSlot, .bSeq = command.bSeq, .since = model->now,
		.extended_at = model->now };
	awaited = model->awaited;
	slot_message(model->slot, model->now, message);
	take_outputs(model);
	if (well_formed)
		check_outcome(model, &command, aborting);
	if (model->current.set)
		check_accepted(model, &command, awaited);
}

void model_control(struct model *model, uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue)
{
	uint8_t answer[SLOT_CONTROL_MAX];
	bool waiting = model->running.set && model->running.bMessageType == PC_TO_RDR_ABORT;
	bool complete = waiting && model->running.bSeq == wValue >> 8;
	size_t outputs = model->outputs;
	int r = slot_control(model->slot, model->now, bmRequestType, bRequest, wValue, answer);

	assert(r >= -1 && r <= SLOT_CONTROL_MAX);
	if (bmRequestType != 0x21 || bRequest != 0x01 || r != 0) {
		take_outputs(model);
		assert(model->outputs == outputs);
		return;
	}
	if (!waiting)
		forget_running(model);
	model->response_known = false;
	model->abort_until = complete ? 0 : model->now + SLOT_ABORT_MAX;
	take_outputs(model);
	assert(!complete || !model->enabled || !model->running.set);
}

/* ---- the host ---- */

static void note_response(struct model *model, const struct slot_result *result)
{
	size_t size = result->data.size;

	if (result->outcome != WIRE_OK || size > sizeof(model->response) ||
		(model->awaited_operation == WIRE_CONNECT &&
			model->running.bMessageType != PC_TO_RDR_ICC_POWER_ON))
		return;
	if (size > 0)
		memcpy(model->response, result->data.bytes, size);
	model->response_size = size;
	model->response_sent = 0;
	model->response_known = true;
}

void model_result(struct model *model, const struct slot_result *result)
{
	bool waited = model->awaited != 0 && result->number == model->awaited;
	bool certain;
	size_t outputs = model->outputs;

	if (waited) {
		if (model->awaited_operation == WIRE_CONNECT && result->outcome != WIRE_OK)
			model->held = model->held_before;
		happened(model, model->in_flight);
		note_response(model, result);
	}
	certain = is_certain(&model->running);
	slot_result(model->slot, model->now, result);
	take_outputs(model);
	assert(waited || model->outputs == outputs);
	assert(!waited || !certain || !model->running.set || model->awaited != result->number);
	/* If the answer waits to be read: the same outcome once more is nothing. */
	if (model->awaited == result->number)
		model->awaited = 0;
}

/* ---- time ---- */

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The driver hears of the running command in time, if it has read all that there was. */
static void check_time(const struct model *model)
{
	const struct model_command *running = &model->running;

	if (!is_certain(running) || model->in_flight)
		return;
	if (running->bMessageType == PC_TO_RDR_ICC_POWER_ON)
		assert(model->now < running->since + SLOT_POWER_ON_MAX);
	if (!may_take_long(running->bMessageType))
		return;
	assert(model->now < running->since + SLOT_TRANSMIT_MAX);
	assert(model->now <= later(running->extended_at, model->read_at) + SLOT_EXTENSION_NEXT);
}

void model_pass_time(struct model *model, uint64_t ms)
{
	uint64_t until = model->now + ms;

	for (size_t i = 0; slot_deadline(model->slot) <= until; i++) {
		assert(i < TICKS_MAX);
		model->now = later(model->now, slot_deadline(model->slot));
		happened(model, model->in_flight);
		slot_tick(model->slot, model->now);
		take_outputs(model);
		/* A deadline that was served is over: the caller would spin otherwise. */
		assert(slot_deadline(model->slot) > model->now);
		check_time(model);
	}
	model->now = until;
	check_time(model);
}

/* ---- the end ---- */

static void read_all(struct model *model)
{
	for (int i = 0; i < OUTPUTS_MAX && model->in_flight; i++)
		model_read_bulk(model);
	assert(!model->in_flight);
}

/* The awaited call has ended well: an ATR, or SW. */
static void answer_call(struct model *model)
{
	static const uint8_t atr[] = { 0x3B, 0x80, 0x80, 0x01, 0x01 }, sw[] = { 0x90, 0x00 };
	bool connect = model->awaited_operation == WIRE_CONNECT;

	model_result(model, &(struct slot_result){
		.number = model->awaited,
		.protocol = WIRE_PROTOCOL_T1,
		.data = { connect ? atr : sw, connect ? sizeof(atr) : sizeof(sw) },
	});
	read_all(model);
}

static void send(struct model *model, uint8_t bMessageType, uint8_t bSeq, uint8_t dwLength)
{
	const uint8_t message[CCID_HEADER_SIZE + 5] = { bMessageType, dwLength, 0, 0, 0, 0, bSeq };

	model_message(model, (struct payload_view){ message, CCID_HEADER_SIZE + (size_t)dwLength });
	read_all(model);
}

/* What runs comes to its end when the host answers, and the reader is as good as before. */
static void finish_commands(struct model *model)
{
	read_all(model);
	for (int i = 0; i < 4 && model->awaited != 0; i++)
		answer_call(model);
	assert(!is_certain(&model->running) || model->running.bMessageType == PC_TO_RDR_ABORT);
	model_pass_time(model, SLOT_ABORT_MAX);
	read_all(model);
	send(model, PC_TO_RDR_GET_SLOT_STATUS, 0, 0);
}

static void begin_anew(struct model *model)
{
	model_set_card(model, (struct slot_card){ .present = true, .insertion = 1000 });
	model_enable(model, 512, 0);
	read_all(model);
	model_pass_time(model, SLOT_ABSENT_HOLD);
	read_all(model);
	send(model, PC_TO_RDR_GET_SLOT_STATUS, 0, 0);
	assert(slot_icc_status(model->slot) == CCID_ICC_INACTIVE);
	send(model, PC_TO_RDR_ICC_POWER_ON, 1, 0);
	answer_call(model);
	assert(slot_icc_status(model->slot) == CCID_ICC_ACTIVE && !model->running.set);
	send(model, PC_TO_RDR_XFR_BLOCK, 2, 5);
	answer_call(model);
	assert(!model->running.set && model->command_used);
}

void model_finish(struct model *model)
{
	if (model->enabled)
		finish_commands(model);
	begin_anew(model);
	assert(allocated_bytes() == model->allocated);
	model->slot = slot_free(model->slot);
}
