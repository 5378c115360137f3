/*
 * The slot's frame: which command goes where, who waits for which call, and what is sent next. See
 * slot.h for the states.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/slot.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "gadget/ccid/slot_state.h"

int slot_new(struct slot **slotp)
{
	struct slot *slot = calloc(1, sizeof(*slot));
	int r = -ENOMEM;

	*slotp = NULL;
	if (slot == NULL)
		return r;
	slot->deadline = SLOT_NEVER;
	slot->packet_size = 512;
	r = payload_init(&slot->transfer.command, CCID_DATA_MAX);
	if (r == 0)
		r = payload_init(&slot->transfer.response, WIRE_APDU_MAX);
	if (r == 0)
		r = payload_init(&slot->message, CCID_MESSAGE_MAX);
	if (r == 0)
		*slotp = slot;
	else
		slot_free(slot);
	return r;
}

struct slot *slot_free(struct slot *slot)
{
	if (slot != NULL) {
		payload_deinit(&slot->transfer.command);
		payload_deinit(&slot->transfer.response);
		payload_deinit(&slot->message);
		payload_wipe(slot, sizeof(*slot));
		free(slot);
	}
	return NULL;
}

/* Nobody will read what is waiting to be sent: a driver takes one answer per command. */
static void slot_drop_unsent(struct slot *slot)
{
	slot->message_due = false;
	payload_clear(&slot->message);
	if (slot->in_flight)
		slot->cancel = true;
}

/* ---- the life of the device ---- */

/* As after power-on of a reader: no command, no chain, no protocol, card not powered. */
static void slot_reset(struct slot *slot)
{
	slot_abandon(slot);
	slot_release(slot);
	slot->abort = (struct slot_abort){ .control = false };
	slot->message_due = false;
	payload_clear(&slot->message);
	slot->in_flight = false;
	slot->cancel = false;
	slot->notify = false;
	slot->view = (struct slot_view){ .shown = false };
}

void slot_set_pin_support(struct slot *slot, uint8_t bPINSupport)
{
	slot->bPINSupport = bPINSupport;
}

void slot_enabled(struct slot *slot, uint64_t now, size_t packet_size)
{
	slot_reset(slot);
	slot->enabled = true;
	slot->packet_size = packet_size;
	slot_show_card(slot, now);
}

void slot_disabled(struct slot *slot, uint64_t now)
{
	(void)now;
	slot_reset(slot);
	slot->enabled = false;
}

void slot_deserted(struct slot *slot)
{
	slot_abandon(slot);
	slot_release(slot);
	slot->abort = (struct slot_abort){ .control = false };
	slot_drop_unsent(slot);
}

bool slot_holds_card(const struct slot *slot)
{
	return slot->connected || slot->state == SLOT_POWERING;
}

uint64_t slot_extensions(const struct slot *slot)
{
	return slot->extensions;
}

/* ---- commands ---- */

/* CCID 1.1, 6.1.3. */
static void slot_get_status(struct slot *slot, uint64_t now, const struct ccid_command *command)
{
	if (command->dwLength != 0) {
		slot_fail(slot, CCID_ERROR_OFFSET_LENGTH);
		return;
	}
	slot_respond(slot, (struct slot_answer){
		.specific = slot->view.powered ? CCID_CLOCK_RUNNING : CCID_CLOCK_STOPPED });
	if (!slot->view.shown) {
		slot->view.absent_until = 0; /* the driver has seen it */
		slot_show_card(slot, now);
	}
}

/* The slot executes nothing: every command is welcome. */
static void slot_command_idle(struct slot *slot, uint64_t now, const struct ccid_command *command)
{
	switch (command->bMessageType) {
	case PC_TO_RDR_GET_SLOT_STATUS:
		slot_get_status(slot, now, command);
		break;
	case PC_TO_RDR_ICC_POWER_ON:
		slot_power_on(slot, now, command);
		break;
	case PC_TO_RDR_ICC_POWER_OFF:
		slot_power_off(slot, command);
		break;
	case PC_TO_RDR_XFR_BLOCK:
		if (!slot_needs_power(slot))
			slot_transfer_message(slot, now, command);
		break;
	case PC_TO_RDR_SECURE:
		slot_secure_message(slot, now, command);
		break;
	case PC_TO_RDR_ESCAPE:
		slot_escape_message(slot, now, command);
		break;
	case PC_TO_RDR_GET_PARAMETERS:
	case PC_TO_RDR_RESET_PARAMETERS:
		if (!slot_needs_power(slot))
			slot_get_parameters(slot, command);
		break;
	case PC_TO_RDR_SET_PARAMETERS:
		if (!slot_needs_power(slot))
			slot_set_parameters(slot, command);
		break;
	case PC_TO_RDR_ABORT:
		slot_abort_message(slot, now, command);
		break;
	default:
		/* CCID 1.1, table 6.2-2: a command that the descriptor does not promise, or none. */
		slot_fail(slot, CCID_ERROR_NOT_SUPPORTED);
		break;
	}
}

