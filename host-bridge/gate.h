/*
 * The gate of core: every frame from a front comes in here, and every frame to one goes out.
 * Behind it are only frames of which is known whose they are: of the guest whose key they were
 * encrypted with, or, over ipc:// and not encrypted, of one of those with auth = none.
 *
 * It holds the bridge's private key, and what it drops is counted and said (refusals.h).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "host-bridge/config.h"
#include "host-bridge/handshake_limit.h"
#include "host-bridge/refusals.h"
#include "relay/secure.h"

#define GATE_ANYONE SIZE_MAX /* a guest with auth = none, by what it says */

enum {
	GATE_SHUT = 1,   /* nothing came in, or nothing goes out */
	GATE_ANSWER = 2, /* a handshake: view is to be sent back */
};

struct gate {
	struct secure_bridge *secure; /* NULL: no guest has a key */
	size_t *guests;               /* of the configuration, by the number of their key */
	struct payload plaintext;     /* of the frame that is being handled */
	struct handshake_limit limit;
	struct refusals refusals;
	uint64_t unfinished;          /* handshakes, as far as they were said */
};

#define GATE_NULL ((struct gate){ .secure = NULL })

/* What came in. */
struct gate_frame {
	size_t guest;             /* index in the configuration, or GATE_ANYONE */
	uint64_t channel;         /* for the answer; 0: not encrypted */
	struct payload_view view; /* valid until gate_done() */
};

/* own is needed, and copied, if config is keyed. gate is GATE_NULL. Fatal: -ENOMEM. */
int gate_init(struct gate *gate, const struct bridge_config *config, const struct key_pair *own);

/* Wipes and frees; may be called twice. */
void gate_deinit(struct gate *gate);

/*
 * A frame has come, over ipc:// or not, and over this connection, which is any number that tells it
 * from others; now is in ms. Returns 0, GATE_ANSWER or GATE_SHUT; unless
 * that, frame is set.
 */
int gate_in(struct gate *gate, uint64_t now, bool over_ipc, uint32_t connection,
	struct payload_view bytes, struct gate_frame *frame);

/* The frame was handled: it is wiped. */
void gate_done(struct gate *gate);

/*
 * Encrypts a frame for this channel, or leaves it as it is for channel 0; *out is valid until the
 * next call. Returns 0 or GATE_SHUT: there is no such channel any more.
 */
int gate_out(struct gate *gate, uint64_t now, uint64_t channel, struct payload_view frame,
	struct payload_view *out);

/* A session was heard in this channel (0: in none): see secure_bridge_hold(). */
void gate_hold(struct gate *gate, uint64_t channel);

/* Time has passed: call it when now >= gate_deadline(). */
void gate_tick(struct gate *gate, uint64_t now);
uint64_t gate_deadline(const struct gate *gate);
