/*
 * The one way to read and write bytes that cross a border.
 *
 * A cursor walks over a buffer that somebody else owns, and it can't leave it: a read beyond the end
 * yields zeros, a write beyond it is dropped, and both mark the cursor as failed for good. So a
 * decoder reads all of its fields in a row and asks once, at the end: in_done() for "everything was
 * there and nothing is left over", in_ok() where the rest belongs to the next reader.
 *
 * Integers are little-endian on USB and on our wire, big-endian in APDUs and in vpcd's protocol; the
 * name of the call says which.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor_in {
	const uint8_t *at;
	size_t left;
	bool failed;
};

struct cursor_out {
	uint8_t *start;
	size_t size;     /* bytes written so far */
	size_t capacity;
	bool failed;
};

/* Starts reading at bytes; size of them may be read. bytes may be NULL when size is 0. */
struct cursor_in cursor_in(const void *bytes, size_t size);

uint8_t in_u8(struct cursor_in *in);
uint16_t in_le16(struct cursor_in *in);
uint32_t in_le32(struct cursor_in *in);
uint64_t in_le64(struct cursor_in *in);
uint16_t in_be16(struct cursor_in *in);

/*
 * The next size bytes, in place, or NULL (and failed) when fewer are left. The pointer lives as long
 * as the buffer under the cursor. For size 0 the result may point at the end of the buffer.
 */
const uint8_t *in_bytes(struct cursor_in *in, size_t size);

/* Copies the next size bytes to where; when fewer are left, where is filled with zeros. */
void in_copy(struct cursor_in *in, void *where, size_t size);

/* Whether every read so far was covered by the buffer. */
bool in_ok(const struct cursor_in *in);

/* Whether every read was covered and the buffer is used up: trailing bytes are an error. */
bool in_done(const struct cursor_in *in);

/* Starts writing at bytes; at most capacity bytes will be written. */
struct cursor_out cursor_out(void *bytes, size_t capacity);

void out_u8(struct cursor_out *out, uint8_t value);
void out_le16(struct cursor_out *out, uint16_t value);
void out_le32(struct cursor_out *out, uint32_t value);
void out_le64(struct cursor_out *out, uint64_t value);
void out_be16(struct cursor_out *out, uint16_t value);

/* Appends size bytes; bytes may be NULL when size is 0. */
void out_bytes(struct cursor_out *out, const void *bytes, size_t size);

/* Appends size zero bytes. */
void out_zeros(struct cursor_out *out, size_t size);

/* Appends size bytes, which the caller fills in. NULL (and failed) without room. */
uint8_t *out_room(struct cursor_out *out, size_t size);

/* Whether everything written so far fitted. out->size is meaningful only then. */
bool out_ok(const struct cursor_out *out);
