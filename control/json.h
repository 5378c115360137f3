/*
 * What answers are made of, and how a command reads them.
 *
 * Names come from devices and may hold any bytes; JSON is UTF-8. What is no UTF-8 becomes U+FFFD, so
 * that an answer is always valid. Control characters stay, escaped, in JSON; see control_clean() for
 * the terminal.
 *
 * The functions that make a value return NULL without memory, as jansson's do, and jansson's that put
 * values together take NULL as their own failure: it is enough to look at the whole in the end.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define CONTROL_SCHEMA 1 /* "schema" of each answer: other names or meanings than before count it up */

/* A text of any bytes. */
json_t *control_json_text(const char *text);

/* The same, or null if it is empty. */
json_t *control_json_text_or_null(const char *text);

/* Bytes as capital hexadecimal digits, for what is no secret: an ATR. null for none. */
json_t *control_json_hex(const uint8_t *bytes, size_t size);

/* A time of day as ISO 8601 in UTC, "2026-01-31T23:59:59Z"; null for 0. */
json_t *control_json_time(time_t when);

/* {"schema": 1, "error": text} */
json_t *control_json_error(const char *text);

/* The text of a member; otherwise if there is none, or no text. */
const char *control_json_get(const json_t *object, const char *key, const char *otherwise);

/* Whether a member is true. */
bool control_json_is(const json_t *object, const char *key);

/* The number of a member, rounded; 0 if there is none. */
long long control_json_number(const json_t *object, const char *key);
