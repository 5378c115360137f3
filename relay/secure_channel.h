/*
 * One channel, after its handshake: two keys, two counters, an age. Shared by the two halves of
 * secure.h; nobody else includes this.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "relay/noise.h"
#include "relay/secure_frame.h"

struct secure_channel {
	uint64_t id;              /* 0: there is none */
	struct noise_key send;
	struct noise_key receive;
	uint64_t sent;            /* the counter of the next frame to send */
	uint64_t next;            /* the lowest counter to be taken */
	uint64_t began;           /* ms */
};

enum {
	CHANNEL_OVER = 1,          /* there is none, or it must not be used any more */
	CHANNEL_REPLAYED = 2,      /* the counter was here before, or is older */
	CHANNEL_UNDECRYPTABLE = 3,
};

/* Begins with a finished handshake, which is wiped. */
void secure_channel_begin(struct secure_channel *channel, uint64_t id, uint64_t now,
	struct noise_handshake *handshake, bool initiator);

/* Wipes. May be called twice. */
void secure_channel_end(struct secure_channel *channel);

/* Whether a successor is due, and whether it may no longer be used. */
bool secure_channel_is_worn(const struct secure_channel *channel, uint64_t now);
bool secure_channel_is_over(const struct secure_channel *channel, uint64_t now);

/*
 * Encrypts into frame, which is emptied before and has room for SECURE_OVERHEAD bytes more than
 * plaintext. Returns 0 or CHANNEL_OVER.
 */
int secure_channel_seal(struct secure_channel *channel, uint64_t now,
	struct payload_view plaintext, struct payload *frame);

/*
 * Decrypts a DATA frame of this channel into plaintext, which has room for it. Returns 0 or one of
 * the above; then nothing has changed.
 */
int secure_channel_open(struct secure_channel *channel, uint64_t now,
	const struct secure_frame *frame, struct payload *plaintext);
