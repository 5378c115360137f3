/*
 * The checked cursor: every access goes through in_bytes() or out_room(), which compare the length
 * before they move. Nothing else in the tree does arithmetic on a pointer into foreign bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/cursor.h"

#include <string.h>

struct cursor_in cursor_in(const void *bytes, size_t size)
{
	return (struct cursor_in){ .at = bytes, .left = size, .failed = bytes == NULL && size > 0 };
}

const uint8_t *in_bytes(struct cursor_in *in, size_t size)
{
	const uint8_t *bytes = in->at;

	if (in->failed || size > in->left) {
		in->failed = true;
		return NULL;
	}
	if (size > 0) {
		in->at += size;
		in->left -= size;
	}
	return bytes;
}

void in_copy(struct cursor_in *in, void *where, size_t size)
{
	const uint8_t *bytes = in_bytes(in, size);

	if (size == 0)
		return;
	if (bytes != NULL)
		memcpy(where, bytes, size);
	else
		memset(where, 0, size);
}

/* An unsigned little-endian integer of size bytes, size <= 8. */
static uint64_t in_little(struct cursor_in *in, size_t size)
{
	const uint8_t *bytes = in_bytes(in, size);
	uint64_t value = 0;

	if (bytes == NULL)
		return 0;
	for (size_t i = size; i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

uint8_t in_u8(struct cursor_in *in)
{
	return (uint8_t)in_little(in, 1);
}

uint16_t in_le16(struct cursor_in *in)
{
	return (uint16_t)in_little(in, 2);
}

uint32_t in_le32(struct cursor_in *in)
{
	return (uint32_t)in_little(in, 4);
}

uint64_t in_le64(struct cursor_in *in)
{
	return in_little(in, 8);
}

uint16_t in_be16(struct cursor_in *in)
{
	uint16_t swapped = in_le16(in);

	return (uint16_t)((swapped & 0xFFU) << 8 | swapped >> 8);
}

bool in_ok(const struct cursor_in *in)
{
	return !in->failed;
}

bool in_done(const struct cursor_in *in)
{
	return !in->failed && in->left == 0;
}

struct cursor_out cursor_out(void *bytes, size_t capacity)
{
	return (struct cursor_out){ .start = bytes, .capacity = capacity };
}

uint8_t *out_room(struct cursor_out *out, size_t size)
{
	uint8_t *room;

	if (out->failed || size > out->capacity - out->size) {
		out->failed = true;
		return NULL;
	}
	room = out->start + out->size;
	out->size += size;
	return room;
}

static void out_little(struct cursor_out *out, uint64_t value, size_t size)
{
	uint8_t *room = out_room(out, size);

	for (size_t i = 0; room != NULL && i < size; i++)
		room[i] = (uint8_t)(value >> (8 * i));
}

void out_u8(struct cursor_out *out, uint8_t value)
{
	out_little(out, value, 1);
}

void out_le16(struct cursor_out *out, uint16_t value)
{
	out_little(out, value, 2);
}

void out_le32(struct cursor_out *out, uint32_t value)
{
	out_little(out, value, 4);
}

void out_le64(struct cursor_out *out, uint64_t value)
{
	out_little(out, value, 8);
}

void out_be16(struct cursor_out *out, uint16_t value)
{
	out_u8(out, (uint8_t)(value >> 8));
	out_u8(out, (uint8_t)(value & 0xFF));
}

void out_bytes(struct cursor_out *out, const void *bytes, size_t size)
{
	uint8_t *room;

	if (size == 0)
		return;
	room = out_room(out, size);
	if (room != NULL)
		memcpy(room, bytes, size);
}

void out_zeros(struct cursor_out *out, size_t size)
{
	uint8_t *room;

	if (size == 0)
		return;
	room = out_room(out, size);
	if (room != NULL)
		memset(room, 0, size);
}

bool out_ok(const struct cursor_out *out)
{
	return !out->failed;
}
