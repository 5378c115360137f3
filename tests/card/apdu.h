/*
 * The command APDU, taken apart: ISO/IEC 7816-3:2006, 12.1.
 *
 * Seven forms, told apart by the length of the whole and by the fifth byte. Nothing is guessed: a
 * length field that does not fit the rest is malformed.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/payload.h"

struct apdu {
	uint8_t cla;
	uint8_t ins;
	uint8_t p1;
	uint8_t p2;
	bool has_le;
	bool extended;            /* Lc and Le, where present, are of the extended form */
	uint32_t ne;              /* expected length, 1..65536; 0 without Le */
	struct payload_view data; /* borrowed from the bytes that were decoded */
};

enum {
	APDU_MALFORMED = 1, /* the header fields hold what was there, the rest is empty */
};

/* Decodes bytes, which must outlive *apdu. Returns 0 or APDU_MALFORMED. */
int apdu_decode(struct payload_view bytes, struct apdu *apdu);

/* P1 P2 as a number. */
uint16_t apdu_p1p2(const struct apdu *apdu);
