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
#define ATR_T15 0x8000

struct atr {
	bool inverse;              /* TS = 3F: inverse convention; ISO 7816-3, 8.1 */
	uint16_t protocols;        /* bit n: T=n is named, also T=15 (global); T=0 by default */
	uint8_t first;             /* the first protocol offered, which is used without PPS */
	bool specific;             /* TA2 is there: specific mode, no PPS; ISO 7816-3, 6.3.1 */
	uint8_t specific_protocol; /* TA2, bits 4 to 1: the only one in specific mode; else first */
	bool implicit;             /* TA2, bit 5: F and D are not TA1's, but known beforehand */
	uint8_t ta1;               /* Fi and Di; 11 if absent */
	uint8_t tc1;               /* extra guard time N; 0 if absent */
	uint8_t tc2;               /* waiting time integer WI; 10 if absent */
	uint8_t t1_ifsc;           /* first TA for T=1; 32 if absent; ISO 7816-3, 11.4.2 */
	uint8_t t1_bwi_cwi;        /* first TB for T=1; 4D if absent; ISO 7816-3, 11.4.3 */
	bool t1_crc;               /* first TC for T=1, bit 1: CRC, not LRC; ISO 7816-3, 11.4.4 */
	uint8_t clock_stop;        /* first TA for T=15, bits 8 and 7; 0 (none) if absent */
	uint8_t classes;           /* and bits 6 to 1: 1 for A, 2 for B, 4 for C; 1 if absent */
	uint8_t historical_at;     /* where the historical bytes begin */
	uint8_t historical_size;   /* and how many there are */
};

/*
 * What can be wrong with an ATR. The card is there all the same, and many a card of the field has
 * such an ATR: whatever came before the mistake counts, and is in atr.
 */
enum atr_outcome {
	ATR_NO_ATR = 1,    /* no TS, no T0, or more than 33 bytes: atr has the default values */
	ATR_TRUNCATED = 2, /* fewer bytes than are announced */
	ATR_TRAILING = 3,  /* more bytes than are announced */
	ATR_NO_TCK = 4,    /* TCK should be there, and isn't; ISO 7816-3, 8.2.5 */
	ATR_WRONG_TCK = 5, /* TCK is there, and is wrong */
};

/* Takes an ATR apart. Returns 0 or an outcome. */
int atr_parse(struct payload_view bytes, struct atr *atr);

/* Whether the card can be used with T=protocol (0 to 14): in specific mode, with one only. */
bool atr_offers(const struct atr *atr, uint8_t protocol);

/*
 * F, the clock rate conversion integer that TA1's upper half stands for; 0 if RFU. ISO 7816-3,
 * 8.3.
 */
unsigned int atr_clock_rate(uint8_t ta1);

/* D, the baud rate adjustment integer that TA1's lower half stands for; 0 if RFU. */
unsigned int atr_rate_adjustment(uint8_t ta1);
