/*
 * The layout of the secure channel's frames. See secure_frame.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/secure_frame.h"

#include <assert.h>

#include "base/cursor.h"
#include "relay/secure.h"
#include "relay/wire.h"

static_assert(SECURE_OVERHEAD == SECURE_DATA_HEADER_SIZE + NOISE_TAG_SIZE, "see DATA");

struct payload_view secure_prologue(void)
{
	/* The program, the protocol's major version, and who begins. */
	static const uint8_t prologue[] = {
		'c', 'c', 'i', 'd', '-', 'r', 'e', 'l', 'a', 'y', WIRE_MAJOR, 'g', 'u', 'e', 's', 't'
	};

	return (struct payload_view){ .bytes = prologue, .size = sizeof(prologue) };
}

static void put_header(struct cursor_out *out, enum secure_frame_type type, uint64_t channel)
{
	out_u8(out, WIRE_MAJOR);
	out_u8(out, (uint8_t)type);
	out_zeros(out, 2);
	out_le64(out, channel);
}

void secure_frame_header(uint8_t *bytes, enum secure_frame_type type)
{
	struct cursor_out out = cursor_out(bytes, SECURE_HEADER_SIZE);

	put_header(&out, type, 0);
}

void secure_frame_data_header(uint8_t *bytes, uint64_t channel, uint64_t counter)
{
	struct cursor_out out = cursor_out(bytes, SECURE_DATA_HEADER_SIZE);

	put_header(&out, SECURE_FRAME_DATA, channel);
	out_le64(&out, counter);
}

/* A handshake message has exactly one size. */
static int decode_handshake(struct cursor_in *in, size_t size, struct secure_frame *frame)
{
	if (frame->channel != 0 || in->left != size)
		return SECURE_FRAME_MALFORMED;
	frame->content = (struct payload_view){ .bytes = in_bytes(in, size), .size = size };
	return 0;
}

static int decode_data(struct cursor_in *in, struct payload_view bytes, struct secure_frame *frame)
{
	size_t size;

	frame->counter = in_le64(in);
	size = in->left;
	if (!in_ok(in) || size < NOISE_TAG_SIZE || bytes.size > WIRE_FRAME_MAX)
		return SECURE_FRAME_MALFORMED;
	frame->header = (struct payload_view){ bytes.bytes, SECURE_DATA_HEADER_SIZE };
	frame->content = (struct payload_view){ .bytes = in_bytes(in, size), .size = size };
	return 0;
}

int secure_frame_decode(struct payload_view bytes, struct secure_frame *frame)
{
	struct cursor_in in = cursor_in(bytes.bytes, bytes.size);
	uint8_t major = in_u8(&in), type = in_u8(&in);
	uint16_t reserved = in_le16(&in);

	*frame = (struct secure_frame){ .channel = in_le64(&in) };
	if (!in_ok(&in) || type < SECURE_FRAME_INITIATE || type > SECURE_FRAME_DATA)
		return SECURE_FRAME_FOREIGN;
	if (major != WIRE_MAJOR || reserved != 0)
		return SECURE_FRAME_MALFORMED;
	frame->type = (enum secure_frame_type)type;
	switch (frame->type) {
	case SECURE_FRAME_INITIATE:
		return decode_handshake(&in, NOISE_FIRST_SIZE, frame);
	case SECURE_FRAME_RESPOND:
		return decode_handshake(&in, NOISE_SECOND_SIZE + SECURE_PAYLOAD_SIZE, frame);
	case SECURE_FRAME_DATA:
		return decode_data(&in, bytes, frame);
	}
	return SECURE_FRAME_MALFORMED;
}
