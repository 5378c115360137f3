/*
 * Messages as text, so that tests and PROTOCOL.md can be read: "PING session=7 number=1 issued=3".
 * A field that isn't named is zero. Numbers are decimal, those that the printer shows as 16 digits
 * are hexadecimal; strings stand in '', payloads and ATRs are hexadecimal bytes, lists are "open=[{
 * number=2 } { number=3 }]".
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "relay/wire.h"

/* Longest line of text. */
#define WIRE_TEXT_LINE 8192

/*
 * Reads text up to its end. message borrows its payload from store, of store_size bytes. Fails the
 * running cmocka test when text isn't a message.
 */
void wire_text_parse(const char *text, struct wire_message *message, uint8_t *store,
	size_t store_size);

/* The fields of a call or reply alone, as above: "number=1 reader=2 operation=3 data=00A4". */
void wire_text_parse_call(const char *text, struct wire_call *call, uint8_t *store,
	size_t store_size);
void wire_text_parse_reply(const char *text, struct wire_reply *reply, uint8_t *store,
	size_t store_size);

/* wire_print() without leading zeros, and the payload behind it: "data=2 bytes: 00A4". */
void wire_text_print(const struct wire_message *message, char *line, size_t size);

/* Reads hexadecimal bytes, with or without spaces, up to the first other character. */
size_t wire_text_hex(const char **text, uint8_t *bytes, size_t capacity);

/*
 * Whether line has all the words of expected, beginning with its first: "CALL number=1" fits any
 * call with this number.
 */
int wire_text_fits(const char *line, const char *expected);
