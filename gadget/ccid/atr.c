/*
 * The parser of answers to reset.
 *
 * TS and T0 are followed by groups TA TB TC TD, whose presence the previous TD (for the first
 * group, T0) announces in its upper four bits; TD also names the protocol that the next group
 * belongs to. Then come the historical bytes, and TCK unless T=0 alone is offered. ISO 7816-3, 8.2.
 *
 * A malformed ATR is still the card's: the reader passes it on as it is, and works with what can be
 * read of it, as the drivers do.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/atr.h"

#include "base/cursor.h"

#define TS_DIRECT 0x3B
#define TS_INVERSE 0x3F

/* Y: which bytes a group has; ISO 7816-3, 8.2.3. */
#define Y_TA 0x1
#define Y_TB 0x2
#define Y_TC 0x4
#define Y_TD 0x8

/* TA2; ISO 7816-3, 8.3. */
#define TA2_PROTOCOL 0x0F
#define TA2_IMPLICIT 0x10

static const struct atr atr_defaults = {
	.protocols = ATR_T0,
	.ta1 = 0x11,
	.tc2 = 10,
	.t1_ifsc = 32,
	.t1_bwi_cwi = 0x4D,
	.classes = 1,
};

/* Walks over the groups. */
struct atr_reader {
	struct cursor_in in;
	struct atr *atr;
	unsigned int group;
	uint8_t protocol; /* that the last TD has named */
	/* Which first interface byte of a protocol has been seen: later ones don't count. */
	bool t1_ta, t1_tb, t1_tc, t15_ta;
};

/* The next byte, if it is announced and there. */
static bool atr_next(struct atr_reader *reader, bool announced, uint8_t *byte)
{
	if (!announced)
		return false;
	*byte = in_u8(&reader->in);
	return in_ok(&reader->in);
}

/* Whether a byte is the first of its kind for a protocol, in a group behind the global ones. */
static bool atr_first_for(const struct atr_reader *reader, uint8_t protocol, bool *seen)
{
	if (reader->group <= 2 || reader->protocol != protocol || *seen)
		return false;
	*seen = true;
	return true;
}

static void atr_ta(struct atr_reader *reader, uint8_t ta)
{
	struct atr *atr = reader->atr;

	if (reader->group == 1) {
		atr->ta1 = ta;
	} else if (reader->group == 2) {
		atr->specific = true;
		atr->specific_protocol = ta & TA2_PROTOCOL;
		atr->implicit = (ta & TA2_IMPLICIT) != 0;
	} else if (atr_first_for(reader, 1, &reader->t1_ta)) {
		atr->t1_ifsc = ta;
	} else if (atr_first_for(reader, 15, &reader->t15_ta)) {
		atr->clock_stop = ta >> 6;
		atr->classes = ta & 0x3F;
	}
}

/* TB1 and TB2 are deprecated: they spoke of the programming voltage. */
static void atr_tb(struct atr_reader *reader, uint8_t tb)
{
	if (atr_first_for(reader, 1, &reader->t1_tb))
		reader->atr->t1_bwi_cwi = tb;
}

static void atr_tc(struct atr_reader *reader, uint8_t tc)
{
	if (reader->group == 1)
		reader->atr->tc1 = tc;
	else if (reader->group == 2)
		reader->atr->tc2 = tc;
	else if (atr_first_for(reader, 1, &reader->t1_tc))
		reader->atr->t1_crc = (tc & 1) != 0;
}

/* Names the protocol of the next group; the first one takes the place of T=0 by default. */
static void atr_td(struct atr_reader *reader, uint8_t td)
{
	reader->protocol = td & 0x0F;
	if (reader->group == 1) {
		reader->atr->first = reader->protocol;
		reader->atr->protocols = 0;
	}
	reader->atr->protocols |= (uint16_t)(1U << reader->protocol);
}

/* The groups of interface bytes; y is the upper half of T0. */
static void atr_groups(struct atr_reader *reader, uint8_t y)
{
	uint8_t byte;

	for (reader->group = 1; y != 0 && in_ok(&reader->in); reader->group++) {
		if (atr_next(reader, (y & Y_TA) != 0, &byte))
			atr_ta(reader, byte);
		if (atr_next(reader, (y & Y_TB) != 0, &byte))
			atr_tb(reader, byte);
		if (atr_next(reader, (y & Y_TC) != 0, &byte))
			atr_tc(reader, byte);
		if (!atr_next(reader, (y & Y_TD) != 0, &byte))
			break;
		atr_td(reader, byte);
		y = byte >> 4;
	}
}

/* TCK makes the exclusive-or of all bytes from T0 on zero; ISO 7816-3, 8.2.5. */
static bool atr_checked(struct payload_view bytes)
{
	struct cursor_in in = cursor_in(bytes.bytes, bytes.size);
	uint8_t sum = 0;

	(void)in_u8(&in); /* TS */
	while (in.left > 0)
		sum ^= in_u8(&in);
	return sum == 0;
}

/* What comes behind the historical bytes: TCK, or nothing if T=0 is all that is named. */
static int atr_end(struct atr_reader *reader, struct payload_view bytes)
{
	bool t0_only = reader->atr->protocols == ATR_T0;

	if (!in_ok(&reader->in))
		return ATR_TRUNCATED;
	if (reader->in.left == 0)
		return t0_only ? 0 : ATR_NO_TCK;
	if (reader->in.left > 1)
		return ATR_TRAILING;
	if (atr_checked(bytes))
		return 0; /* also behind T=0: such cards are in the field, and believed */
	return t0_only ? ATR_TRAILING : ATR_WRONG_TCK;
}

int atr_parse(struct payload_view bytes, struct atr *atr)
{
	struct atr_reader reader = { .in = cursor_in(bytes.bytes, bytes.size), .atr = atr };
	uint8_t ts = in_u8(&reader.in);
	uint8_t t0 = in_u8(&reader.in);
	size_t historical_at;

	*atr = atr_defaults;
	if (bytes.size < 2 || bytes.size > ATR_SIZE_MAX || (ts != TS_DIRECT && ts != TS_INVERSE))
		return ATR_NO_ATR;
	atr->inverse = ts == TS_INVERSE;
	atr_groups(&reader, t0 >> 4);
	if (!atr->specific)
		atr->specific_protocol = atr->first;
	historical_at = bytes.size - reader.in.left;
	if (in_bytes(&reader.in, t0 & 0x0F) != NULL) {
		atr->historical_at = (uint8_t)historical_at;
		atr->historical_size = t0 & 0x0F;
	}
	return atr_end(&reader, bytes);
}

bool atr_offers(const struct atr *atr, uint8_t protocol)
{
	if (atr->specific)
		return protocol == atr->specific_protocol;
	return (atr->protocols & (1U << protocol)) != 0;
}

unsigned int atr_clock_rate(uint8_t ta1)
{
	static const uint16_t rates[16] = { 372, 372, 558, 744, 1116, 1488, 1860, 0,
		0, 512, 768, 1024, 1536, 2048, 0, 0 };

	return rates[ta1 >> 4];
}

unsigned int atr_rate_adjustment(uint8_t ta1)
{
	static const uint8_t adjustments[16] = { 0, 1, 2, 4, 8, 16, 32, 64, 12, 20 };

	return adjustments[ta1 & 0x0F];
}
