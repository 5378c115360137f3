/*
 * The answer to reset, taken apart as far as a CCID reader must know it: which protocols the card
 * offers, and the values of CCID's protocol data structures.
 *
 * "ISO 7816-3" is ISO/IEC 7816-3:2006; interface bytes are those of its 8.2 and 8.3.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"

#define ATR_SIZE_MAX 33 /* bytes; ISO 7816-3, 8.2.1 */

/* Bits of atr.protocols: what a TD byte names, ISO 7816-3, 8.2.3. */
#define ATR_T0 0x0001
#define ATR_T1 0x0002

struct atr {
	bool inverse;         /* TS = 3F: inverse convention; ISO 7816-3, 8.1 */
	uint16_t protocols;   /* bit n: T=n is named, also T=15 (global bytes). T=0 without TD1 */
	uint8_t first;        /* the first protocol offered, which is used without PPS */
	bool specific;        /* TA2 is there: specific mode, no PPS; ISO 7816-3, 6.3.1 */
	uint8_t ta1;          /* Fi and Di; 11 if absent */
	uint8_t tc1;          /* extra guard time N; 0 if absent */
	uint8_t tc2;          /* waiting time integer WI; 10 if absent */
	uint8_t t1_ifsc;      /* first TA for T=1; 32 if absent; ISO 7816-3, 11.4.2 */
	uint8_t t1_bwi_cwi;   /* first TB for T=1; 4D if absent; ISO 7816-3, 11.4.3 */
	bool t1_crc;          /* first TC for T=1, bit 1: CRC in place of LRC; ISO 7816-3, 11.4.4 */
	uint8_t clock_stop;   /* first TA for T=15, bits 8 and 7: 0 if absent; ISO 7816-3, 8.3 */
};

enum {
	ATR_MALFORMED = 1, /* truncated, trailing bytes, or a wrong TCK; atr holds the defaults */
};

/* Takes an ATR apart. Returns 0 or ATR_MALFORMED. */
int atr_parse(struct payload_view bytes, struct atr *atr);
