/*
 * Abort: a request on the control pipe and a message on bulk OUT with the same bSeq, in either order,
 * end the running command. CCID 1.1, 5.3.1 and 6.1.13.
 *
 * The message is answered once both are there. Between the request and its message every other
 * command fails as aborted. The call at the host goes on; its late outcome reaches nobody.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/slot_state.h"

void slot_abandon(struct slot *slot)
{
	if (slot->state == SLOT_POWERING)
		slot_release(slot);
	slot->state = SLOT_IDLE;
	slot->deadline = SLOT_NEVER;
	slot->waits_for = 0;
	slot_transfer_reset(slot);
}

/* Both are there. */
static void slot_abort_finish(struct slot *slot, uint8_t bSeq)
{
	slot->abort = (struct slot_abort){ .control = false };
	slot_abandon(slot);
	slot->bMessageType = PC_TO_RDR_ABORT;
	slot->bSeq = bSeq;
	slot_respond(slot, (struct slot_answer){
		.specific = slot->view.powered ? CCID_CLOCK_RUNNING : CCID_CLOCK_STOPPED });
}

void slot_abort_message(struct slot *slot, const struct ccid_command *command)
{
	if (command->dwLength != 0) {
		slot_fail(slot, CCID_ERROR_OFFSET_LENGTH);
		return;
	}
	slot_abandon(slot);
	if (slot->abort.control && slot->abort.control_seq == command->bSeq) {
		slot_abort_finish(slot, command->bSeq);
		return;
	}
	slot->abort.bulk = true;
	slot->abort.bulk_seq = command->bSeq;
}

void slot_abort_request(struct slot *slot, uint8_t bSeq)
{
	slot_abandon(slot);
	if (slot->abort.bulk && slot->abort.bulk_seq == bSeq) {
		slot_abort_finish(slot, bSeq);
		return;
	}
	slot->abort.control = true;
	slot->abort.control_seq = bSeq;
}
