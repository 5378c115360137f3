/*
 * abProtocolDataStructure: what Get-, Set- and ResetParameters carry; CCID 1.1, 6.1.7 and 6.2.3.
 *
 * The values come from the card's ATR. What a driver sets is accepted if it is well-formed, and only
 * its choice of protocol has an effect: the rest is between the host's reader and the card.
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

/* How many bytes the structure of a bProtocolNum has; 0 if there is no such protocol. */
size_t parameters_size(uint8_t bProtocolNum);
