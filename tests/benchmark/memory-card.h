/*
 * A CCID reader with a card in it that answers from memory: as little as a driver puts up with.
 *
 * Of the scripted card's commands it knows SOURCE, and takes everything else for SINK. Commands and
 * responses are chained as ours are (gadget/ccid/slot_transfer.c), since the class descriptor is
 * the same. What is not needed for that is refused as not supported.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"

struct memory_card {
	size_t packet_size;
	size_t apdu_size;        /* of the command, as far as it has come */
	uint8_t header[4];       /* of it: CLA INS P1 P2 */
	size_t left;             /* of the response */
	uint8_t parameters[7];   /* as the driver has set them, with their size */
	uint8_t parameters_size;
	uint8_t protocol;
};

/* A message from bulk OUT; the answer goes to answer. Returns its size, or 0 for none. */
size_t memory_card_answer(struct memory_card *card, struct payload_view message, uint8_t *answer,
	size_t capacity);
