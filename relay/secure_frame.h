/*
 * The frames of the secure channel: PROTOCOL.md, section 9. They begin as all frames do, so that
 * both kinds can be told apart; of the twelve bytes none may be other than it is written here.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdint.h>

#include "base/payload.h"
#include "relay/noise.h"

enum secure_frame_type {
	SECURE_FRAME_INITIATE = 32, /* guest: message 1 of the handshake */
	SECURE_FRAME_RESPOND = 33,  /* bridge: message 2; its payload is the channel's number */
	SECURE_FRAME_DATA = 34,     /* both: a frame of the session, or nothing, encrypted */
};

#define SECURE_HEADER_SIZE 12
#define SECURE_PAYLOAD_SIZE 8 /* of message 2 */
#define SECURE_INITIATE_SIZE (SECURE_HEADER_SIZE + NOISE_FIRST_SIZE)
#define SECURE_RESPOND_SIZE (SECURE_HEADER_SIZE + NOISE_SECOND_SIZE + SECURE_PAYLOAD_SIZE)
#define SECURE_DATA_HEADER_SIZE (SECURE_HEADER_SIZE + 8)

/* A frame, taken apart; the views point into it. */
struct secure_frame {
	enum secure_frame_type type;
	uint64_t channel;            /* DATA */
	uint64_t counter;            /* DATA */
	struct payload_view header;  /* DATA: the bytes that are authenticated with the rest */
	struct payload_view content; /* a handshake message, or ciphertext and tag */
};

enum {
	SECURE_FRAME_MALFORMED = 1, /* of this layer, and not as it must be */
	SECURE_FRAME_FOREIGN = 2,   /* not of this layer */
};

/* Returns 0, SECURE_FRAME_MALFORMED or SECURE_FRAME_FOREIGN. */
int secure_frame_decode(struct payload_view bytes, struct secure_frame *frame);

/* Writes the header of a frame: SECURE_HEADER_SIZE, or SECURE_DATA_HEADER_SIZE bytes. */
void secure_frame_header(uint8_t *bytes, enum secure_frame_type type);
void secure_frame_data_header(uint8_t *bytes, uint64_t channel, uint64_t counter);

/* What both sides must agree on before the first message: Noise, section 6. */
struct payload_view secure_prologue(void);
