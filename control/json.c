/*
 * JSON by jansson. See json.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "control/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/text.h"

json_t *control_json_text(const char *text)
{
	size_t size = strlen(text);
	char *clean = malloc(CONTROL_TEXT_GROWTH * size + 1);
	json_t *value = NULL;

	if (clean != NULL) {
		control_text_to_utf8(text, clean);
		value = json_string(clean);
	}
	free(clean);
	return value;
}

json_t *control_json_text_or_null(const char *text)
{
	return text[0] != '\0' ? control_json_text(text) : json_null();
}

json_t *control_json_hex(const uint8_t *bytes, size_t size)
{
	char text[2 * 64 + 1];

	if (size == 0)
		return json_null();
	for (size_t i = 0; i < size && 2 * i + 2 < sizeof text; i++)
		(void)snprintf(&text[2 * i], 3, "%02X", bytes[i]);
	return json_string(text);
}

json_t *control_json_time(time_t when)
{
	char text[sizeof "-2147481748-12-31T23:59:59Z"];
	struct tm parts;

	if (when == 0 || gmtime_r(&when, &parts) == NULL ||
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		return json_null();
	return json_string(text);
}

json_t *control_json_error(const char *text)
{
	return json_pack("{s:i, s:o}", "schema", CONTROL_SCHEMA, "error", control_json_text(text));
}

const char *control_json_get(const json_t *object, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : otherwise;
}

bool control_json_is(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

long long control_json_number(const json_t *object, const char *key)
{
	double value = json_number_value(json_object_get(object, key));

	return (long long)(value < 0 ? value - 0.5 : value + 0.5);
}
