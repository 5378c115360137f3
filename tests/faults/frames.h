/*
 * nanomsg's byte stream over ipc:// as frames: a greeting of 8 bytes, then for each message a byte
 * 01, its length in 8 bytes, big-endian, and its body (nanomsg's rfc/sp-ipc-mapping-01).
 *
 * A frame here is everything as it is on the wire, so that what a proxy passes on is what it got.
 * The body begins with the SP header: one word of 4 bytes between raw REQ and raw REP.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMES_GREETING 8
#define FRAMES_HEADER 9   /* type and length */
#define FRAMES_SP_HEADER 4
#define FRAMES_MAX 131072 /* bytes of a frame; the relay's have at most 70 KiB */

struct frame {
	struct frame *next;
	uint64_t due;   /* ms: not to be passed on before */
	bool greeting;
	bool marked;    /* it carries what a hold waits for */
	size_t size;
	uint8_t bytes[];
};

/* What has come of the next frame. */
struct frames {
	bool greeted;
	size_t used;
	uint8_t bytes[FRAMES_MAX];
};

enum {
	FRAMES_MORE = 1,    /* the next frame is not complete */
	FRAMES_FOREIGN = 2, /* this is not nanomsg's framing, or too large */
};

void frames_init(struct frames *frames);

/* Where to put the next bytes, and how many fit. */
uint8_t *frames_room(struct frames *frames, size_t *size);

/* size bytes were put there. */
void frames_added(struct frames *frames, size_t size);

/*
 * Takes the next frame off; it is the caller's, to be freed by free(). Returns 0, FRAMES_MORE or
 * FRAMES_FOREIGN. Fatal: -ENOMEM.
 */
int frames_next(struct frames *frames, struct frame **frame);

/* A copy, or NULL without memory. */
struct frame *frame_copy(const struct frame *frame);

/* The message without the framing and the SP header; false when there is none. */
bool frame_body(const struct frame *frame, const uint8_t **bytes, size_t *size);
