/*
 * Frames in a stream. See frame_buffer.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/frame_buffer.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"

void frame_buffer_room(struct frame_buffer *buffer, uint8_t **room, size_t *size)
{
	*room = &buffer->bytes[buffer->size];
	*size = sizeof buffer->bytes - buffer->size;
}

void frame_buffer_filled(struct frame_buffer *buffer, size_t size)
{
	assert(size <= sizeof buffer->bytes - buffer->size);
	buffer->size += size;
}

int frame_buffer_first(const struct frame_buffer *buffer, struct payload_view *frame)
{
	struct cursor_in in = cursor_in(buffer->bytes, buffer->size);
	uint32_t size = in_le32(&in);

	if (!in_ok(&in))
		return FRAME_INCOMPLETE;
	if (size > FRAME_MAX)
		return FRAME_MALFORMED;
	frame->bytes = in_bytes(&in, size);
	frame->size = size;
	return in_ok(&in) ? 0 : FRAME_INCOMPLETE;
}

void frame_buffer_drop(struct frame_buffer *buffer)
{
	struct payload_view frame;
	size_t used, rest;

	if (frame_buffer_first(buffer, &frame) != 0)
		return;
	used = FRAME_PREFIX + frame.size;
	rest = buffer->size - used;
	memmove(buffer->bytes, &buffer->bytes[used], rest);
	payload_wipe(&buffer->bytes[rest], used);
	buffer->size = rest;
}

void frame_buffer_deinit(struct frame_buffer *buffer)
{
	payload_wipe(buffer->bytes, buffer->size);
	buffer->size = 0;
}

int frame_encode(const struct wire_message *message, uint8_t *bytes, size_t *size)
{
	struct cursor_out prefix = cursor_out(bytes, FRAME_PREFIX);
	size_t frame_size;

	if (wire_encode(message, &bytes[FRAME_PREFIX], WIRE_FRAME_MAX, &frame_size) != 0)
		return FRAME_TOO_LARGE;
	out_le32(&prefix, (uint32_t)frame_size);
	*size = FRAME_PREFIX + frame_size;
	return 0;
}
