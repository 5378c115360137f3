/*
 * The secure channel between session and link: only the right bridge, only a listed guest, nobody
 * in between. Two halves, both sans-I/O: frames of the session and of the link, the time
 * (milliseconds of a monotonic clock) and random bytes go in; the same, unpacked or packed, comes
 * out.
 *
 *   - The guest pins the bridge's public key and begins; the bridge has a list of guests' keys.
 *     Keys are agreed on by Noise_IK_25519_ChaChaPoly_SHA256 (noise.h), frames are in
 *     secure_frame.h.
 *   - The bridge's answer makes a *tentative* channel. It changes nothing until a frame comes in
 *     it: who only repeats a recorded message 1 can't send one. At most SECURE_TENTATIVE_MAX wait
 *     at a time, for SECURE_ATTEMPT; without room, the guest that has most of them loses its
 *     oldest.
 *   - Each frame has a counter, which is its nonce; only one that is higher than all before it is
 *     taken. Links lose frames, so gaps are no fault. What the session repeats is encrypted anew.
 *   - A channel is replaced after SECURE_WORN_AGE or SECURE_WORN_FRAMES, when the guest hears
 *     nothing for SECURE_SILENCE, and never used after SECURE_OVER_AGE or SECURE_OVER_FRAMES. The
 *     session goes on over the new one and notices nothing.
 *   - What can't be decrypted is dropped without an answer, and counted.
 *
 * It protects from everybody who doesn't hold one of the private keys. It doesn't hide sizes and
 * times, and who can stop frames can stop them all.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "relay/key.h"
#include "relay/wire.h"

#define SECURE_OVERHEAD 36 /* bytes that a frame grows by */
#define SECURE_PLAINTEXT_MAX (WIRE_FRAME_MAX - SECURE_OVERHEAD)

#define SECURE_REPEAT 1000        /* ms without an answer: message 1 is sent again */
#define SECURE_REPEAT_FIRST 100   /* ms to the first repetition over a new link; then doubles */
#define SECURE_ATTEMPT 5000       /* ms that a message 1, and the tentative channel for it, live */
#define SECURE_SILENCE 3000       /* ms without a frame from the bridge: a new handshake */
#define SECURE_FORMER 5000        /* ms that frames of the channel before are still taken */
#define SECURE_TENTATIVE_MAX 16   /* tentative channels of all guests together */
#define SECURE_CHANNELS_MAX 3     /* channels of one guest; the session's stays, of the others the one
                                     unheard for longest goes */
#define SECURE_WORN_AGE 3600000   /* ms: a new handshake is due */
#define SECURE_OVER_AGE 3660000   /* ms: nothing is sent or taken any more */
#define SECURE_WORN_FRAMES (UINT64_C(1) << 32)
#define SECURE_OVER_FRAMES (SECURE_WORN_FRAMES + (UINT64_C(1) << 24))

#define SECURE_NEVER UINT64_MAX   /* a deadline that never comes */

enum {
	SECURE_NOTHING = 1,     /* the frame was for the channel itself */
	SECURE_HELD = 2,        /* no channel is open: kept until one is, in the place of an older one */
	SECURE_DROPPED = 3,     /* malformed, undecryptable, old, or too much */
	SECURE_PLAIN = 4,       /* not a frame of this layer at all */
	SECURE_ANSWER = 5,      /* a handshake: send the answer to where the frame came from */
	SECURE_NOT_OURS = 6,    /* a handshake that our key doesn't open */
	SECURE_UNKNOWN_KEY = 7, /* a handshake by somebody who is not listed */
	SECURE_NO_CHANNEL = 8,  /* there is no such channel, or no longer */
};

/* Random bytes for one handshake; never used twice. */
struct secure_fresh {
	struct private_key ephemeral;
	uint64_t channel; /* bridge: the number of the channel */
};

/* Frames that were dropped, by reason, since the start. */
struct secure_counts {
	uint64_t malformed;
	uint64_t undecryptable;
	uint64_t replayed;    /* the counter is not higher than the last */
	uint64_t no_channel;  /* of a channel that is unknown, or over */
	uint64_t not_ours;
	uint64_t unknown_key;
	uint64_t unfinished;  /* bridge: handshakes that were answered, and never ended */
};

/* ---- the guest's half ---- */

struct secure_guest;

/* Makes the guest's half, without a channel; both keys are copied. Fatal: -ENOMEM. */
int secure_guest_new(struct secure_guest **guest, const struct key_pair *own,
	const struct public_key *bridge);

