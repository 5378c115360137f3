/*
 * The messages, row by row, in the order of the wire. PROTOCOL.md, 4 is the same in words. See
 * wire_table.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/wire_table.h"

#include "relay/wire.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define MEMBER(type, member) .name = #member, .offset = offsetof(struct type, member)

#define MAJOR(type) { MEMBER(type, major), .kind = WIRE_FIELD_MAJOR }
#define MINOR(type) { MEMBER(type, minor), .kind = WIRE_FIELD_MINOR }
#define U8(type, member) { MEMBER(type, member), .kind = WIRE_FIELD_U8 }
#define U32(type, member) { MEMBER(type, member), .kind = WIRE_FIELD_U32 }
#define U64(type, member) { MEMBER(type, member), .kind = WIRE_FIELD_U64 }
#define NAMED(type, member, function) \
	{ MEMBER(type, member), .kind = WIRE_FIELD_U8, .value_name = (function) }
#define STRING(type, member, most) \
	{ MEMBER(type, member), .kind = WIRE_FIELD_STRING, .bound = (most) }
#define BYTES(type, member, used, most) \
	{ MEMBER(type, member), .kind = WIRE_FIELD_BYTES, .bound = (most), \
	  .count_offset = offsetof(struct type, used) }
#define PAYLOAD(type, member, most) \
	{ MEMBER(type, member), .kind = WIRE_FIELD_PAYLOAD, .bound = (most) }
#define GROUP(type, member, inside) \
	{ MEMBER(type, member), .kind = WIRE_FIELD_GROUP, .layout = (inside) }
#define LIST(type, member, used, most, inside) \
	{ MEMBER(type, member), .kind = WIRE_FIELD_LIST, .bound = (most), \
	  .count_offset = offsetof(struct type, used), .layout = (inside) }

#define LAYOUT(type, rows) \
	{ .fields = (rows), .count = ARRAY_SIZE(rows), .size = sizeof(struct type) }

static const char *name_of(uint8_t value, const char *const *names, size_t count)
{
	return value < count && names[value] != NULL ? names[value] : "unknown";
}

static const char *operation_name(uint8_t operation)
{
	static const char *const names[] = {
		[WIRE_CONNECT] = "connect",
		[WIRE_DISCONNECT] = "disconnect",
		[WIRE_TRANSMIT] = "transmit",
		[WIRE_SECURE] = "secure",
		[WIRE_ESCAPE] = "escape",
		[WIRE_CANCEL] = "cancel",
	};

	return name_of(operation, names, ARRAY_SIZE(names));
}

static const char *initialization_name(uint8_t initialization)
{
	static const char *const names[] = {
		[WIRE_LEAVE] = "leave",
		[WIRE_RESET] = "reset",
		[WIRE_UNPOWER] = "unpower",
	};

	return name_of(initialization, names, ARRAY_SIZE(names));
}

static const char *card_name(uint8_t card)
{
	static const char *const names[] = {
		[WIRE_CARD_ABSENT] = "absent",
		[WIRE_CARD_PRESENT] = "present",
		[WIRE_CARD_UNRESPONSIVE] = "unresponsive",
	};

	return name_of(card, names, ARRAY_SIZE(names));
}

static const char *refusal_name(uint8_t reason)
{
	static const char *const names[] = {
		[WIRE_REFUSED_VERSION] = "version",
		[WIRE_REFUSED_GUEST] = "guest",
		[WIRE_REFUSED_NO_SESSION] = "no session",
		[WIRE_REFUSED_SUPERSEDED] = "superseded",
	};

	return name_of(reason, names, ARRAY_SIZE(names));
}

const char *wire_outcome_name(uint8_t outcome)
{
	static const char *const names[] = {
		[WIRE_OK] = "ok",
		[WIRE_NO_CARD] = "no card",
		[WIRE_CARD_REMOVED] = "card removed",
		[WIRE_CARD_RESET] = "card reset",
		[WIRE_CARD_MUTE] = "card mute",
		[WIRE_CARD_ERROR] = "card error",
		[WIRE_CARD_BUSY] = "card busy",
		[WIRE_PROTOCOL_MISMATCH] = "protocol mismatch",
		[WIRE_NOT_CONNECTED] = "not connected",
		[WIRE_READER_GONE] = "reader gone",
		[WIRE_SERVICE_GONE] = "service gone",
		[WIRE_OUTCOME_UNKNOWN] = "outcome unknown",
		[WIRE_UNSUPPORTED] = "unsupported",
		[WIRE_CANCELLED] = "cancelled",
		[WIRE_TIMED_OUT] = "timed out",
	};

	return name_of(outcome, names, ARRAY_SIZE(names));
}

static const struct wire_field hello_fields[] = {
	MAJOR(wire_hello),
	MINOR(wire_hello),
	U32(wire_hello, features),
	U64(wire_hello, guest_boot),
	U32(wire_hello, incarnation),
	STRING(wire_hello, guest, WIRE_NAME_MAX),
};

static const struct wire_field welcome_fields[] = {
	MAJOR(wire_welcome),
	MINOR(wire_welcome),
	U32(wire_welcome, features),
	U64(wire_welcome, bridge_boot),
	U32(wire_welcome, incarnation),
};

static const struct wire_field refused_fields[] = {
	MAJOR(wire_refused),
	MINOR(wire_refused),
	NAMED(wire_refused, reason, refusal_name),
	U32(wire_refused, incarnation),
	STRING(wire_refused, text, WIRE_TEXT_MAX),
};

struct wire_number {
	uint32_t number;
};

static const struct wire_field number_fields[] = { U32(wire_number, number) };
static const struct wire_layout number_layout = LAYOUT(wire_number, number_fields);

static const struct wire_field ack_fields[] = {
	U32(wire_ack, readers),
	U32(wire_ack, issued),
	LIST(wire_ack, open, open_count, WIRE_OPEN_MAX, &number_layout),
};
static const struct wire_layout ack_layout = LAYOUT(wire_ack, ack_fields);

static const struct wire_field call_fields[] = {
	U32(wire_call, number),
	GROUP(wire_call, ack, &ack_layout),
	U32(wire_call, reader),
	NAMED(wire_call, operation, operation_name),
	NAMED(wire_call, initialization, initialization_name),
	U8(wire_call, protocols),
	PAYLOAD(wire_call, data, WIRE_APDU_MAX),
};

static const struct wire_field query_fields[] = {
	U32(wire_query, number),
	GROUP(wire_query, ack, &ack_layout),
};

static const struct wire_field progress_fields[] = { U32(wire_progress, number) };

static const struct wire_field reply_fields[] = {
	U32(wire_reply, number),
	NAMED(wire_reply, outcome, wire_outcome_name),
	U8(wire_reply, protocol),
	PAYLOAD(wire_reply, data, WIRE_APDU_MAX),
};

static const struct wire_field reader_fields[] = {
	U32(wire_reader, id),
	U32(wire_reader, insertion),
	NAMED(wire_reader, card, card_name),
	U8(wire_reader, pin_support),
	U8(wire_reader, lcd_lines),
	U8(wire_reader, lcd_characters),
	BYTES(wire_reader, atr, atr_size, WIRE_ATR_MAX),
	STRING(wire_reader, name, WIRE_NAME_MAX),
};
static const struct wire_layout reader_layout = LAYOUT(wire_reader, reader_fields);

static const struct wire_field readers_fields[] = {
	U32(wire_readers, version),
	U8(wire_readers, service),
	LIST(wire_readers, readers, count, WIRE_READERS_MAX, &reader_layout),
};

static const struct wire_field ping_fields[] = {
	U32(wire_ping, number),
	GROUP(wire_ping, ack, &ack_layout),
};

static const struct wire_field pong_fields[] = { U32(wire_pong, number) };

static const struct {
	const char *name;
	struct wire_layout layout;
} messages[] = {
	[WIRE_HELLO] = { "HELLO", LAYOUT(wire_hello, hello_fields) },
	[WIRE_WELCOME] = { "WELCOME", LAYOUT(wire_welcome, welcome_fields) },
	[WIRE_REFUSED] = { "REFUSED", LAYOUT(wire_refused, refused_fields) },
	[WIRE_CALL] = { "CALL", LAYOUT(wire_call, call_fields) },
	[WIRE_QUERY] = { "QUERY", LAYOUT(wire_query, query_fields) },
	[WIRE_PROGRESS] = { "PROGRESS", LAYOUT(wire_progress, progress_fields) },
	[WIRE_REPLY] = { "REPLY", LAYOUT(wire_reply, reply_fields) },
	[WIRE_READERS] = { "READERS", LAYOUT(wire_readers, readers_fields) },
	[WIRE_PING] = { "PING", LAYOUT(wire_ping, ping_fields) },
	[WIRE_PONG] = { "PONG", LAYOUT(wire_pong, pong_fields) },
	[WIRE_BYE] = { "BYE", { .fields = NULL } },
};

const struct wire_layout *wire_layout_of(uint8_t type)
{
	if (type >= ARRAY_SIZE(messages) || messages[type].name == NULL)
		return NULL;
	return &messages[type].layout;
}

const char *wire_type_name(uint8_t type)
{
	return wire_layout_of(type) != NULL ? messages[type].name : "type?";
}
