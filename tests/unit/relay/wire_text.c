/*
 * Messages as text, by the relay's own table of messages. See wire_text.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "wire_text.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "relay/wire_table.h"

struct text {
	const char *whole;
	const char *at;
	uint8_t *store; /* for the payload */
	size_t store_size;
};

static void skip_spaces(struct text *text)
{
	while (*text->at == ' ')
		text->at++;
}

static void expect(struct text *text, char character)
{
	if (*text->at != character)
		fail_msg("'%s': expected '%c' at '%s'", text->whole, character, text->at);
	text->at++;
}

/* Takes a word of letters, digits and '_'. */
static void take_word(struct text *text, char *word, size_t size)
{
	size_t used = 0;

	while (isalnum((unsigned char)*text->at) || *text->at == '_') {
		assert_true(used + 1 < size);
		word[used++] = *text->at++;
	}
	word[used] = '\0';
}

static uint64_t take_number(struct text *text, int base)
{
	char *end;
	uint64_t number = strtoull(text->at, &end, base);

	if (end == text->at)
		fail_msg("'%s': expected a number at '%s'", text->whole, text->at);
	text->at = end;
	return number;
}

/* A number of an enum, bare or as the printer shows it: "no card(1)". */
static uint8_t take_enum(struct text *text)
{
	bool named = !isdigit((unsigned char)*text->at);
	uint8_t number;

	if (named)
		text->at += strcspn(text->at, "(") + 1;
	number = (uint8_t)take_number(text, 10);
	if (named)
		expect(text, ')');
	return number;
}

static int nibble(char digit)
{
	const char *digits = "0123456789abcdef";
	const char *found = strchr(digits, tolower((unsigned char)digit));

	return digit != '\0' && found != NULL ? (int)(found - digits) : -1;
}

static size_t take_hex(const char **text, uint8_t *bytes, size_t capacity, bool spaced)
{
	size_t size = 0;

	for (;;) {
		const char *at = *text;

		while (spaced && *at == ' ')
			at++;
		if (nibble(at[0]) < 0 || nibble(at[1]) < 0)
			return size;
		assert_true(size < capacity);
		bytes[size++] = (uint8_t)(nibble(at[0]) << 4 | nibble(at[1]));
		*text = at + 2;
	}
}

size_t wire_text_hex(const char **text, uint8_t *bytes, size_t capacity)
{
	return take_hex(text, bytes, capacity, true);
}

static void take_string(struct text *text, const struct wire_field *field, char *string)
{
	size_t size = 0;

	expect(text, '\'');
	while (*text->at != '\'' && *text->at != '\0') {
		assert_true(size + 1 < field->bound);
		string[size++] = *text->at++;
	}
	expect(text, '\'');
}

static void take_layout(struct text *text, const struct wire_layout *layout, void *where);

static uint8_t take_list(struct text *text, const struct wire_field *field, uint8_t *elements)
{
	uint8_t count = 0;

	expect(text, '[');
	for (skip_spaces(text); *text->at == '{'; skip_spaces(text)) {
		assert_true(count < field->bound);
		expect(text, '{');
		take_layout(text, field->layout, elements + count * field->layout->size);
		expect(text, '}');
		count++;
	}
	expect(text, ']');
	return count;
}

static void take_payload(struct text *text, struct payload_view *view)
{
	view->size = take_hex(&text->at, text->store, text->store_size, false);
	view->bytes = text->store;
}

static void take_value(struct text *text, const struct wire_field *field, void *where)
{
	uint8_t *value = (uint8_t *)where + field->offset;
	uint8_t *count = (uint8_t *)where + field->count_offset;
	uint32_t number32;
	uint64_t number64;

	switch (field->kind) {
	case WIRE_FIELD_MAJOR:
	case WIRE_FIELD_MINOR:
	case WIRE_FIELD_U8:
		*value = take_enum(text);
		break;
	case WIRE_FIELD_U32:
		number32 = (uint32_t)take_number(text, 10);
		memcpy(value, &number32, sizeof(number32));
		break;
	case WIRE_FIELD_U64:
		number64 = take_number(text, 16);
		memcpy(value, &number64, sizeof(number64));
		break;
	case WIRE_FIELD_STRING:
		take_string(text, field, (char *)value);
		break;
	case WIRE_FIELD_BYTES:
		*count = (uint8_t)take_hex(&text->at, value, field->bound, false);
		break;
	case WIRE_FIELD_PAYLOAD:
		take_payload(text, (struct payload_view *)(void *)value);
		break;
	case WIRE_FIELD_LIST:
		*count = take_list(text, field, value);
		break;
	case WIRE_FIELD_GROUP:
		fail_msg("'%s': a group has no name of its own", text->whole);
		break;
	}
}

