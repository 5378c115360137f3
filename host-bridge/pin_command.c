/*
 * The parser of the PIN guard. See pin_command.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/pin_command.h"

#include <stddef.h>

#include "base/cursor.h"
#include "host-bridge/pin_structure.h"

#define HEADER_SIZE 4 /* CLA, INS, P1, P2 */

/* ISO/IEC 7816-4:2005, table 4.2 */
enum {
	INS_VERIFY = 0x20,
	INS_VERIFY_ODD = 0x21,
	INS_CHANGE = 0x24,
	INS_CHANGE_ODD = 0x25,
	INS_DISABLE = 0x26,
	INS_ENABLE = 0x28,
	INS_RESET = 0x2C,
	INS_RESET_ODD = 0x2D,
	INS_SELECT = 0xA4,
	INS_ENVELOPE = 0xC2,
	INS_ENVELOPE_ODD = 0xC3,
};

static enum pin_kind kind_of(uint8_t ins)
{
	switch (ins) {
	case INS_VERIFY:
	case INS_VERIFY_ODD:
		return PIN_VERIFY;
	case INS_CHANGE:
	case INS_CHANGE_ODD:
		return PIN_CHANGE;
	case INS_DISABLE:
	case INS_ENABLE:
		return PIN_SWITCH;
	case INS_RESET:
	case INS_RESET_ODD:
		return PIN_RESET;
	}
	return PIN_NONE;
}

/* ISO/IEC 7816-4:2005, 5.1.1, tables 2 and 3. */
static void read_class(uint8_t cla, struct pin_command *command)
{
	command->cla = cla;
	command->proprietary = cla >= 0x80 || (cla & 0xE0) == 0x20;
	/* What these bits mean in another class nobody knows: it may be the same. */
	command->part = (cla & 0x10) != 0;
	if ((cla & 0xC0) == 0x40) {
		command->secured = (cla & 0x20) != 0;
		command->channel = (uint8_t)(4 + (cla & 0x0F));
	} else {
		command->secured = !command->proprietary && (cla & 0x0C) != 0;
		command->channel = cla & 0x03;
	}
}

/* Whether a data field that isn't empty follows, and nothing but Le after it: ISO/IEC 7816-3:2006, 12.1. */
static bool has_data(struct cursor_in in)
{
	size_t size = in_u8(&in);
	size_t le_max = 1;

	if (size == 0) {
		size = in_be16(&in);
		le_max = 2;
	}
	(void)in_bytes(&in, size);
	return in_ok(&in) && size > 0 && (in.left == 0 || in.left == le_max);
}

/* What concerns a PIN by its header. left is what follows it. */
static void read_header(const uint8_t *header, struct cursor_in left, struct pin_command *command)
{
	uint8_t ins = header[1];

	command->kind = kind_of(ins);
	command->p1 = header[2];
	command->reference = header[3];
	command->proves = (command->kind == PIN_VERIFY || command->kind == PIN_CHANGE) &&
		command->p1 == 0 && !command->secured && has_data(left);
	command->query = ins == INS_VERIFY && !command->proprietary && !command->part &&
		!command->secured && (left.left == 0 || (left.left == 1 && in_u8(&left) == 0));
}

/* The data field by a length that may say anything: what is there of it. */
static struct payload_view data_field(struct cursor_in *in)
{
	size_t size = in_u8(in);

	if (size == 0 && in->left > 2)
		size = in_be16(in);
	if (size > in->left)
		size = in->left;
	return (struct payload_view){ .bytes = in_bytes(in, size), .size = size };
}

/* ISO/IEC 7816-4:2005, 7.6.2: the first one of a command holds its header. */
static void read_envelope(struct cursor_in in, struct pin_command *command)
{
	struct payload_view data = data_field(&in);
	struct cursor_in inner = cursor_in(data.bytes, data.size);
	const uint8_t *header;

	if (data.size == 0)
		return;
	if (data.size < HEADER_SIZE) {
		command->kind = PIN_UNREADABLE;
		return;
	}
	header = in_bytes(&inner, HEADER_SIZE);
	if (kind_of(header[1]) == PIN_NONE)
		return;
	read_class(header[0], command);
	read_header(header, inner, command);
	command->enveloped = true;
	command->proves = false;
	command->query = false;
}

