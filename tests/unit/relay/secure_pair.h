/*
 * A guest and a bridge of the secure channel with keys and randomness that are the same in each
 * run, for its tests. Frames are copied, each into a buffer of its own size.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/secure.h"
#include "relay/secure_frame.h"

#define PAIR_GUESTS 3 /* that the bridge lists: key_of(0) ... key_of(2) */

struct frame {
	uint8_t *bytes;
	size_t size;
};

/* A key pair by its number; the bridge's is KEY_BRIDGE. */
#define KEY_BRIDGE 100
struct key_pair key_of(unsigned int number);

/* Random bytes that were never given out before. */
struct secure_fresh fresh_bytes(void);

struct frame frame_copy(struct payload_view view);
struct frame frame_free(struct frame frame);
struct payload_view frame_view(struct frame frame);

/* Makes both sides; nothing has been said. */
struct secure_bridge *pair_bridge(void);
struct secure_guest *pair_guest(unsigned int key, unsigned int bridge_key);

/* The next frame of the guest, handshakes and all, after its deadlines up to now; size 0: none. */
struct frame guest_next(struct secure_guest *guest, uint64_t now);

/* What the guest sends for this text, once it has a channel. */
struct frame guest_says(struct secure_guest *guest, uint64_t now, const char *text);

/* The answer of the bridge to a message 1; fails the test if there is none. */
struct frame bridge_answers(struct secure_bridge *bridge, uint64_t now, struct frame frame);

/* What becomes of a frame at the bridge, and the text in it and its channel if it is good. */
int bridge_hears(struct secure_bridge *bridge, uint64_t now, struct frame frame, char text[64],
	struct secure_received *received);

/* The same at the guest. */
int guest_hears(struct secure_guest *guest, uint64_t now, struct frame frame, char text[64]);

/* What the bridge sends for this text in this channel. */
struct frame bridge_says(struct secure_bridge *bridge, uint64_t now, uint64_t channel,
	const char *text);

/* Opens a channel, with "hello" as its first frame; returns its number. */
uint64_t pair_open(struct secure_guest *guest, struct secure_bridge *bridge, uint64_t now);

/* Both ways, in a channel that is open: it works, undisturbed. */
void pair_works(struct secure_guest *guest, struct secure_bridge *bridge, uint64_t now,
	uint64_t channel);
