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

/* bmTCCKST0 and bmTCCKST1: the convention in bit 1, for T=1 also 10h and the checksum in bit 0. */
static uint8_t convention_bits(const struct atr *atr)
{
	return atr->inverse ? 0x02 : 0x00;
}

struct parameters parameters_from_atr(const struct atr *atr, uint8_t protocol)
{
	struct parameters parameters = { .bProtocolNum = protocol };
	struct cursor_out out = cursor_out(parameters.structure, sizeof(parameters.structure));

	out_u8(&out, atr->ta1); /* bmFindexDindex */
	if (protocol == 0) {
		out_u8(&out, convention_bits(atr)); /* bmTCCKST0 */
		out_u8(&out, atr->tc1);             /* bGuardTimeT0 */
		out_u8(&out, atr->tc2);             /* bWaitingIntegerT0 */
		out_u8(&out, atr->clock_stop);      /* bClockStop */
	} else {
		out_u8(&out, (uint8_t)(0x10 | convention_bits(atr) | atr->t1_crc)); /* bmTCCKST1 */
		out_u8(&out, atr->tc1);        /* bGuardTimeT1 */
		out_u8(&out, atr->t1_bwi_cwi); /* bmWaitingIntegersT1 */
		out_u8(&out, atr->clock_stop); /* bClockStop */
		out_u8(&out, atr->t1_ifsc);    /* bIFSC */
		out_u8(&out, 0);               /* bNadValue */
	}
	parameters.size = out.size;
	return parameters;
}
