/*
 * The codec: walks the table of messages over a cursor, in one direction or the other.
 *
 * The decoder compares every length and count with its bound before it uses it, and asks the cursor
 * once, at the end, whether everything was there. It refuses what it can't represent exactly (a
 * zero inside a string, more readers than fit) instead of cutting it. It doesn't judge values: an
 * unknown operation or outcome is for the session and its user.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/wire.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"
#include "relay/wire_table.h"

struct header {
	uint8_t major;
	uint8_t type;
	uint8_t minor;
	uint8_t has; /* the fields of this minor version are there */
	uint64_t session;
};

/* Where a member of a message's struct lies. */
static void *member(void *where, size_t offset)
{
	return (uint8_t *)where + offset;
}

static const void *const_member(const void *where, size_t offset)
{
	return (const uint8_t *)where + offset;
}

/* Reads a u8 that must not exceed bound; what exceeds it reads as 0 and fails the cursor. */
static uint8_t in_count(struct cursor_in *in, size_t bound)
{
	uint8_t count = in_u8(in);

	if (count > bound)
		in->failed = true;
	return in->failed ? 0 : count;
}

static void decode_string(struct cursor_in *in, const struct wire_field *field, char *text)
{
	uint8_t size = in_count(in, field->bound - 1);

	in_copy(in, text, size);
	if (memchr(text, '\0', size) != NULL)
		in->failed = true;
}

static void decode_payload(struct cursor_in *in, const struct wire_field *field,
	struct payload_view *view)
{
	uint32_t size = in_le32(in);

	if (size > field->bound)
		in->failed = true;
	view->bytes = in_bytes(in, size);
	view->size = view->bytes != NULL ? size : 0;
}

static void decode_layout(struct cursor_in *in, const struct header *header,
	const struct wire_layout *layout, void *where);

static void decode_field(struct cursor_in *in, const struct header *header,
	const struct wire_field *field, void *where)
{
	void *value = member(where, field->offset);
	uint8_t *count = member(where, field->count_offset);

	switch (field->kind) {
	case WIRE_FIELD_MAJOR:
		*(uint8_t *)value = header->major;
		break;
	case WIRE_FIELD_MINOR:
		*(uint8_t *)value = header->minor;
		break;
	case WIRE_FIELD_U8:
		*(uint8_t *)value = in_u8(in);
		break;
	case WIRE_FIELD_U32:
		*(uint32_t *)value = in_le32(in);
		break;
	case WIRE_FIELD_U64:
		*(uint64_t *)value = in_le64(in);
		break;
	case WIRE_FIELD_STRING:
		decode_string(in, field, value);
		break;
	case WIRE_FIELD_BYTES:
		*count = in_count(in, field->bound);
		in_copy(in, value, *count);
		break;
	case WIRE_FIELD_PAYLOAD:
		decode_payload(in, field, value);
		break;
	case WIRE_FIELD_GROUP:
		decode_layout(in, header, field->layout, value);
		break;
	case WIRE_FIELD_LIST:
		*count = in_count(in, field->bound);
		for (size_t i = 0; i < *count; i++)
			decode_layout(in, header, field->layout, member(value, i * field->layout->size));
		break;
	}
}

static void decode_layout(struct cursor_in *in, const struct header *header,
	const struct wire_layout *layout, void *where)
{
	for (size_t i = 0; i < layout->count; i++) {
		/* What an older version doesn't have stays 0, or empty (PROTOCOL.md, 3). */
		if (layout->fields[i].since <= header->has)
			decode_field(in, header, &layout->fields[i], where);
	}
}

/* PROTOCOL.md, 2: these bytes are the same in all versions. */
static struct header decode_header(struct cursor_in *in)
{
	struct header header = { .major = 0 };

	header.major = in_u8(in);
	header.type = in_u8(in);
	header.minor = in_u8(in);
	header.has = header.major == WIRE_MAJOR ? header.minor : 0;
	(void)in_u8(in);
	header.session = in_le64(in);
	return header;
}

/*
 * A frame of another major version. REFUSED may grow but never changes, so that each side can read
 * why the other won't talk to it; of all other types only the header can be read.
 */
static int decode_foreign(struct cursor_in *in, const struct header *header,
	struct wire_message *message)
{
	if (header->type == WIRE_REFUSED) {
		decode_layout(in, header, wire_layout_of(WIRE_REFUSED), &message->refused);
		return in_ok(in) ? 0 : WIRE_MALFORMED;
	}
	message->hello.major = header->major;
	message->hello.minor = header->minor;
	return WIRE_FOREIGN_VERSION;
}

