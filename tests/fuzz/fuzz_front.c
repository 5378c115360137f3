/*
 * Fuzzes what core reads from a front: a stream that comes in pieces. Each record that is taken
 * fits its bounds, and encodes to the bytes that it came from.
 *
 * The first byte of the input is the size of the pieces.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "host-bridge/frame_buffer.h"
#include "host-bridge/front_record.h"

static struct frame_buffer buffer;
static uint8_t again[FRAME_PREFIX + FRONT_RECORD_MAX];

static void check_record(struct payload_view frame)
{
	struct front_record record;
	size_t size = 0;

	if (front_record_decode(frame, &record) != 0)
		return;
	assert(record.route.size <= LINK_ROUTE_MAX);
	assert(record.content.size <= WIRE_FRAME_MAX);
	assert(front_record_encode(&record, again, &size) == 0);
	assert(size == FRAME_PREFIX + frame.size);
	assert(memcmp(&again[FRAME_PREFIX], frame.bytes, frame.size) == 0);
}

/* Returns whether the stream can still be read. */
static bool take_frames(void)
{
	struct payload_view frame;
	int r;

	while ((r = frame_buffer_first(&buffer, &frame)) == 0) {
		check_record(frame);
		frame_buffer_drop(&buffer);
	}
	return r == FRAME_INCOMPLETE;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	size_t piece = size > 0 ? (size_t)bytes[0] + 1 : 1;
	size_t at = 1, room_size;
	uint8_t *room;
	bool good = true;

	while (at < size && good) {
		size_t n = size - at < piece ? size - at : piece;

		frame_buffer_room(&buffer, &room, &room_size);
		assert(room_size > 0);
		n = n < room_size ? n : room_size;
		memcpy(room, &bytes[at], n);
		frame_buffer_filled(&buffer, n);
		at += n;
		good = take_frames();
	}
	frame_buffer_deinit(&buffer);
	return 0;
}
