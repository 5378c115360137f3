/*
 * Fuzzes the decoder: any bytes are decoded or refused, and what was decoded can be printed,
 * encodes, and is the same after another round.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "relay/wire.h"

static uint8_t once[WIRE_FRAME_MAX];
static uint8_t twice[WIRE_FRAME_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct wire_message message;
	struct wire_message again;
	size_t once_size;
	size_t twice_size;
	char text[256];

	if (wire_decode(bytes, size, &message) != 0)
		return 0;
	wire_print(&message, text, sizeof(text));
	assert(strlen(text) < sizeof(text));
	assert(wire_encode(&message, once, sizeof(once), &once_size) == 0);
	assert(once_size <= size);
	assert(wire_decode(once, once_size, &again) == 0);
	assert(wire_encode(&again, twice, sizeof(twice), &twice_size) == 0);
	assert(once_size == twice_size);
	assert(memcmp(once, twice, once_size) == 0);
	return 0;
}
