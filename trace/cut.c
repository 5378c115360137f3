/*
 * What is kept of a message. See cut.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "trace/cut.h"

#include "base/cursor.h"

/* CCID 1.1, 6.1 and 6.2. */
#define HEADER_SIZE 10
#define TYPE_AND_LENGTH 5
#define PARAMETERS 0x82
#define SLOT_STATUS 0x81
#define ESCAPE_ANSWER 0x83
#define DATA_RATE_AND_CLOCK 0x84
#define XFR_BLOCK 0x6F
#define LEVEL_WHOLE 0
#define LEVEL_BEGINS 1

#define PARAMETERS_T0 5    /* CCID 1.1, 6.2.3 */
#define PARAMETERS_T1 7
#define RATE_SIZE 8        /* CCID 1.1, 6.2.5 */
#define ATR_MAX 33         /* ISO 7816-3, 8.2.1 */
#define APDU_HEADER 4      /* CLA INS P1 P2 */
#define APDU_SHORT 5       /* and Lc or Le, ISO 7816-4, 5.2 */
#define APDU_EXTENDED 7    /* of three bytes, the first of which is 0 */
#define LE_EXTENDED 2      /* behind data */

bool cut_header(struct payload_view bytes, struct cut_header *header)
{
	struct cursor_in in = cursor_in(bytes.bytes, bytes.size);

	header->bMessageType = in_u8(&in);
	header->dwLength = in_le32(&in);
	(void)in_bytes(&in, 2); /* bSlot, bSeq */
	in_copy(&in, header->specific, sizeof(header->specific));
	return in_done(&in);
}

static bool is_command(uint8_t type)
{
	switch (type) {
	case 0x61: /* SetParameters */
	case 0x62: /* IccPowerOn */
	case 0x63: /* IccPowerOff */
	case 0x65: /* GetSlotStatus */
	case 0x69: /* Secure */
	case 0x6A: /* T0APDU */
	case 0x6B: /* Escape */
	case 0x6C: /* GetParameters */
	case 0x6D: /* ResetParameters */
	case 0x6E: /* IccClock */
	case XFR_BLOCK:
	case 0x71: /* Mechanical */
	case 0x72: /* Abort */
	case 0x73: /* SetDataRateAndClockFrequency */
		return true;
	}
	return false;
}

/* Of what isn't a message: it may be an APDU that somebody sent without one. */
static size_t kept_of_broken(struct payload_view header)
{
	return header.size > 0 ? 1 : 0;
}

/* Whether size bytes can be an APDU whose data, of length bytes, begins at head. */
static bool is_length(size_t size, size_t head, size_t length, size_t le, uint16_t level)
{
	if (level == LEVEL_BEGINS)
		return head + length + le > size;
	return size == head + length || size == head + length + le;
}

/* ISO 7816-4, 5.2: CLA INS P1 P2, and what follows if it is a length. */
static size_t kept_of_apdu(struct payload_view apdu, uint16_t level)
{
	struct cursor_in in = cursor_in(apdu.bytes, apdu.size);
	uint8_t first;
	uint16_t extended;

	if (apdu.size <= APDU_SHORT)
		return apdu.size;
	(void)in_bytes(&in, APDU_HEADER);
	first = in_u8(&in);
	if (first != 0)
		return is_length(apdu.size, APDU_SHORT, first, 1, level) ? APDU_SHORT : APDU_HEADER;
	extended = in_be16(&in);
	if (!in_ok(&in))
		return APDU_HEADER;
	if (apdu.size == APDU_EXTENDED || is_length(apdu.size, APDU_EXTENDED, extended, LE_EXTENDED, level))
		return APDU_EXTENDED;
	return APDU_HEADER;
}

size_t cut_command(struct payload_view header, struct payload_view data)
{
	struct cut_header read;
	struct cursor_in in;
	uint16_t level;

	if (!cut_header(header, &read) || !is_command(read.bMessageType))
		return kept_of_broken(header);
	if (read.dwLength != data.size)
		return TYPE_AND_LENGTH;
	if (read.bMessageType != XFR_BLOCK)
		return HEADER_SIZE;
	in = cursor_in(read.specific, sizeof(read.specific));
	(void)in_u8(&in); /* bBWI */
	level = in_le16(&in);
	if (level > LEVEL_BEGINS)
		return HEADER_SIZE;
	return HEADER_SIZE + kept_of_apdu(data, level);
}

/* ISO 7816-3, 8.1: TS. */
static bool is_atr(struct payload_view data)
{
	return data.size > 0 && data.size <= ATR_MAX && (data.bytes[0] == 0x3B || data.bytes[0] == 0x3F);
}

static bool is_parameters(size_t size)
{
	return size == PARAMETERS_T0 || size == PARAMETERS_T1;
}

/* Whether the data of a response, all of which is there, can't be secret. */
static bool is_public(const struct cut_header *header, struct payload_view data, bool atr)
{
	if (header->dwLength != data.size)
		return false;
	switch (header->bMessageType) {
	case CUT_DATA_BLOCK:
		return atr && is_atr(data);
	case PARAMETERS:
		return is_parameters(data.size);
	case DATA_RATE_AND_CLOCK:
		return data.size == RATE_SIZE;
	}
	return false;
}

size_t cut_response(struct payload_view header, struct payload_view data, bool atr)
{
	struct cut_header read;

	if (!cut_header(header, &read))
		return kept_of_broken(header);
	switch (read.bMessageType) {
	case CUT_DATA_BLOCK:
	case SLOT_STATUS:
	case PARAMETERS:
	case ESCAPE_ANSWER:
	case DATA_RATE_AND_CLOCK:
		return HEADER_SIZE + (is_public(&read, data, atr) ? data.size : 0);
	}
	return kept_of_broken(header);
}
