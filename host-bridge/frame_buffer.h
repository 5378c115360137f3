/*
 * Frames on a pipe between core and one of its child processes: the relay's own frames
 * (relay/wire.h), those of the front with a few bytes around them (front_record.h), each with its
 * length in front, le32. The pipe is a stream, so what is read is gathered here until a frame is
 * whole. Sans-I/O; frames hold payloads and are wiped when they are dropped.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "relay/wire.h"

#define FRAME_PREFIX 4                   /* bytes of the length */
#define FRAME_MAX (WIRE_FRAME_MAX + 64)  /* bytes behind it */

struct frame_buffer {
	uint8_t bytes[FRAME_PREFIX + FRAME_MAX];
	size_t size; /* bytes gathered so far */
};

enum {
	FRAME_INCOMPLETE = 1, /* more has to be read */
	FRAME_MALFORMED = 2,  /* a length beyond FRAME_MAX: the stream is lost */
	FRAME_TOO_LARGE = 3,  /* the message doesn't fit into a frame */
};

/* Where to read to, and how much at most. Not empty while no whole frame is there. */
void frame_buffer_room(struct frame_buffer *buffer, uint8_t **room, size_t *size);

/* size bytes were read to that place. */
void frame_buffer_filled(struct frame_buffer *buffer, size_t size);

/*
 * The first whole frame, without its prefix; valid until it is dropped. Returns 0, FRAME_INCOMPLETE
 * or FRAME_MALFORMED.
 */
int frame_buffer_first(const struct frame_buffer *buffer, struct payload_view *frame);

/* Wipes and removes the first frame, which must be whole. */
void frame_buffer_drop(struct frame_buffer *buffer);

/* Wipes everything. */
void frame_buffer_deinit(struct frame_buffer *buffer);

/*
 * Encodes message with its prefix into bytes, of FRAME_PREFIX + WIRE_FRAME_MAX. Returns 0 or
 * FRAME_TOO_LARGE.
 */
int frame_encode(const struct wire_message *message, uint8_t *bytes, size_t *size);
