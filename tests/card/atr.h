/*
 * Answers to reset (ISO/IEC 7816-3:2006, 8.2): the ones that the card can be given by name, and a
 * checker that walks over an ATR's interface bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* TS, T0, at most 32 more (8.2.1). */
#define ATR_MAX 33

struct atr {
	uint8_t bytes[ATR_MAX];
	size_t size;
};

/* What an ATR says, as far as tests ask. */
struct atr_info {
	bool t0;
	bool t1;
	bool has_tck;
	size_t historical; /* their number */
};

enum {
	ATR_UNKNOWN = 1,   /* no such name, or not a hex string of 2..33 bytes */
	ATR_MALFORMED = 2, /* cut, too long, a wrong TS, or a wrong or missing TCK */
};

/* Finds name in the table, or takes "hex:3B..." literally. Returns 0 or ATR_UNKNOWN. */
int atr_by_name(const char *name, struct atr *atr);

/* The name of the table's entry number index, or NULL beyond its end; *about says what for. */
const char *atr_name(size_t index, const char **about);

/* Checks the structure and TCK of an ATR. Returns 0 or ATR_MALFORMED. */
int atr_check(const struct atr *atr, struct atr_info *info);
