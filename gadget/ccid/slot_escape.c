/*
 * Escape: a command that only the maker of the host's reader understands. CCID 1.1, 6.1.8 and
 * 6.2.4.
 *
 * abData and the answer to it go back and forth unread. It needs no card. The answer can't be
 * chained, so one that is longer than the driver can read in one message is lost.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/slot_state.h"

void slot_escape_message(struct slot *slot, uint64_t now, const struct ccid_command *command)
{
	slot_transfer_reset(slot);
	if (payload_set(&slot->transfer.command, command->data) != 0) {
		slot_fail(slot, CCID_ERROR_OFFSET_LENGTH);
		return;
	}
	slot_set_time(slot, now, SLOT_ESCAPE_MAX);
	slot->waits_for = slot_make_call(slot, (struct slot_call){
		.operation = WIRE_ESCAPE,
		.data = payload_view(&slot->transfer.command),
	});
	slot->state = SLOT_ESCAPING;
}

void slot_escaped(struct slot *slot, uint64_t now, const struct slot_result *result)
{
	slot_transfer_reset(slot);
	switch (result->outcome) {
	case WIRE_OK:
		if (result->data.size <= slot_block_max(result->asked) - CCID_HEADER_SIZE)
			slot_respond(slot, (struct slot_answer){ .data = result->data });
		else
			slot_fail(slot, CCID_ERROR_HARDWARE);
		break;
	case WIRE_UNSUPPORTED:
		slot_fail(slot, CCID_ERROR_NOT_SUPPORTED);
		break;
	case WIRE_CANCELLED:
		slot_fail(slot, CCID_ERROR_ABORTED);
		break;
	default:
		slot_transmitted(slot, now, result);
		break;
	}
}
