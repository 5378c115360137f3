/*
 * See hex.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/unit/bridge/hex.h"

#include <stdio.h>

struct payload_view hex_bytes(const char *text, uint8_t *bytes)
{
	size_t size = 0;
	unsigned int byte;
	int used;

	for (; sscanf(text, " %2x%n", &byte, &used) == 1; text += used)
		bytes[size++] = (uint8_t)byte;
	return (struct payload_view){ bytes, size };
}
