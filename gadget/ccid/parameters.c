/*
 * Protocol data structures from an ATR. See parameters.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/parameters.h"

#include "base/cursor.h"

size_t parameters_size(uint8_t bProtocolNum)
{
	switch (bProtocolNum) {
	case 0:
		return PARAMETERS_T0_SIZE;
	case 1:
		return PARAMETERS_T1_SIZE;
	default:
		return 0;
	}
}

/* CCID 1.1, 6.1.7, table of bError: the fields by their offsets in the message. */
enum parameters_field {
	FIELD_FINDEX_DINDEX = 10,     /* bmFindexDindex */
	FIELD_TCCKST = 11,            /* bmTCCKST0, bmTCCKST1 */
	FIELD_GUARD_TIME = 12,        /* bGuardTimeT0, bGuardTimeT1: any value is one */
	FIELD_WAITING_INTEGERS = 13,  /* bWaitingIntegerT0, bmWaitingIntegersT1 */
	FIELD_CLOCK_STOP = 14,        /* bClockStop */
	FIELD_IFSC = 15,              /* bIFSC */
	FIELD_NAD_VALUE = 16,         /* bNadValue */
};

#define TCCKST_INVERSE 0x02 /* of both; a reader ignores it */
#define TCCKST1_CRC 0x01
#define TCCKST1_FIXED 0x10  /* bits 7 to 2 of bmTCCKST1 */
#define CLOCK_STOP_MAX 3    /* with the clock high or low */
#define BWI_MAX 9
#define IFSC_MAX 254

/* bmTCCKST0 and bmTCCKST1: the convention in bit 1, for T=1 also 10h and the checksum in bit 0. */
static uint8_t convention_bits(const struct atr *atr)
{
	return atr->inverse ? TCCKST_INVERSE : 0x00;
}

struct parameters parameters_from_atr(const struct atr *atr, uint8_t protocol)
{
	struct parameters parameters = { .bProtocolNum = protocol };
	struct cursor_out out = cursor_out(parameters.structure, sizeof(parameters.structure));

	/* bmFindexDindex; what an implicit one is, the ATR doesn't say */
	out_u8(&out, atr->implicit ? 0x11 : atr->ta1);
	if (protocol == 0) {
		out_u8(&out, convention_bits(atr)); /* bmTCCKST0 */
		out_u8(&out, atr->tc1);             /* bGuardTimeT0 */
		out_u8(&out, atr->tc2);             /* bWaitingIntegerT0 */
		out_u8(&out, atr->clock_stop);      /* bClockStop */
	} else {
		/* bmTCCKST1 */
		out_u8(&out, (uint8_t)(TCCKST1_FIXED | convention_bits(atr) | atr->t1_crc));
		out_u8(&out, atr->tc1);        /* bGuardTimeT1 */
		out_u8(&out, atr->t1_bwi_cwi); /* bmWaitingIntegersT1 */
		out_u8(&out, atr->clock_stop); /* bClockStop */
		out_u8(&out, atr->t1_ifsc);    /* bIFSC */
		out_u8(&out, 0);               /* bNadValue */
	}
	parameters.size = out.size;
	return parameters;
}

static bool field_is_allowed(uint8_t bProtocolNum, enum parameters_field field, uint8_t value)
{
	switch (field) {
	case FIELD_FINDEX_DINDEX:
		return atr_clock_rate(value) != 0 && atr_rate_adjustment(value) != 0;
	case FIELD_TCCKST:
		if (bProtocolNum == 0)
			return (value & ~TCCKST_INVERSE) == 0;
		return (value & ~(TCCKST_INVERSE | TCCKST1_CRC)) == TCCKST1_FIXED;
	case FIELD_GUARD_TIME:
		return true;
	case FIELD_WAITING_INTEGERS:
		return bProtocolNum == 0 ? value > 0 : value >> 4 <= BWI_MAX;
	case FIELD_CLOCK_STOP:
		return value <= CLOCK_STOP_MAX;
	case FIELD_IFSC:
		return value > 0 && value <= IFSC_MAX;
	case FIELD_NAD_VALUE:
		return value == 0; /* dwFeatures doesn't promise others */
	}
	return false;
}

uint8_t parameters_wrong_field(const struct parameters *parameters, const struct atr *atr)
{
	struct parameters own = parameters_from_atr(atr, parameters->bProtocolNum);
	struct cursor_in in = cursor_in(parameters->structure, parameters->size);
	struct cursor_in from_atr = cursor_in(own.structure, own.size);

	for (unsigned int field = FIELD_FINDEX_DINDEX; in.left > 0; field++) {
		uint8_t value = in_u8(&in);

		if (value != in_u8(&from_atr) &&
			!field_is_allowed(parameters->bProtocolNum, field, value))
			return (uint8_t)field;
	}
	return 0;
}
