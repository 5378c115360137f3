/*
 * The codec of the front's records. See front_record.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/front_record.h"

#include <assert.h>
#include <stdbool.h>

#include "base/cursor.h"
#include "host-bridge/frame_buffer.h"

static_assert(FRONT_RECORD_MAX <= FRAME_MAX, "every record must fit into a frame of the pipe");

static bool record_is_possible(const struct front_record *record)
{
	switch (record->type) {
	case FRONT_FRAME:
		return record->route.size <= LINK_ROUTE_MAX &&
			record->content.size <= WIRE_FRAME_MAX;
	case FRONT_READY:
	case FRONT_PING:
		return record->route.size == 0 && record->content.size == 0;
	case FRONT_PROBLEM:
		return record->route.size == 0 && record->content.size <= FRONT_PROBLEM_MAX;
	}
	return false;
}

int front_record_decode(struct payload_view bytes, struct front_record *record)
{
	struct cursor_in in = cursor_in(bytes.bytes, bytes.size);

	*record = (struct front_record){ .type = (enum front_record_type)in_u8(&in) };
	record->route.size = in_u8(&in);
	if (!in_ok(&in) || record->route.size > LINK_ROUTE_MAX)
		return FRONT_RECORD_MALFORMED;
	in_copy(&in, record->route.bytes, record->route.size);
	record->content.size = in.left;
	record->content.bytes = in_bytes(&in, in.left);
	return in_done(&in) && record_is_possible(record) ? 0 : FRONT_RECORD_MALFORMED;
}

int front_record_encode(const struct front_record *record, uint8_t *bytes, size_t *size)
{
	struct cursor_out out = cursor_out(bytes, FRAME_PREFIX + FRONT_RECORD_MAX);

	if (!record_is_possible(record))
		return FRONT_RECORD_MALFORMED;
	out_le32(&out, (uint32_t)(2 + record->route.size + record->content.size));
	out_u8(&out, (uint8_t)record->type);
	out_u8(&out, (uint8_t)record->route.size);
	out_bytes(&out, record->route.bytes, record->route.size);
	out_bytes(&out, record->content.bytes, record->content.size);
	assert(out_ok(&out));
	*size = out.size;
	return 0;
}