int wire_decode(const void *bytes, size_t size, struct wire_message *message)
{
	struct cursor_in in = cursor_in(bytes, size);
	const struct header header = decode_header(&in);
	const struct wire_layout *layout = wire_layout_of(header.type);

	memset(message, 0, sizeof(*message));
	if (!in_ok(&in) || size > WIRE_FRAME_MAX)
		return WIRE_MALFORMED;
	message->type = header.type;
	message->session = header.session;
	if (header.major != WIRE_MAJOR)
		return decode_foreign(&in, &header, message);
	if (layout == NULL)
		return WIRE_UNKNOWN_TYPE;
	decode_layout(&in, &header, layout, &message->hello);
	/* A newer minor version may have appended fields that we don't know. */
	if (header.minor > WIRE_MINOR)
		return in_ok(&in) ? 0 : WIRE_MALFORMED;
	return in_done(&in) ? 0 : WIRE_MALFORMED;
}

/* Writes a u8 that must not exceed bound; what exceeds it writes 0 and fails the cursor. */
static uint8_t out_count(struct cursor_out *out, size_t count, size_t bound)
{
	if (count > bound || count > UINT8_MAX) {
		out->failed = true;
		return 0;
	}
	out_u8(out, (uint8_t)count);
	return (uint8_t)count;
}

static void encode_string(struct cursor_out *out, const struct wire_field *field, const char *text)
{
	uint8_t size = out_count(out, strnlen(text, field->bound), field->bound - 1);

	out_bytes(out, text, size);
}

static void encode_payload(struct cursor_out *out, const struct wire_field *field,
	const struct payload_view *view)
{
	if (view->size > field->bound) {
		out->failed = true;
		return;
	}
	out_le32(out, (uint32_t)view->size);
	out_bytes(out, view->bytes, view->size);
}

static void encode_layout(struct cursor_out *out, const struct wire_layout *layout,
	const void *where);

static void encode_field(struct cursor_out *out, const struct wire_field *field, const void *where)
{
	const void *value = const_member(where, field->offset);
	uint8_t count = *(const uint8_t *)const_member(where, field->count_offset);

	switch (field->kind) {
	case WIRE_FIELD_MAJOR:
	case WIRE_FIELD_MINOR:
		break;
	case WIRE_FIELD_U8:
		out_u8(out, *(const uint8_t *)value);
		break;
	case WIRE_FIELD_U32:
		out_le32(out, *(const uint32_t *)value);
		break;
	case WIRE_FIELD_U64:
		out_le64(out, *(const uint64_t *)value);
		break;
	case WIRE_FIELD_STRING:
		encode_string(out, field, value);
		break;
	case WIRE_FIELD_BYTES:
		count = out_count(out, count, field->bound);
		out_bytes(out, value, count);
		break;
	case WIRE_FIELD_PAYLOAD:
		encode_payload(out, field, value);
		break;
	case WIRE_FIELD_GROUP:
		encode_layout(out, field->layout, value);
		break;
	case WIRE_FIELD_LIST:
		count = out_count(out, count, field->bound);
		for (size_t i = 0; i < count; i++)
			encode_layout(out, field->layout, const_member(value, i * field->layout->size));
		break;
	}
}

static void encode_layout(struct cursor_out *out, const struct wire_layout *layout,
	const void *where)
{
	for (size_t i = 0; i < layout->count; i++)
		encode_field(out, &layout->fields[i], where);
}

int wire_encode(const struct wire_message *message, void *bytes, size_t capacity, size_t *size)
{
	const size_t most = capacity < WIRE_FRAME_MAX ? capacity : WIRE_FRAME_MAX;
	struct cursor_out out = cursor_out(bytes, most);
	const struct wire_layout *layout = wire_layout_of(message->type);

	*size = 0;
	assert(layout != NULL);
	out_u8(&out, WIRE_MAJOR);
	out_u8(&out, message->type);
	out_u8(&out, WIRE_MINOR);
	out_u8(&out, 0);
	out_le64(&out, message->session);
	encode_layout(&out, layout, &message->hello);
	if (!out_ok(&out))
		return WIRE_TOO_LARGE;
	*size = out.size;
	return 0;
}
