/*
 * The table of messages: for each type its fields in the order of the wire, each with its kind, its
 * place in the struct and its bound. Encoder, decoder and printer (wire.c, wire_print.c) know kinds
 * of fields and nothing of messages; a new message or field is one more row in wire_table.c.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bytes of the header: major, type, minor, a reserved zero, session (PROTOCOL.md, 2). */
#define WIRE_HEADER_SIZE 12

enum wire_kind {
	WIRE_FIELD_MAJOR,   /* uint8_t, of the header; nothing in the body */
	WIRE_FIELD_MINOR,   /* uint8_t, of the header; nothing in the body */
	WIRE_FIELD_U8,      /* uint8_t */
	WIRE_FIELD_U32,     /* uint32_t */
	WIRE_FIELD_U64,     /* uint64_t */
	WIRE_FIELD_STRING,  /* char[bound]: u8 length, bytes, no zero among them */
	WIRE_FIELD_BYTES,   /* uint8_t[bound] and a uint8_t count: u8 length, bytes */
	WIRE_FIELD_PAYLOAD, /* struct payload_view, at most bound bytes: u32 length, bytes */
	WIRE_FIELD_GROUP,   /* a struct: its own fields */
	WIRE_FIELD_LIST,    /* struct[bound] and a uint8_t count: u8 count, the fields of each */
};

struct wire_layout;

struct wire_field {
	const char *name;
	enum wire_kind kind;
	size_t offset;       /* of the member in its struct */
	size_t count_offset; /* BYTES, LIST: of the uint8_t that says how many are in use */
	uint8_t since;       /* minor version that appended it: not in the frames of older ones */
	size_t bound;        /* STRING, BYTES, PAYLOAD, LIST: the most; of a string with its zero */
	const struct wire_layout *layout;             /* GROUP, LIST: the fields inside */
	const char *(*value_name)(uint8_t value);     /* U8: what the printer writes, or NULL */
};

struct wire_layout {
	const struct wire_field *fields;
	size_t count; /* of fields */
	size_t size;  /* of the struct */
};

/* The fields of a message type's struct, or NULL for an unknown type. */
const struct wire_layout *wire_layout_of(uint8_t type);

/* "CALL", or "type?" for an unknown one. */
const char *wire_type_name(uint8_t type);
