/*
 * The parser of answers to reset.
 *
 * TS and T0 are followed by groups TA TB TC TD, whose presence the previous TD (for the first group,
 * T0) announces in its upper four bits; TD also names the protocol that the next group belongs to.
 * Then come the historical bytes, and TCK unless T=0 alone is offered. ISO 7816-3, 8.2.
 *
 * A malformed ATR is still the card's: the reader passes it on as it is, and only works with the
 * default values.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/atr.h"

#include "base/cursor.h"

#define TS_DIRECT 0x3B
#define TS_INVERSE 0x3F

static const struct atr atr_defaults = {
	.protocols = ATR_T0,
	.ta1 = 0x11,
	.tc2 = 10,
	.t1_ifsc = 32,
	.t1_bwi_cwi = 0x4D,
};

/* Which first interface byte of a protocol has been seen: later ones don't count. */
struct atr_seen {
	bool t1_ta, t1_tb, t1_tc, t15_ta;
};

static void atr_ta(struct atr *atr, struct atr_seen *seen, unsigned int group, uint8_t protocol,
	uint8_t ta)
{
	if (group == 1) {
		atr->ta1 = ta;
	} else if (group == 2) {
		atr->specific = true;
	} else if (protocol == 1 && !seen->t1_ta) {
		seen->t1_ta = true;
		atr->t1_ifsc = ta;
	} else if (protocol == 15 && !seen->t15_ta) {
		seen->t15_ta = true;
		atr->clock_stop = ta >> 6;
	}
}

static void atr_tb(struct atr *atr, struct atr_seen *seen, unsigned int group, uint8_t protocol,
	uint8_t tb)
{
	if (group > 2 && protocol == 1 && !seen->t1_tb) {
		seen->t1_tb = true;
		atr->t1_bwi_cwi = tb;
	}
}

static void atr_tc(struct atr *atr, struct atr_seen *seen, unsigned int group, uint8_t protocol,
	uint8_t tc)
{
	if (group == 1) {
		atr->tc1 = tc;
	} else if (group == 2) {
		atr->tc2 = tc;
	} else if (protocol == 1 && !seen->t1_tc) {
		seen->t1_tc = true;
		atr->t1_crc = (tc & 1) != 0;
	}
}

/* The groups of interface bytes; y is the upper half of T0. */
static void atr_groups(struct cursor_in *in, struct atr *atr, uint8_t y)
{
	struct atr_seen seen = { 0 };
	uint8_t protocol = 0;

	for (unsigned int group = 1; y != 0 && in_ok(in); group++) {
		uint8_t td = 0;

		if (y & 0x1)
			atr_ta(atr, &seen, group, protocol, in_u8(in));
		if (y & 0x2)
			atr_tb(atr, &seen, group, protocol, in_u8(in));
		if (y & 0x4)
			atr_tc(atr, &seen, group, protocol, in_u8(in));
		if (y & 0x8) {
			td = in_u8(in);
			protocol = td & 0x0F;
			if (group == 1) {
				atr->first = protocol;
				atr->protocols = 0;
			}
			atr->protocols |= (uint16_t)(1U << protocol);
		}
		y = td >> 4;
	}
}

/* TCK makes the exclusive-or of all bytes from T0 on zero; ISO 7816-3, 8.2.5. */
static bool atr_checked(struct payload_view bytes)
{
	uint8_t sum = 0;

	for (size_t i = 1; i < bytes.size; i++)
		sum ^= bytes.bytes[i];
	return sum == 0;
}

int atr_parse(struct payload_view bytes, struct atr *atr)
{
	struct cursor_in in = cursor_in(bytes.bytes, bytes.size);
	uint8_t ts = in_u8(&in);
	uint8_t t0 = in_u8(&in);
	bool tck;

	*atr = atr_defaults;
	atr_groups(&in, atr, t0 >> 4);
	(void)in_bytes(&in, t0 & 0x0F); /* historical bytes */
	/* TCK is absent if T=0 is all that is named, and present otherwise (ISO 7816-3, 8.2.5). A T=0
	 * card that sends one all the same is in the field, and believed if it is right. */
	tck = in.left == 1 || atr->protocols != ATR_T0;
	if (tck)
		(void)in_u8(&in);
	if (!in_done(&in) || bytes.size > ATR_SIZE_MAX || (ts != TS_DIRECT && ts != TS_INVERSE) ||
		(tck && !atr_checked(bytes))) {
		*atr = atr_defaults;
		return ATR_MALFORMED;
	}
	atr->inverse = ts == TS_INVERSE;
	return 0;
}
