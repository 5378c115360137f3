/*
 * The model of the slot: what goes in, and what must follow from it. See slot_model.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "slot_model_output.h"

#include <assert.h>
#include <string.h>

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

static void forget_running(struct model *model)
{
	model->running.set = false;
	model->awaited = 0;
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
	model_take_outputs(model);
}

void model_disable(struct model *model)
{
	reset(model, false);
	slot_disabled(model->slot, model->now);
	model_take_outputs(model);
}

void model_desert(struct model *model)
{
	forget_running(model);
	model->abort_until = 0;
	model->response_known = false;
	slot_deserted(model->slot);
	model_take_outputs(model);
	assert(!model->held && !model->in_flight && !slot_holds_card(model->slot));
}

void model_set_card(struct model *model, struct slot_card card)
{
	happened(model, model->in_flight);
	slot_set_card(model->slot, model->now, card);
	model_take_outputs(model);
}

void model_read_bulk(struct model *model)
{
	if (!model->in_flight)
		return;
	model->in_flight = false;
	model->read_at = model->now;
	slot_sent(model->slot);
	model->reading = true;
	model_take_outputs(model);
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
	assert(!model_is_certain(&model->running));
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
		model->command_known = model_is_certain(&model->running);
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
		model_take_outputs(model);
		assert(model->outputs == outputs);
		return;
	}
	note_ending(model, &command, well_formed);
	if (well_formed && !model_is_certain(&model->running))
		note_command(model, &command);
	model->current = (struct model_command){ .set = true, .bMessageType = command.bMessageType,
		.bSlot = command.bSlot, .bSeq = command.bSeq, .since = model->now,
		.extended_at = model->now };
	awaited = model->awaited;
	slot_message(model->slot, model->now, message);
	model_take_outputs(model);
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
		model_take_outputs(model);
		assert(model->outputs == outputs);
		return;
	}
	if (!waiting)
		forget_running(model);
	model->response_known = false;
	model->abort_until = complete ? 0 : model->now + SLOT_ABORT_MAX;
	model_take_outputs(model);
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
		model->asked = result->asked;
	}
	certain = model_is_certain(&model->running);
	slot_result(model->slot, model->now, result);
	model_take_outputs(model);
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

	if (!model_is_certain(running) || model->in_flight)
		return;
	if (running->bMessageType == PC_TO_RDR_ICC_POWER_ON)
		assert(model->now < running->since + SLOT_POWER_ON_MAX);
	if (!model_may_take_long(running->bMessageType))
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
		model_take_outputs(model);
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
	for (int i = 0; i < MODEL_OUTPUTS_MAX && model->in_flight; i++)
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
	assert(!model_is_certain(&model->running) ||
		model->running.bMessageType == PC_TO_RDR_ABORT);
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
