/*
 * What all kinds of commands stand on: the answer, the call to the host, and forgetting an APDU.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/slot_state.h"

#include <assert.h>

uint8_t slot_icc_status(const struct slot *slot)
{
	if (!slot->view.shown)
		return CCID_ICC_ABSENT;
	return slot->view.powered ? CCID_ICC_ACTIVE : CCID_ICC_INACTIVE;
}

void slot_put_message(struct slot *slot, const struct ccid_response *response)
{
	int r;

	payload_clear(&slot->message);
	r = ccid_response_encode(response, slot->message.bytes, slot->message.capacity,
		&slot->message.size);
	assert(r == 0); /* whoever answers keeps to CCID_MESSAGE_MAX */
	(void)r;
	slot->message_due = true;
}

void slot_respond(struct slot *slot, struct slot_answer answer)
{
	struct ccid_response response = {
		.bMessageType = (uint8_t)ccid_response_type(slot->bMessageType),
		.bSeq = slot->bSeq,
		.bStatus = answer.status | slot_icc_status(slot),
		.bError = answer.error,
		.specific = answer.specific,
		.data = answer.data,
	};

	slot_put_message(slot, &response);
	if (answer.status != CCID_COMMAND_TIME_EXTENSION) {
		slot->state = SLOT_IDLE;
		slot->deadline = SLOT_NEVER;
		slot->waits_for = 0;
	}
}

void slot_fail(struct slot *slot, uint8_t error)
{
	slot_respond(slot, (struct slot_answer){ .status = CCID_COMMAND_FAILED, .error = error });
}

bool slot_needs_power(struct slot *slot)
{
	if (slot->view.powered)
		return false;
	slot_fail(slot, CCID_ERROR_ICC_MUTE);
	return true;
}

uint32_t slot_make_call(struct slot *slot, struct slot_call call)
{
	size_t last = (slot->calls_first + slot->calls_count) % SLOT_CALLS_MAX;

	/* A caller that pops what every input leaves never lets this fill up. */
	assert(slot->calls_count < SLOT_CALLS_MAX);
	call.number = ++slot->last_call;
	slot->calls[last] = call;
	slot->calls_count++;
	return call.number;
}

void slot_transfer_reset(struct slot *slot)
{
	slot->transfer.receiving = false;
	slot->transfer.sending = false;
	slot->transfer.response_sent = 0;
	payload_clear(&slot->transfer.command);
	payload_clear(&slot->transfer.response);
}
