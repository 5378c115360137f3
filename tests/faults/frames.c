/*
 * nanomsg's framing. See frames.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/faults/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

#define FRAMES_TYPE 0x01

void frames_init(struct frames *frames)
{
	frames->greeted = false;
	frames->used = 0;
}

uint8_t *frames_room(struct frames *frames, size_t *size)
{
	*size = sizeof(frames->bytes) - frames->used;
	return &frames->bytes[frames->used];
}

void frames_added(struct frames *frames, size_t size)
{
	frames->used += size;
}

/* The size of the frame that begins the buffer. Returns 0, FRAMES_MORE or FRAMES_FOREIGN. */
static int frames_size(const struct frames *frames, size_t *size)
{
	struct cursor_in in = cursor_in(frames->bytes, frames->used);
	uint64_t length = 0;

	if (!frames->greeted) {
		*size = FRAMES_GREETING;
		return frames->used < *size ? FRAMES_MORE : 0;
	}
	if (in_u8(&in) != FRAMES_TYPE && in_ok(&in))
		return FRAMES_FOREIGN;
	for (int i = 0; i < 4; i++)
		length = length << 16 | in_be16(&in);
	if (!in_ok(&in))
		return FRAMES_MORE;
	if (length > sizeof(frames->bytes) - FRAMES_HEADER)
		return FRAMES_FOREIGN;
	*size = FRAMES_HEADER + (size_t)length;
	return frames->used < *size ? FRAMES_MORE : 0;
}

static struct frame *frame_new(const uint8_t *bytes, size_t size)
{
	struct frame *frame = calloc(1, sizeof(*frame) + size);

	if (frame == NULL)
		return NULL;
	frame->size = size;
	memcpy(frame->bytes, bytes, size);
	return frame;
}

int frames_next(struct frames *frames, struct frame **frame)
{
	size_t size;
	int r = frames_size(frames, &size);

	if (r != 0)
		return r;
	*frame = frame_new(frames->bytes, size);
	if (*frame == NULL)
		return -ENOMEM;
	(*frame)->greeting = !frames->greeted;
	frames->greeted = true;
	frames->used -= size;
	memmove(frames->bytes, &frames->bytes[size], frames->used);
	return 0;
}

struct frame *frame_copy(const struct frame *frame)
{
	struct frame *copy = frame_new(frame->bytes, frame->size);

	if (copy != NULL)
		copy->due = frame->due;
	return copy;
}

bool frame_body(const struct frame *frame, const uint8_t **bytes, size_t *size)
{
	struct cursor_in in = cursor_in(frame->bytes, frame->size);

	if (frame->greeting || in_bytes(&in, FRAMES_HEADER + FRAMES_SP_HEADER) == NULL)
		return false;
	*size = in.left;
	*bytes = in_bytes(&in, in.left);
	return true;
}
