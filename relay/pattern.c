/*
 * Patterns for reader names. See pattern.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/pattern.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "relay/wire.h"

/* " 00 00" */
#define INDEX_LENGTH 6
#define SLOT_OFFSET 4

static bool is_index(const char *text)
{
	return text[0] == ' ' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]) &&
		text[3] == ' ' && isxdigit((unsigned char)text[4]) &&
		isxdigit((unsigned char)text[5]) && text[6] == '\0';
}

size_t pattern_base_length(const char *name)
{
	size_t length = strlen(name);

	if (length > INDEX_LENGTH && is_index(&name[length - INDEX_LENGTH]))
		return length - INDEX_LENGTH;
	return length;
}

const char *pattern_slot(const char *name)
{
	size_t length = pattern_base_length(name);

	return name[length] != '\0' ? &name[length + SLOT_OFFSET] : &name[length];
}

bool pattern_names_alike(const char *one, const char *other)
{
	size_t length = pattern_base_length(one);

	if (length != pattern_base_length(other) || strncmp(one, other, length) != 0)
		return false;
	return strcmp(pattern_slot(one), pattern_slot(other)) == 0;
}

bool pattern_matches(const char *pattern, const char *name)
{
	char base[WIRE_NAME_MAX];

	(void)snprintf(base, sizeof(base), "%.*s", (int)pattern_base_length(name), name);
	return strcmp(pattern, name) == 0 || strcmp(pattern, base) == 0 ||
		fnmatch(pattern, name, 0) == 0 || fnmatch(pattern, base, 0) == 0;
}
