/*
 * A link in memory that does on purpose what nanomsg does by nature: it loses, repeats, delays and
 * so reorders frames, and can be cut. All by a seed: the same seed and the same calls give the same
 * run. Time is given to it, in ms.
 *
 * One bridge and any number of guests, one link after the other: a link that is closed gets nothing
 * any more, but what it has sent may still arrive, as frames do that wait in a kernel's buffer.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/link.h"

/*
 * How bad the network is. Frames on one way arrive in order, as in a connection, but for the late
 * ones: these come from an older connection, so to speak.
 */
struct memory_faults {
	unsigned lose;      /* of 1000 frames */
	unsigned repeat;    /* of 1000 frames, a second time, with a delay of its own */
	unsigned late;      /* of 1000 frames: these take up to late_most ms, and may be overtaken */
	uint64_t late_most;
	uint64_t delay_most; /* ms, for all other frames */
};

struct memory_net;

/* Fails the running test when memory is short. */
struct memory_net *memory_net_new(uint64_t seed);
void memory_net_free(struct memory_net *net);

/* From now on. */
void memory_net_set_faults(struct memory_net *net, const struct memory_faults *faults);

/* While it is cut, every frame is lost. */
void memory_net_cut(struct memory_net *net, bool cut);

/* The time, which never goes back. */
void memory_net_set_time(struct memory_net *net, uint64_t now);

/* When the next frame arrives anywhere, or UINT64_MAX. */
uint64_t memory_net_next(const struct memory_net *net);

/* How many frames were sent, and how many of them were lost. */
void memory_net_count(const struct memory_net *net, uint64_t *sent, uint64_t *lost);

/* Opens a link; to be closed before its net is freed. There is one bridge at a time. */
struct link *link_open_memory(struct memory_net *net, bool bridge);

/* What nanomsg's zombies do: the link looks open, and loses all frames until it is closed. */
void memory_link_wedge(struct link *link);

/* The next number of a sequence that depends on the seed alone, below bound. */
uint64_t memory_net_random(struct memory_net *net, uint64_t bound);
