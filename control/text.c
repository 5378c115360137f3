/*
 * UTF-8. See text.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "control/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* RFC 3629, section 4: the bytes that may begin a character, and the second byte's limits. */
static const struct {
	uint8_t first, last;
	size_t size;
	uint8_t second_first, second_last;
} forms[] = {
	{ 0x00, 0x7F, 1, 0, 0 },
	{ 0xC2, 0xDF, 2, 0x80, 0xBF },
	{ 0xE0, 0xE0, 3, 0xA0, 0xBF },
	{ 0xE1, 0xEC, 3, 0x80, 0xBF },
	{ 0xED, 0xED, 3, 0x80, 0x9F },
	{ 0xEE, 0xEF, 3, 0x80, 0xBF },
	{ 0xF0, 0xF0, 4, 0x90, 0xBF },
	{ 0xF1, 0xF3, 4, 0x80, 0xBF },
	{ 0xF4, 0xF4, 4, 0x80, 0x8F },
};

/* The size of the character at the start of bytes, which end with a zero; 0 if there is none. */
static size_t character_size(const uint8_t *bytes)
{
	size_t i = 0, size;

	while (i < sizeof forms / sizeof forms[0] && (bytes[0] < forms[i].first || bytes[0] > forms[i].last))
		i++;
	if (i == sizeof forms / sizeof forms[0])
		return 0;
	size = forms[i].size;
	if (size > 1 && (bytes[1] < forms[i].second_first || bytes[1] > forms[i].second_last))
		return 0;
	/* A zero is no such byte: nothing is read beyond it. */
	for (size_t k = 2; k < size; k++) {
		if (bytes[k] < 0x80 || bytes[k] > 0xBF)
			return 0;
	}
	return size;
}

void control_text_to_utf8(const char *text, char *clean)
{
	while (*text != '\0') {
		size_t size = character_size((const uint8_t *)text);
		const char *from = size > 0 ? text : REPLACEMENT;
		size_t out = size > 0 ? size : strlen(REPLACEMENT);

		memcpy(clean, from, out);
		clean += out;
		text += size > 0 ? size : 1;
	}
	*clean = '\0';
}

size_t control_text_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((uint8_t)*text & 0xC0) != 0x80;
	return width;
}

void control_text_disarm(char *text)
{
	char *out = text;

	for (const char *in = text; *in != '\0'; in++) {
		/* U+0080 to U+009F are C2 80 to C2 9F */
		bool c1 = (uint8_t)in[0] == 0xC2 && (uint8_t)in[1] >= 0x80 && (uint8_t)in[1] <= 0x9F;

		*out++ = c1 || (uint8_t)*in < ' ' || *in == 0x7F ? '?' : *in;
		in += c1;
	}
	*out = '\0';
}
