/*
 * The codec of CCID messages. Nothing here knows a state: see slot.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/message.h"

#include <stdbool.h>

#include "base/cursor.h"

size_t ccid_message_missing(const uint8_t *bytes, size_t size)
{
	struct cursor_in in = cursor_in(bytes, size);
	size_t total;

	(void)in_u8(&in); /* bMessageType */
	total = CCID_HEADER_SIZE + (size_t)in_le32(&in);
	return size >= CCID_HEADER_SIZE && total > size ? total - size : 0;
}

int ccid_command_decode(struct payload_view message, struct ccid_command *command)
{
	struct cursor_in in = cursor_in(message.bytes, message.size);

	*command = (struct ccid_command){ .bMessageType = in_u8(&in) };
	command->dwLength = in_le32(&in);
	command->bSlot = in_u8(&in);
	command->bSeq = in_u8(&in);
	in_copy(&in, command->specific, sizeof(command->specific));
	if (!in_ok(&in))
		return CCID_TRUNCATED;
	if (command->dwLength > CCID_DATA_MAX)
		return CCID_BAD_LENGTH;
	command->data.bytes = in_bytes(&in, command->dwLength);
	if (!in_done(&in)) {
		command->data.bytes = NULL;
		return CCID_BAD_LENGTH;
	}
	command->data.size = command->dwLength;
	return 0;
}

uint16_t ccid_command_level(const struct ccid_command *command)
{
	struct cursor_in in = cursor_in(command->specific, sizeof(command->specific));

	(void)in_u8(&in); /* bBWI */
	return in_le16(&in);
}

/* Bytes 7 to 9 from one of them on; what comes before is a parameter. */
static bool is_zero_from(const struct ccid_command *command, size_t offset)
{
	struct cursor_in in = cursor_in(command->specific, sizeof(command->specific));

	(void)in_bytes(&in, offset - CCID_SPECIFIC_OFFSET);
	while (in.left > 0) {
		if (in_u8(&in) != 0)
			return false;
	}
	return true;
}

uint8_t ccid_command_wrong_rfu(const struct ccid_command *command)
{
	switch (command->bMessageType) {
	case PC_TO_RDR_ICC_POWER_ON:
	case PC_TO_RDR_SET_PARAMETERS:
		return is_zero_from(command, CCID_ERROR_OFFSET_RFU) ? 0 : CCID_ERROR_OFFSET_RFU;
	case PC_TO_RDR_ICC_POWER_OFF:
	case PC_TO_RDR_GET_SLOT_STATUS:
	case PC_TO_RDR_GET_PARAMETERS:
	case PC_TO_RDR_RESET_PARAMETERS:
	case PC_TO_RDR_ESCAPE:
	case PC_TO_RDR_ABORT:
		return is_zero_from(command, CCID_ERROR_OFFSET_PARAMETER) ?
			0 : CCID_ERROR_OFFSET_PARAMETER;
	default:
		return 0;
	}
}

enum ccid_response_type ccid_response_type(uint8_t bMessageType)
{
	switch (bMessageType) {
	case PC_TO_RDR_ICC_POWER_ON:
	case PC_TO_RDR_XFR_BLOCK:
	case PC_TO_RDR_SECURE:
		return RDR_TO_PC_DATA_BLOCK;
	case PC_TO_RDR_GET_PARAMETERS:
	case PC_TO_RDR_RESET_PARAMETERS:
	case PC_TO_RDR_SET_PARAMETERS:
		return RDR_TO_PC_PARAMETERS;
	case PC_TO_RDR_ESCAPE:
		return RDR_TO_PC_ESCAPE;
	case PC_TO_RDR_SET_DATA_RATE_AND_CLOCK_FREQUENCY:
		return RDR_TO_PC_DATA_RATE_AND_CLOCK_FREQUENCY;
	default:
		return RDR_TO_PC_SLOT_STATUS;
	}
}

int ccid_response_encode(const struct ccid_response *response, void *bytes, size_t capacity,
	size_t *size)
{
	struct cursor_out out = cursor_out(bytes, capacity);

	out_u8(&out, response->bMessageType);
	out_le32(&out, (uint32_t)response->data.size);
	out_u8(&out, response->bSlot);
	out_u8(&out, response->bSeq);
	out_u8(&out, response->bStatus);
	out_u8(&out, response->bError);
	out_u8(&out, response->specific);
	out_bytes(&out, response->data.bytes, response->data.size);
	*size = out.size;
	return out_ok(&out) ? 0 : CCID_NO_ROOM;
}
