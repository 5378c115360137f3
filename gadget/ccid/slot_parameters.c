/*
 * Get-, Reset- and SetParameters: answered from the card's ATR and from what the driver has set. CCID 1.1,
 * 6.1.5 to 6.1.7.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/slot_state.h"

#include "base/cursor.h"

static void slot_answer_parameters(struct slot *slot)
{
	slot_respond(slot, (struct slot_answer){
		.specific = slot->parameters.bProtocolNum,
		.data = { slot->parameters.structure, slot->parameters.size } });
}

/* CCID 1.1, 6.1.5: the parameters in use. 6.1.6: those that follow from the ATR. */
void slot_get_parameters(struct slot *slot, const struct ccid_command *command)
{
	if (command->dwLength != 0) {
		slot_fail(slot, CCID_ERROR_OFFSET_LENGTH);
		return;
	}
	if (command->bMessageType == PC_TO_RDR_RESET_PARAMETERS) {
		slot->wanted = slot->protocol;
		slot->parameters = parameters_from_atr(&slot->atr,
			slot->protocol == WIRE_PROTOCOL_T0 ? 0 : 1);
	}
	slot_answer_parameters(slot);
}

/*
 * CCID 1.1, 6.1.7. The choice of protocol takes effect with the next XfrBlock; the structure is kept
 * and shown, as a reader that does PPS by itself may.
 */
void slot_set_parameters(struct slot *slot, const struct ccid_command *command)
{
	uint8_t bProtocolNum = command->specific[0];
	size_t size = parameters_size(bProtocolNum);
	struct cursor_in in = cursor_in(command->data.bytes, command->data.size);

	if (size == 0 || (slot->atr.protocols & (1U << bProtocolNum)) == 0) {
		slot_fail(slot, CCID_ERROR_OFFSET_PARAMETER);
		return;
	}
	if (command->dwLength != size) {
		slot_fail(slot, CCID_ERROR_OFFSET_LENGTH);
		return;
	}
	slot->wanted = bProtocolNum == 0 ? WIRE_PROTOCOL_T0 : WIRE_PROTOCOL_T1;
	slot->parameters = (struct parameters){ .bProtocolNum = bProtocolNum, .size = size };
	in_copy(&in, slot->parameters.structure, size);
	slot_answer_parameters(slot);
}