/* Wipes and frees; returns NULL. May be called with NULL. */
struct secure_guest *secure_guest_free(struct secure_guest *guest);

/*
 * Packs a frame of the session; *frame is valid until the next call of this or of
 * secure_guest_pop_frame(). Returns 0, or SECURE_HELD: it will come out of secure_guest_pop_frame()
 * when there is a channel. Fatal: -EMSGSIZE for more than SECURE_PLAINTEXT_MAX bytes.
 */
int secure_guest_seal(struct secure_guest *guest, uint64_t now, struct payload_view plaintext,
	struct payload_view *frame);

/*
 * Unpacks a frame of the link into plaintext, of capacity SECURE_PLAINTEXT_MAX, which the caller
 * clears when it is done. Returns 0, SECURE_NOTHING, SECURE_PLAIN or SECURE_DROPPED.
 */
int secure_guest_receive(struct secure_guest *guest, uint64_t now, struct payload_view frame,
	struct payload *plaintext);

/*
 * Time has passed: call it when now >= secure_guest_deadline(). fresh is used up when
 * a handshake begins; bring new bytes each time.
 */
void secure_guest_tick(struct secure_guest *guest, uint64_t now, const struct secure_fresh *fresh);
uint64_t secure_guest_deadline(const struct secure_guest *guest);

/* The next frame to send that belongs to the channel itself, or was held; or false. */
bool secure_guest_pop_frame(struct secure_guest *guest, uint64_t now, struct payload_view *frame);

/* The link has been made anew: what waits for an answer is repeated soon. */
void secure_guest_relinked(struct secure_guest *guest, uint64_t now);

/* Whether the bridge has answered a handshake. */
bool secure_guest_is_open(const struct secure_guest *guest);

const struct secure_counts *secure_guest_counts(const struct secure_guest *guest);

/* ---- the bridge's half: one object for all guests ---- */

struct secure_bridge;

struct secure_received {
	size_t guest;               /* 0: index in the list of keys */
	uint64_t channel;           /* 0: of the frame; for the answer */
	bool confirmed;             /* 0: it is the first frame of this channel */
	struct payload_view answer; /* SECURE_ANSWER: the frame to send; valid until the next call */
};

/*
 * Makes the bridge's half for count guests, none of whose keys may be there twice; keys are copied.
 * Fatal: -ENOMEM.
 */
int secure_bridge_new(struct secure_bridge **bridge, const struct key_pair *own,
	const struct public_key *guests, size_t count);

/* Wipes and frees; returns NULL. May be called with NULL. */
struct secure_bridge *secure_bridge_free(struct secure_bridge *bridge);

/* Whether a frame would begin a handshake, which costs more than any other. */
bool secure_is_initiate(struct payload_view frame);

/*
 * Unpacks a frame of the link into plaintext, of capacity SECURE_PLAINTEXT_MAX, which the caller
 * clears when it is done; it may be empty. fresh is used up by a handshake; bring new bytes each
 * time. Returns 0, SECURE_ANSWER, SECURE_DROPPED, SECURE_PLAIN, SECURE_NOT_OURS or
 * SECURE_UNKNOWN_KEY; see there what is set in received.
 */
int secure_bridge_receive(struct secure_bridge *bridge, uint64_t now,
	const struct secure_fresh *fresh, struct payload_view frame, struct payload *plaintext,
	struct secure_received *received);

/*
 * The session was heard in this channel: it stays, whatever other channels its guest's key opens, until
 * another one is held. Nothing happens if there is no such channel.
 */
void secure_bridge_hold(struct secure_bridge *bridge, uint64_t channel);

/*
 * Packs a frame of a session for this channel; *frame is valid until the next call. Returns 0 or
 * SECURE_NO_CHANNEL. Fatal: -EMSGSIZE for more than SECURE_PLAINTEXT_MAX bytes.
 */
int secure_bridge_seal(struct secure_bridge *bridge, uint64_t now, uint64_t channel,
	struct payload_view plaintext, struct payload_view *frame);

/* Time has passed: what is over is wiped. Call it when now >= secure_bridge_deadline(). */
void secure_bridge_tick(struct secure_bridge *bridge, uint64_t now);
uint64_t secure_bridge_deadline(const struct secure_bridge *bridge);

const struct secure_counts *secure_bridge_counts(const struct secure_bridge *bridge);
