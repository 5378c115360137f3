/*
 * What core says of frames that it doesn't take. Anybody may send them, as often as he likes, so
 * each kind is said once, and then at most once in REFUSALS_INTERVAL with the number of those that
 * came meanwhile. Nothing that was sent is repeated. Sans-I/O but for the log.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdint.h>

#define REFUSALS_INTERVAL 60000 /* ms */

enum refusal {
	REFUSAL_UNKNOWN_KEY, /* a handshake by a guest that isn't listed */
	REFUSAL_NOT_OURS,    /* a handshake for another bridge's key, or damaged */
	REFUSAL_DROPPED,     /* malformed, undecryptable, replayed */
	REFUSAL_PLAIN,       /* not encrypted, where it must be */
	REFUSAL_UNFINISHED,  /* a handshake under a listed key that was not ended in time */
	REFUSAL_TOO_MANY,    /* a handshake too many, over one connection or all together */
	REFUSAL_COUNT,
};

struct refusals {
	uint64_t said_at[REFUSAL_COUNT]; /* ms */
	uint64_t since[REFUSAL_COUNT];   /* that were not said */
	uint64_t total[REFUSAL_COUNT];
};

/* A frame was not taken; now is in ms. */
void refusals_add(struct refusals *refusals, enum refusal refusal, uint64_t now);
