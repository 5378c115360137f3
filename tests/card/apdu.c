/*
 * Decoding by the total length first, as ISO/IEC 7816-3:2006, 12.1.3 does.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/apdu.h"

#include <string.h>

#include "base/cursor.h"

/* Le is the whole rest: one byte, 00 meaning 256. */
static void apdu_short_le(struct cursor_in *in, struct apdu *apdu)
{
	uint8_t le = in_u8(in);

	apdu->has_le = true;
	apdu->ne = le == 0 ? 256 : le;
}

/* Two bytes, 0000 meaning 65536. */
static void apdu_extended_le(struct cursor_in *in, struct apdu *apdu)
{
	uint16_t le = in_be16(in);

	apdu->has_le = true;
	apdu->ne = le == 0 ? 65536 : le;
}

/* Cases 3S and 4S; lc is the fifth byte, which is not zero. */
static void apdu_short_body(struct cursor_in *in, uint8_t lc, struct apdu *apdu)
{
	apdu->data.bytes = in_bytes(in, lc);
	apdu->data.size = apdu->data.bytes == NULL ? 0 : lc;
	if (in_ok(in) && in->left > 0)
		apdu_short_le(in, apdu);
}

/* Cases 2E, 3E and 4E; the fifth byte was zero and has been read. */
static void apdu_extended_body(struct cursor_in *in, struct apdu *apdu)
{
	uint16_t lc;

	apdu->extended = true;
	if (in->left == 2) {
		apdu_extended_le(in, apdu);
		return;
	}
	lc = in_be16(in);
	if (lc == 0) {
		in->failed = true; /* Lc is absent or at least 1 */
		return;
	}
	apdu->data.bytes = in_bytes(in, lc);
	apdu->data.size = apdu->data.bytes == NULL ? 0 : lc;
	if (in_ok(in) && in->left > 0)
		apdu_extended_le(in, apdu);
}

int apdu_decode(struct payload_view bytes, struct apdu *apdu)
{
	struct cursor_in in = cursor_in(bytes.bytes, bytes.size);
	uint8_t lc;

	memset(apdu, 0, sizeof(*apdu));
	apdu->cla = in_u8(&in);
	apdu->ins = in_u8(&in);
	apdu->p1 = in_u8(&in);
	apdu->p2 = in_u8(&in);
	if (in.left == 1) {
		apdu_short_le(&in, apdu);
	} else if (in.left > 1) {
		lc = in_u8(&in);
		if (lc == 0)
			apdu_extended_body(&in, apdu);
		else
			apdu_short_body(&in, lc, apdu);
	}
	if (in_done(&in))
		return 0;
	apdu->has_le = apdu->extended = false;
	apdu->ne = 0;
	apdu->data = (struct payload_view){ .bytes = NULL };
	return APDU_MALFORMED;
}

uint16_t apdu_p1p2(const struct apdu *apdu)
{
	return (uint16_t)(apdu->p1 << 8 | apdu->p2);
}
