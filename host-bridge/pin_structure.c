/*
 * Field by field, in the order of the specifications. See pin_structure.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/pin_structure.h"

#define PROLOGUE_SIZE 3 /* bTeoPrologue */
#define APDU_MIN 4      /* CLA, INS, P1, P2; ISO/IEC 7816-4:2013, 5.1 */

/* bNumberMessage: as many messages as that, or the reader's own. */
#define MESSAGES_MAX 3
#define MESSAGES_DEFAULT 0xFF

static void copy_u8(struct cursor_in *in, struct cursor_out *out)
{
	out_u8(out, in_u8(in));
}

static void copy_le16(struct cursor_in *in, struct cursor_out *out)
{
	out_le16(out, in_le16(in));
}

/* bTimerOut, bTimerOut2, bmFormatString, bmPINBlockString, bmPINLengthFormat */
static void copy_format(struct cursor_in *in, struct cursor_out *out)
{
	copy_u8(in, out);
	out_u8(out, 0);
	copy_u8(in, out);
	copy_u8(in, out);
	copy_u8(in, out);
}

/* bTeoPrologue, ulDataLength, abData: the rest of both structures. */
static int copy_apdu(struct cursor_in *in, struct cursor_out *out)
{
	uint8_t bTeoPrologue[PROLOGUE_SIZE];
	size_t size;

	in_copy(in, bTeoPrologue, sizeof bTeoPrologue);
	size = in->left;
	if (!in_ok(in) || size < APDU_MIN)
		return PIN_STRUCTURE_MALFORMED;
	out_bytes(out, bTeoPrologue, sizeof bTeoPrologue);
	out_le32(out, (uint32_t)size);
	out_bytes(out, in_bytes(in, size), size);
	return out_ok(out) ? 0 : PIN_STRUCTURE_MALFORMED;
}

/* CCID 1.1, 6.1.11.1 */
static int write_verify(struct cursor_in *in, struct cursor_out *out)
{
	copy_format(in, out);
	copy_le16(in, out); /* wPINMaxExtraDigit */
	copy_u8(in, out);   /* bEntryValidationCondition */
	copy_u8(in, out);   /* bNumberMessage */
	copy_le16(in, out); /* wLangId */
	copy_u8(in, out);   /* bMsgIndex */
	return copy_apdu(in, out);
}

/*
 * CCID 1.1, 6.1.11.2. Which indices there are depends on bNumberMessage; where the specification is
 * silent, for FF, there are three, as libccid has it.
 */
static int write_modify(struct cursor_in *in, struct cursor_out *out)
{
	uint8_t bNumberMessage;

	copy_format(in, out);
	copy_u8(in, out);   /* bInsertionOffsetOld */
	copy_u8(in, out);   /* bInsertionOffsetNew */
	copy_le16(in, out); /* wPINMaxExtraDigit */
	copy_u8(in, out);   /* bConfirmPIN */
	copy_u8(in, out);   /* bEntryValidationCondition */
	bNumberMessage = in_u8(in);
	out_u8(out, bNumberMessage);
	copy_le16(in, out); /* wLangId */
	copy_u8(in, out);   /* bMsgIndex1 */
	if (bNumberMessage > MESSAGES_MAX && bNumberMessage != MESSAGES_DEFAULT)
		return PIN_STRUCTURE_MALFORMED;
	out_u8(out, bNumberMessage > 0 ? in_u8(in) : 0);             /* bMsgIndex2 */
	out_u8(out, bNumberMessage >= MESSAGES_MAX ? in_u8(in) : 0); /* bMsgIndex3 */
	return copy_apdu(in, out);
}

int pin_structure_write(struct payload_view secure, struct cursor_out *out,
	enum pin_structure *kind)
{
	struct cursor_in in = cursor_in(secure.bytes, secure.size);
	uint8_t bPINOperation = in_u8(&in);

	if (!in_ok(&in))
		return PIN_STRUCTURE_MALFORMED;
	switch (bPINOperation) {
	case PIN_STRUCTURE_VERIFY:
		*kind = PIN_STRUCTURE_VERIFY;
		return write_verify(&in, out);
	case PIN_STRUCTURE_MODIFY:
		*kind = PIN_STRUCTURE_MODIFY;
		return write_modify(&in, out);
	}
	return PIN_STRUCTURE_UNKNOWN;
}

/* The fields before bTeoPrologue, bPINOperation among them: CCID 1.1, 6.1.11.1 and 6.1.11.2. */
#define VERIFY_FIELDS 12
#define MODIFY_FIELDS 15 /* to bMsgIndex1 */
#define MODIFY_NUMBER 11 /* at which bNumberMessage is */

/* The indices that follow bMsgIndex1. */
static size_t more_indices(uint8_t bNumberMessage)
{
	if (bNumberMessage == 0)
		return 0;
	return bNumberMessage >= MESSAGES_MAX ? 2 : 1;
}

int pin_structure_find_apdu(struct payload_view secure, struct payload_view *apdu)
{
	struct cursor_in in = cursor_in(secure.bytes, secure.size);
	uint8_t bPINOperation = in_u8(&in);
	uint8_t bNumberMessage;

	if (!in_ok(&in))
		return PIN_STRUCTURE_MALFORMED;
	switch (bPINOperation) {
	case PIN_STRUCTURE_VERIFY:
		(void)in_bytes(&in, VERIFY_FIELDS - 1);
		break;
	case PIN_STRUCTURE_MODIFY:
		(void)in_bytes(&in, MODIFY_NUMBER - 1);
		bNumberMessage = in_u8(&in);
		(void)in_bytes(&in, MODIFY_FIELDS - MODIFY_NUMBER - 1);
		(void)in_bytes(&in, more_indices(bNumberMessage));
		break;
	default:
		return PIN_STRUCTURE_UNKNOWN;
	}
	(void)in_bytes(&in, PROLOGUE_SIZE);
	if (!in_ok(&in) || in.left < APDU_MIN)
		return PIN_STRUCTURE_MALFORMED;
	apdu->size = in.left;
	apdu->bytes = in_bytes(&in, in.left);
	return 0;
}