void pin_command_read(struct payload_view apdu, struct pin_command *command)
{
	struct cursor_in in = cursor_in(apdu.bytes, apdu.size);
	const uint8_t *header = in_bytes(&in, HEADER_SIZE);
	uint8_t ins;

	*command = (struct pin_command){ .kind = PIN_NONE };
	if (header == NULL) {
		in = cursor_in(apdu.bytes, apdu.size);
		(void)in_u8(&in);
		ins = in_u8(&in);
		if (in_ok(&in) && kind_of(ins) != PIN_NONE)
			command->kind = PIN_UNREADABLE;
		return;
	}
	read_class(header[0], command);
	read_header(header, in, command);
	if (command->proprietary || command->kind != PIN_NONE)
		return;
	if (header[1] == INS_ENVELOPE)
		read_envelope(in, command);
	else if (header[1] == INS_ENVELOPE_ODD)
		command->kind = PIN_UNREADABLE;
}

void pin_command_read_secure(struct payload_view secure, struct pin_command *command)
{
	struct payload_view apdu;
	struct cursor_in in;
	const uint8_t *header;

	*command = (struct pin_command){ .kind = PIN_UNREADABLE, .pin_pad = true };
	if (pin_structure_find_apdu(secure, &apdu) != 0)
		return;
	in = cursor_in(apdu.bytes, apdu.size);
	header = in_bytes(&in, HEADER_SIZE);
	if (header == NULL)
		return;
	read_class(header[0], command);
	read_header(header, in, command);
	if (command->kind == PIN_NONE)
		command->kind = PIN_VERIFY;
	/* The reader adds the data. */
	command->query = false;
	command->proves = command->p1 == 0 && !command->secured &&
		(header[1] == INS_VERIFY || header[1] == INS_CHANGE);
}

/* FNV-1a */
static uint32_t hash_byte(uint32_t hash, uint8_t byte)
{
	return (hash ^ byte) * 16777619u;
}

bool pin_command_selects(struct payload_view apdu, uint8_t *channel, uint32_t *selection)
{
	struct cursor_in in = cursor_in(apdu.bytes, apdu.size);
	struct pin_command command = { .kind = PIN_NONE };
	uint32_t hash = 2166136261u;
	uint8_t ins;

	read_class(in_u8(&in), &command);
	ins = in_u8(&in);
	if (!in_ok(&in) || ins != INS_SELECT)
		return false;
	*channel = command.channel;
	while (in.left > 0)
		hash = hash_byte(hash, in_u8(&in));
	*selection = hash != 0 ? hash : 1;
	return true;
}

const char *pin_command_name(const struct pin_command *command)
{
	switch (command->kind) {
	case PIN_NONE:
		return "none";
	case PIN_VERIFY:
		return command->query ? "query" : "verify";
	case PIN_CHANGE:
		return "change";
	case PIN_SWITCH:
		return "switch";
	case PIN_RESET:
		return "reset-retry-counter";
	case PIN_UNREADABLE:
		break;
	}
	return "unreadable";
}

/* BER-TLV, ISO/IEC 7816-4:2005, 5.2.2, with tags of one byte, as secure messaging has them. */
static size_t object_size(struct cursor_in *in)
{
	uint8_t size = in_u8(in);

	if (size < 0x80)
		return size;
	if (size == 0x81)
		return in_u8(in);
	if (size == 0x82)
		return in_be16(in);
	in->failed = true;
	return 0;
}

/* DO'99'; 0 if it is not there. */
static uint16_t secured_status(struct cursor_in in)
{
	while (in_ok(&in) && in.left > 0) {
		uint8_t tag = in_u8(&in);
		size_t size = object_size(&in);

		if (tag == 0x99 && size == 2) {
			uint16_t sw = in_be16(&in);

			return in_ok(&in) ? sw : 0;
		}
		(void)in_bytes(&in, size);
	}
	return 0;
}

uint16_t pin_command_status(const struct pin_command *command, struct payload_view response)
{
	struct cursor_in in = cursor_in(response.bytes, response.size);
	struct cursor_in data;
	const uint8_t *bytes;
	uint16_t sw;

	if (response.size < 2)
		return 0;
	bytes = in_bytes(&in, response.size - 2);
	sw = in_be16(&in);
	data = cursor_in(bytes, response.size - 2);
	if (!command->secured || sw != 0x9000)
		return sw;
	return secured_status(data);
}
