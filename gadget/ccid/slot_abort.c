/*
 * Abort: a request on the control pipe and a message on bulk OUT with the same bSeq, in either
 * order, end the running command. CCID 1.1, 5.3.1 and 6.1.13.
 *
 * The message is answered once both are there. Between the request and its message every other
 * command fails as aborted, CCID 1.1, 5.3.1; but not for ever: libccid gives a reader up whose
 * status it can't read, and the driver that made the request may have been killed before it sent
 * the message.
 *
 * An APDU that the host has goes on, and its late outcome reaches nobody. A PIN entry or an escape
 * is cancelled: it may never end by itself, and a PIN that is entered behind the driver's back must
 * not leave a card that accepts it. The host gives the card up for that and resets it, so that a
 * card that was powered is shown as pulled and put back.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/slot_state.h"

void slot_cancel(struct slot *slot)
{
	if (slot->state == SLOT_SECURING || slot->state == SLOT_ESCAPING)
		(void)slot_make_call(slot, (struct slot_call){ .operation = WIRE_CANCEL });
}

void slot_abort_other(struct slot *slot, uint64_t now)
{
	slot->abort.bulk = false; /* the driver has given up on that */
	if (now >= slot->abort.control_until)
		slot->abort.control = false;
}

void slot_abandon(struct slot *slot)
{
	if (slot->state == SLOT_POWERING)
		slot_release(slot);
	slot_cancel(slot);
	slot->state = SLOT_IDLE;
	slot->deadline = SLOT_NEVER;
	slot->waits_for = 0;
	slot_transfer_reset(slot);
}

/* Half of an abort is there: what runs ends now. */
static void slot_abort_running(struct slot *slot, uint64_t now)
{
	bool cancelled = slot->state == SLOT_SECURING || slot->state == SLOT_ESCAPING;

	slot_abandon(slot);
	if (cancelled && slot->view.powered)
		slot_lose_card(slot, now);
}

/* Both are there. */
static void slot_abort_finish(struct slot *slot, uint8_t bSeq)
{
	slot->abort = (struct slot_abort){ .control = false };
	slot->bMessageType = PC_TO_RDR_ABORT;
	slot->bSeq = bSeq;
	slot_respond(slot, (struct slot_answer){
		.specific = slot->view.powered ? CCID_CLOCK_RUNNING : CCID_CLOCK_STOPPED });
}

void slot_abort_message(struct slot *slot, uint64_t now, const struct ccid_command *command)
{
	if (command->dwLength != 0) {
		slot_fail(slot, CCID_ERROR_OFFSET_LENGTH);
		return;
	}
	slot_abort_running(slot, now);
	if (slot->abort.control && slot->abort.control_seq == command->bSeq) {
		slot_abort_finish(slot, command->bSeq);
		return;
	}
	slot->abort.bulk = true;
	slot->abort.bulk_seq = command->bSeq;
}

void slot_abort_request(struct slot *slot, uint64_t now, uint8_t bSeq)
{
	slot_abort_running(slot, now);
	if (slot->abort.bulk && slot->abort.bulk_seq == bSeq) {
		slot_abort_finish(slot, bSeq);
		return;
	}
	slot->abort.control = true;
	slot->abort.control_seq = bSeq;
	slot->abort.control_until = now + SLOT_ABORT_MAX;
}
