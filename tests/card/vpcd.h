/*
 * vpcd's protocol, the card's end: frames in, messages out, no I/O.
 *
 * vpcd is a driver of pcscd with a virtual reader per TCP port. A frame is a big-endian 16-bit
 * length and that many bytes. A frame of one byte is a control message; every other one is a
 * command APDU. Only VPCD_ATR and APDUs are answered, with a frame; vpcd sends nothing while it
 * waits for one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"

#define VPCD_HEADER_SIZE 2
#define VPCD_FRAME_MAX 65535
#define VPCD_DEFAULT_PORT 35963 /* of slot 0; each slot has the next one */

enum vpcd_kind {
	VPCD_POWER_OFF,
	VPCD_POWER_ON,
	VPCD_RESET,
	VPCD_ATR, /* after a power change, and every 400 ms to see whether the card is there */
	VPCD_APDU,
	VPCD_UNKNOWN, /* an empty frame, or a control message that isn't in the protocol */
};

struct vpcd_message {
	enum vpcd_kind kind;
	struct payload_view apdu; /* borrowed from the decoder until vpcd_pop() */
};

struct vpcd {
	uint8_t bytes[VPCD_HEADER_SIZE + VPCD_FRAME_MAX];
	size_t used;
};

enum {
	VPCD_MORE = 1, /* no whole frame is there yet */
};

/* Forgets what was received. */
void vpcd_init(struct vpcd *vpcd);

/* Where received bytes may be put, at most *room of them (never 0 unless a whole frame waits). */
uint8_t *vpcd_room(struct vpcd *vpcd, size_t *room);

/* Says that size bytes were put there; size is at most the room that was offered. */
void vpcd_received(struct vpcd *vpcd, size_t size);

/* Gives the oldest frame, which stays until it is popped. Returns 0 or VPCD_MORE. */
int vpcd_next(const struct vpcd *vpcd, struct vpcd_message *message);

/* Removes the oldest frame, wiping it; only after vpcd_next() returned 0. */
void vpcd_pop(struct vpcd *vpcd);

/* Writes the two bytes that go before an answer of size bytes, at most VPCD_FRAME_MAX. */
void vpcd_header(uint8_t header[VPCD_HEADER_SIZE], size_t size);