/* Commands that end the one that runs, if they are well-formed. */
static bool slot_takes_over(const struct ccid_command *command)
{
	if (command->dwLength != 0)
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

/* Answers a command beside the running one, which goes on; wrong: the offset of a malformed field. */
static void slot_answer_beside(struct slot *slot, uint64_t now, const struct ccid_command *command,
	uint8_t wrong)
{
	uint8_t running_type = slot->bMessageType, running_seq = slot->bSeq;
	enum slot_state state = slot->state;
	uint32_t waits_for = slot->waits_for;
	uint64_t deadline = slot->deadline;

	slot->bMessageType = command->bMessageType;
	slot->bSeq = command->bSeq;
	if (wrong != 0)
		slot_fail(slot, wrong);
	else if (command->bMessageType == PC_TO_RDR_GET_SLOT_STATUS)
		slot_get_status(slot, now, command);
	else
		slot_fail(slot, CCID_ERROR_SLOT_BUSY);
	slot->bMessageType = running_type;
	slot->bSeq = running_seq;
	slot->state = state;
	slot->waits_for = waits_for;
	slot->deadline = deadline;
}

/*
 * The slot executes a command. CCID 1.1, table 6.2-2, has CMD_SLOT_BUSY for a second one. But a driver
 * that powers the card on or off while a command runs is one that has given up on that command, or a
 * new one after the old one was killed: libccid announces neither by anything else.
 */
static void slot_command_busy(struct slot *slot, uint64_t now, const struct ccid_command *command,
	uint8_t wrong)
{
	if (wrong != 0 || !slot_takes_over(command)) {
		slot_answer_beside(slot, now, command, wrong);
		return;
	}
	if (command->bMessageType != PC_TO_RDR_ABORT)
		slot_abandon(slot);
	slot->bMessageType = command->bMessageType;
	slot->bSeq = command->bSeq;
	slot_command_idle(slot, now, command);
}

/* A message for a slot that the reader does not have; CCID 1.1, table 6.2-2. */
static void slot_refuse_number(struct slot *slot, const struct ccid_command *command)
{
	struct ccid_response response = {
		.bMessageType = (uint8_t)ccid_response_type(command->bMessageType),
		.bSlot = command->bSlot,
		.bSeq = command->bSeq,
		.bStatus = CCID_COMMAND_FAILED | CCID_ICC_ABSENT,
		.bError = CCID_ERROR_OFFSET_SLOT,
	};

	slot_put_message(slot, &response);
}

void slot_message(struct slot *slot, uint64_t now, struct payload_view message)
{
	struct ccid_command command;
	int r = ccid_command_decode(message, &command);
	uint8_t wrong;

	if (!slot->enabled || r == CCID_TRUNCATED)
		return;
	wrong = r == CCID_BAD_LENGTH ? CCID_ERROR_OFFSET_LENGTH : ccid_command_wrong_rfu(&command);
	slot_drop_unsent(slot);
	if (command.bSlot != 0) {
		slot_refuse_number(slot, &command);
		return;
	}
	if (command.bMessageType != PC_TO_RDR_ABORT)
		slot_abort_other(slot, now);
	if (slot->state != SLOT_IDLE) {
		slot_command_busy(slot, now, &command, wrong);
		return;
	}
	slot->bMessageType = command.bMessageType;
	slot->bSeq = command.bSeq;
	if (wrong != 0)
		slot_fail(slot, wrong);
	else if (slot->abort.control && command.bMessageType != PC_TO_RDR_ABORT)
		slot_fail(slot, CCID_ERROR_ABORTED);
	else
		slot_command_idle(slot, now, &command);
}

/* CCID 1.1, 5.3. */
int slot_control(struct slot *slot, uint64_t now, uint8_t bmRequestType, uint8_t bRequest,
	uint16_t wValue, uint8_t answer[static SLOT_CONTROL_MAX])
{
	struct cursor_out out = cursor_out(answer, SLOT_CONTROL_MAX);

	switch (bmRequestType << 8 | bRequest) {
	case CCID_REQUEST_ABORT:
		/* 5.3.1: bSlot in the low byte, bSeq in the high one. */
		if ((wValue & 0xFF) != 0)
			return -1;
		slot_drop_unsent(slot);
		slot_abort_request(slot, now, (uint8_t)(wValue >> 8));
		return 0;
	case CCID_REQUEST_GET_CLOCK_FREQUENCIES:
		out_le32(&out, CCID_DEFAULT_CLOCK);
		return (int)out.size;
	case CCID_REQUEST_GET_DATA_RATES:
		out_le32(&out, CCID_DATA_RATE);
		return (int)out.size;
	default:
		return -1;
	}
}

/* ---- the host ---- */

void slot_result(struct slot *slot, uint64_t now, const struct slot_result *result)
{
	if (slot->waits_for == 0 || result->number != slot->waits_for)
		return;
	switch (slot->state) {
	case SLOT_POWERING:
		slot_power_on_done(slot, now, result);
		break;
	case SLOT_SWITCHING:
		slot_switched(slot, now, result);
		break;
	case SLOT_TRANSMITTING:
		slot_transmitted(slot, now, result);
		break;
	case SLOT_SECURING:
		slot_secured(slot, now, result);
		break;
	case SLOT_ESCAPING:
		slot_escaped(slot, now, result);
		break;
	case SLOT_IDLE:
		assert(0); /* an idle slot waits for nothing */
		break;
	}
}

/* ---- time ---- */

/* The running command has taken too long. */
static void slot_expire(struct slot *slot, uint64_t now)
{
	switch (slot->state) {
	case SLOT_POWERING:
		slot_power_on_late(slot);
		break;
	case SLOT_SECURING:
		slot_cancel(slot);
		slot_fail(slot, CCID_ERROR_PIN_TIMEOUT);
		slot_lose_card(slot, now);
		break;
	case SLOT_SWITCHING:
	case SLOT_TRANSMITTING:
	case SLOT_ESCAPING:
		slot_cancel(slot);
		slot_fail(slot, CCID_ERROR_HARDWARE);
		slot_lose_card(slot, now);
		break;
	case SLOT_IDLE:
		break;
	}
}

void slot_tick(struct slot *slot, uint64_t now)
{
	if (now >= slot->deadline)
		slot_expire(slot, now);
	if (slot_may_extend_time(slot))
		slot_extend_time(slot, now);
	slot_show_card(slot, now);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t slot_deadline(const struct slot *slot)
{
	uint64_t deadline = slot->deadline;

	if (slot_may_extend_time(slot))
		deadline = earlier(deadline, slot->transfer.extension_at);
	if (slot->enabled && !slot->view.shown && slot->host.present)
		deadline = earlier(deadline, slot->view.absent_until);
	return deadline;
}

/* ---- outputs ---- */

void slot_sent(struct slot *slot)
{
	slot->in_flight = false;
	slot->cancel = false;
	if (!slot->message_due)
		payload_clear(&slot->message);
}

static bool slot_pop_message(struct slot *slot, struct slot_output *output)
{
	if (slot->cancel) {
		slot->cancel = false;
		slot->in_flight = false;
		*output = (struct slot_output){ .type = SLOT_OUTPUT_CANCEL_SEND };
		return true;
	}
	if (!slot->message_due || slot->in_flight)
		return false;
	*output = (struct slot_output){
		.type = SLOT_OUTPUT_SEND,
		.message = payload_view(&slot->message),
	};
	slot->message_due = false;
	slot->in_flight = true;
	return true;
}

/* CCID 1.1, 6.3.1. Always the newest state, which replaces an older one that nobody has read. */
static bool slot_pop_notification(struct slot *slot, struct slot_output *output)
{
	if (!slot->notify)
		return false;
	slot->notification[0] = RDR_TO_PC_NOTIFY_SLOT_CHANGE;
	slot->notification[1] = slot->view.shown ? CCID_NOTIFY_CHANGED | CCID_NOTIFY_PRESENT :
						   CCID_NOTIFY_CHANGED;
	*output = (struct slot_output){
		.type = SLOT_OUTPUT_NOTIFY,
		.message = { slot->notification, sizeof(slot->notification) },
	};
	slot->notify = false;
	return true;
}

bool slot_pop_output(struct slot *slot, struct slot_output *output)
{
	if (slot->calls_count > 0) {
		*output = (struct slot_output){
			.type = SLOT_OUTPUT_CALL,
			.call = slot->calls[slot->calls_first],
		};
		slot->calls_first = (slot->calls_first + 1) % SLOT_CALLS_MAX;
		slot->calls_count--;
		return true;
	}
	return slot_pop_message(slot, output) || slot_pop_notification(slot, output);
}
