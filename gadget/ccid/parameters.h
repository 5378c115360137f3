/*
 * abProtocolDataStructure: what Get-, Set- and ResetParameters carry; CCID 1.1, 6.1.7 and 6.2.3.
 *
 * The values come from the card's ATR. What a driver sets is accepted if it is well-formed, and
 * only its choice of protocol has an effect: the rest is between the host's reader and the card.
 *
 * A value that the specification does not allow is refused, with its offset, unless the ATR itself
 * has it: cards with such ATRs are in the field, and drivers set what they have read there.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gadget/ccid/atr.h"

#define PARAMETERS_T0_SIZE 5
#define PARAMETERS_T1_SIZE 7
#define PARAMETERS_SIZE_MAX 7

struct parameters {
	uint8_t bProtocolNum; /* 0 or 1 */
	uint8_t structure[PARAMETERS_SIZE_MAX];
	size_t size;
};

/* The structure for protocol (0 or 1) with the ATR's values. */
struct parameters parameters_from_atr(const struct atr *atr, uint8_t protocol);

/*
 * Checks a structure of the size that belongs to its protocol. Returns 0, or the offset in the
 * message of the first field that is wrong: 10 to 16; CCID 1.1, 6.1.7.
 */
uint8_t parameters_wrong_field(const struct parameters *parameters, const struct atr *atr);

/* How many bytes the structure of a bProtocolNum has; 0 if there is no such protocol. */
size_t parameters_size(uint8_t bProtocolNum);