/* Finds a field by its name, also inside groups; where moves to the struct that it is in. */
static const struct wire_field *find_field(const struct wire_layout *layout, const char *name,
	uint8_t **where)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct wire_field *field = &layout->fields[i];

		if (field->kind == WIRE_FIELD_GROUP) {
			uint8_t *inside = *where + field->offset;
			const struct wire_field *found = find_field(field->layout, name, &inside);

			if (found != NULL) {
				*where = inside;
				return found;
			}
		} else if (strcmp(field->name, name) == 0) {
			return field;
		}
	}
	return NULL;
}

static void take_layout(struct text *text, const struct wire_layout *layout, void *where)
{
	char name[32];

	for (skip_spaces(text); *text->at != '\0' && *text->at != '}'; skip_spaces(text)) {
		const struct wire_field *field;
		uint8_t *inside = where;

		take_word(text, name, sizeof(name));
		field = find_field(layout, name, &inside);
		if (field == NULL)
			fail_msg("'%s': there is no field '%s'", text->whole, name);
		expect(text, '=');
		take_value(text, field, inside);
	}
}

static const struct wire_layout *layout_by_name(const char *name, uint8_t *type)
{
	for (*type = 1; wire_layout_of(*type) != NULL; (*type)++) {
		if (strcmp(wire_type_name(*type), name) == 0)
			return wire_layout_of(*type);
	}
	fail_msg("there is no message '%s'", name);
	return NULL;
}

void wire_text_parse(const char *whole, struct wire_message *message, uint8_t *store,
	size_t store_size)
{
	struct text text = { .whole = whole, .at = whole, .store = store, .store_size = store_size };
	const struct wire_layout *layout;
	char name[32];

	memset(message, 0, sizeof(*message));
	take_word(&text, name, sizeof(name));
	layout = layout_by_name(name, &message->type);
	skip_spaces(&text);
	if (strncmp(text.at, "session=", 8) == 0) {
		text.at += 8;
		message->session = take_number(&text, 16);
	}
	take_layout(&text, layout, &message->hello);
}

void wire_text_parse_call(const char *whole, struct wire_call *call, uint8_t *store,
	size_t store_size)
{
	struct text text = { .whole = whole, .at = whole, .store = store, .store_size = store_size };

	memset(call, 0, sizeof(*call));
	take_layout(&text, wire_layout_of(WIRE_CALL), call);
}

void wire_text_parse_reply(const char *whole, struct wire_reply *reply, uint8_t *store,
	size_t store_size)
{
	struct text text = { .whole = whole, .at = whole, .store = store, .store_size = store_size };

	memset(reply, 0, sizeof(*reply));
	take_layout(&text, wire_layout_of(WIRE_REPLY), reply);
}

/* Removes the leading zeros of all numbers in line: session=0000000000000007 becomes session=7. */
static void drop_zeros(char *line)
{
	char *to = line;

	for (const char *from = line; *from != '\0'; from++) {
		if (*from == '0' && to > line && to[-1] == '=' && isxdigit((unsigned char)from[1]))
			continue;
		*to++ = *from;
	}
	*to = '\0';
}

void wire_text_print(const struct wire_message *message, char *line, size_t size)
{
	struct payload_view data = { .bytes = NULL };
	size_t used;

	wire_print(message, line, size);
	drop_zeros(line);
	used = strlen(line);
	if (message->type == WIRE_CALL)
		data = message->call.data;
	else if (message->type == WIRE_REPLY)
		data = message->reply.data;
	for (size_t i = 0; i < data.size && used + 4 < size; i++)
		used += (size_t)snprintf(line + used, size - used, i == 0 ? ": %02X" : "%02X",
			data.bytes[i]);
}

/* Whether word, of size bytes, stands in line between spaces or ends. */
static bool has_word(const char *line, const char *word, size_t size)
{
	for (const char *at = line; *at != '\0'; at++) {
		if (strncmp(at, word, size) == 0 && (at == line || at[-1] == ' ') &&
				(at[size] == ' ' || at[size] == '\0'))
			return true;
	}
	return false;
}

int wire_text_fits(const char *line, const char *expected)
{
	bool first = true;

	while (*expected != '\0') {
		size_t size = strcspn(expected, " ");

		if (first && strncmp(line, expected, size) != 0)
			return 0;
		if (size > 0 && !has_word(line, expected, size))
			return 0;
		first = false;
		expected += size + (expected[size] == ' ');
	}
	return 1;
}
