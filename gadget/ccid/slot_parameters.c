/*
 * Get-, Reset- and SetParameters: answered from the card's ATR and from what the driver has set.
 * CCID 1.1, 6.1.5 to 6.1.7.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/slot_state.h"

#include "base/cursor.h"

static uint8_t slot_protocol_number(uint8_t protocol)
{
	return protocol == WIRE_PROTOCOL_T0 ? 0 : 1;
}

static void slot_answer_parameters(struct slot *slot)
{
	slot_respond(slot, (struct slot_answer){
		.specific = slot->parameters.bProtocolNum,
		.data = { slot->parameters.structure, slot->parameters.size } });
}

void slot_default_parameters(struct slot *slot)
{
	slot->wanted = slot->powered_protocol;
	slot->parameters = parameters_from_atr(&slot->atr,
		slot_protocol_number(slot->powered_protocol));
}

/* CCID 1.1, 6.1.5: the parameters in use. 6.1.6: those that IccPowerOn left. */
void slot_get_parameters(struct slot *slot, const struct ccid_command *command)
{
	if (command->dwLength != 0) {
		slot_fail(slot, CCID_ERROR_OFFSET_LENGTH);
		return;
	}
	if (command->bMessageType == PC_TO_RDR_RESET_PARAMETERS)
		slot_default_parameters(slot);
	slot_answer_parameters(slot);
}

/*
 * Whether the card can be asked for a protocol: its ATR offers it, or the host uses it already,
 * whatever the ATR says.
 */
static bool slot_has_protocol(const struct slot *slot, uint8_t bProtocolNum)
{
	return atr_offers(&slot->atr, bProtocolNum) ||
		bProtocolNum == slot_protocol_number(slot->powered_protocol);
}

/*
 * CCID 1.1, 6.1.7. The choice of protocol takes effect with the next XfrBlock; the structure is
 * kept and shown, as a reader that does PPS by itself may.
 */
void slot_set_parameters(struct slot *slot, const struct ccid_command *command)
{
	struct parameters parameters = { .bProtocolNum = command->specific[0] };
	struct cursor_in in = cursor_in(command->data.bytes, command->data.size);
	uint8_t wrong;

	parameters.size = parameters_size(parameters.bProtocolNum);
	if (parameters.size == 0 || !slot_has_protocol(slot, parameters.bProtocolNum)) {
		slot_fail(slot, CCID_ERROR_OFFSET_PARAMETER);
		return;
	}
	if (command->dwLength != parameters.size) {
		slot_fail(slot, CCID_ERROR_OFFSET_LENGTH);
		return;
	}
	in_copy(&in, parameters.structure, parameters.size);
	wrong = parameters_wrong_field(&parameters, &slot->atr);
	if (wrong != 0) {
		slot_fail(slot, wrong);
		return;
	}
	slot->wanted = parameters.bProtocolNum == 0 ? WIRE_PROTOCOL_T0 : WIRE_PROTOCOL_T1;
	slot->parameters = parameters;
	slot_answer_parameters(slot);
}
