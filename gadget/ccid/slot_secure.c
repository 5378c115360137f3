/*
 * Secure: somebody enters a PIN at the host's reader, which puts it into an APDU and sends that to
 * the card. CCID 1.1, 6.1.11.
 *
 * abData goes to the host as it is. Checked here is what only the device can name in bError: that
 * the operation is one that the descriptor promises, and that every field of it is there. Whether
 * the values in them make sense, the host's reader decides.
 *
 * An APDU for a PIN has to be in one message. The response may have parts as in slot_transfer.c.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/slot_state.h"

#include "base/cursor.h"

/* Bytes from bTimeOut to bMsgIndex, and from bTimeOut to bConfirmPIN and bEntryValidationCondition. */
#define VERIFY_FIELDS 11
#define MODIFY_FIELDS 10

#define PROLOGUE_SIZE 3 /* bTeoPrologue */
#define APDU_MIN 4      /* CLA, INS, P1, P2; ISO/IEC 7816-4:2013, 5.1 */

/* bNumberMessage: as many messages as that, or the reader's own. */
#define MESSAGES_MAX 3
#define MESSAGES_DEFAULT 0xFF

/* The prologue and the APDU follow, and end the message. */
static uint8_t slot_check_apdu(struct cursor_in *in)
{
	(void)in_bytes(in, PROLOGUE_SIZE);
	return in_ok(in) && in->left >= APDU_MIN ? 0 : CCID_ERROR_OFFSET_LENGTH;
}

/* The abPINDataStructure of a verification; CCID 1.1, 6.1.11.1. */
static uint8_t slot_check_verify(struct cursor_in *in)
{
	(void)in_bytes(in, VERIFY_FIELDS);
	return slot_check_apdu(in);
}

/*
 * That of a modification; CCID 1.1, 6.1.11.2. How many bytes it has depends on bNumberMessage.
 * Where the specification is silent, for FF, all three indices are there: libccid sends them.
 */
static uint8_t slot_check_modify(struct cursor_in *in)
{
	uint8_t bNumberMessage;

	(void)in_bytes(in, MODIFY_FIELDS);
	bNumberMessage = in_u8(in);
	(void)in_le16(in); /* wLangId */
	(void)in_u8(in);   /* bMsgIndex1 */
	if (!in_ok(in))
		return CCID_ERROR_OFFSET_LENGTH;
	if (bNumberMessage > MESSAGES_MAX && bNumberMessage != MESSAGES_DEFAULT)
		return CCID_ERROR_OFFSET_MESSAGES;
	if (bNumberMessage != 0)
		(void)in_u8(in); /* bMsgIndex2 */
	if (bNumberMessage >= MESSAGES_MAX)
		(void)in_u8(in); /* bMsgIndex3 */
	return slot_check_apdu(in);
}

/* Returns 0, or the bError that says what is wrong. */
static uint8_t slot_check_secure(const struct slot *slot, const struct ccid_command *command)
{
	struct cursor_in in = cursor_in(command->data.bytes, command->data.size);
	uint8_t bPINOperation = in_u8(&in);

	if (!in_ok(&in))
		return CCID_ERROR_OFFSET_LENGTH;
	if (bPINOperation == CCID_PIN_OPERATION_VERIFY && (slot->bPINSupport & CCID_PIN_VERIFY) != 0)
		return slot_check_verify(&in);
	if (bPINOperation == CCID_PIN_OPERATION_MODIFY && (slot->bPINSupport & CCID_PIN_MODIFY) != 0)
		return slot_check_modify(&in);
	return CCID_ERROR_OFFSET_OPERATION;
}

static void slot_secure_begin(struct slot *slot, uint64_t now, const struct ccid_command *command)
{
	uint8_t error = slot_check_secure(slot, command);

	slot_transfer_reset(slot);
	if (error == 0 && payload_set(&slot->transfer.command, command->data) != 0)
		error = CCID_ERROR_OFFSET_LENGTH;
	if (error != 0)
		slot_fail(slot, error);
	else
		slot_execute(slot, now, SLOT_SECURE_MAX);
}

void slot_secure_message(struct slot *slot, uint64_t now, const struct ccid_command *command)
{
	if (slot->bPINSupport == 0) {
		slot_fail(slot, CCID_ERROR_NOT_SUPPORTED);
		return;
	}
	if (slot_needs_power(slot))
		return;
	switch (ccid_command_level(command)) {
	case CCID_LEVEL_WHOLE:
		slot_secure_begin(slot, now, command);
		break;
	case CCID_LEVEL_MORE:
		if (slot->transfer.sending && command->dwLength == 0) {
			slot_send_part(slot);
			break;
		}
		/* fall through */
	default:
		slot_transfer_reset(slot);
		slot_fail(slot, CCID_ERROR_OFFSET_LEVEL);
		break;
	}
}

void slot_secure(struct slot *slot)
{
	slot->waits_for = slot_make_call(slot, (struct slot_call){
		.operation = WIRE_SECURE,
		.data = payload_view(&slot->transfer.command),
	});
	slot->state = SLOT_SECURING;
}

/*
 * Status words pass as they are, also those of the host's reader: 6400 timeout, 6401 cancelled,
 * 6402 and 6403 for new PINs that are wrong. The errors below are for hosts that say it in another
 * way.
 */
void slot_secured(struct slot *slot, uint64_t now, const struct slot_result *result)
{
	switch (result->outcome) {
	case WIRE_CANCELLED:
		slot_transfer_reset(slot);
		slot_fail(slot, CCID_ERROR_PIN_CANCELLED);
		break;
	case WIRE_TIMED_OUT:
		slot_transfer_reset(slot);
		slot_fail(slot, CCID_ERROR_PIN_TIMEOUT);
		break;
	case WIRE_UNSUPPORTED:
		slot_transfer_reset(slot);
		slot_fail(slot, CCID_ERROR_NOT_SUPPORTED);
		break;
	default:
		slot_transmitted(slot, now, result);
		break;
	}
}
