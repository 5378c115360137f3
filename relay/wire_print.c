/*
 * The printer: one line per message for a debug log, from the same table as the codec.
 *
 * A payload is shown by its size. There is no branch that would print its bytes, and an ATR is
 * treated alike: pcsc_scan is the place to read one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "relay/wire.h"
#include "relay/wire_table.h"

struct line {
	char *text;
	size_t size;
	size_t used;
};

static void line_add(struct line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void line_add(struct line *line, const char *format, ...)
{
	size_t room = line->size - line->used;
	va_list args;
	int n;

	if (room == 0)
		return;
	va_start(args, format);
	n = vsnprintf(line->text + line->used, room, format, args);
	va_end(args);
	if (n > 0)
		line->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void print_layout(struct line *line, const struct wire_layout *layout, const void *where);

static void print_list(struct line *line, const struct wire_field *field, const void *value,
	uint8_t count)
{
	const uint8_t *element = value;

	line_add(line, " %s=[", field->name);
	for (size_t i = 0; i < count && i < field->bound; i++) {
		line_add(line, "%s{", i > 0 ? " " : "");
		print_layout(line, field->layout, element + i * field->layout->size);
		line_add(line, " }");
	}
	line_add(line, "]");
}

static void print_u8(struct line *line, const struct wire_field *field, uint8_t value)
{
	if (field->value_name != NULL)
		line_add(line, " %s=%s(%u)", field->name, field->value_name(value), value);
	else
		line_add(line, " %s=%u", field->name, value);
}

static void print_field(struct line *line, const struct wire_field *field, const void *where)
{
	const void *value = (const uint8_t *)where + field->offset;
	uint8_t count = *((const uint8_t *)where + field->count_offset);

	switch (field->kind) {
	case WIRE_FIELD_MAJOR:
	case WIRE_FIELD_MINOR:
	case WIRE_FIELD_U8:
		print_u8(line, field, *(const uint8_t *)value);
		break;
	case WIRE_FIELD_U32:
		line_add(line, " %s=%" PRIu32, field->name, *(const uint32_t *)value);
		break;
	case WIRE_FIELD_U64:
		line_add(line, " %s=%016" PRIx64, field->name, *(const uint64_t *)value);
		break;
	case WIRE_FIELD_STRING:
		line_add(line, " %s='%.*s'", field->name, (int)field->bound, (const char *)value);
		break;
	case WIRE_FIELD_BYTES:
		line_add(line, " %s=%u bytes", field->name, count);
		break;
	case WIRE_FIELD_PAYLOAD:
		line_add(line, " %s=%zu bytes", field->name, ((const struct payload_view *)value)->size);
		break;
	case WIRE_FIELD_GROUP:
		print_layout(line, field->layout, value);
		break;
	case WIRE_FIELD_LIST:
		print_list(line, field, value, count);
		break;
	}
}

static void print_layout(struct line *line, const struct wire_layout *layout, const void *where)
{
	for (size_t i = 0; i < layout->count; i++)
		print_field(line, &layout->fields[i], where);
}

void wire_print(const struct wire_message *message, char *text, size_t size)
{
	struct line line = { .text = text, .size = size };
	const struct wire_layout *layout = wire_layout_of(message->type);

	line_add(&line, "%s session=%016" PRIx64, wire_type_name(message->type), message->session);
	if (layout != NULL)
		print_layout(&line, layout, &message->hello);
}
