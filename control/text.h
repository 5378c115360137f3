/*
 * Text of unknown origin, made fit for JSON and for a terminal. Sans-I/O.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>

#define CONTROL_TEXT_GROWTH 3 /* each byte becomes three at most, those of U+FFFD */

/*
 * Copies text, whose bytes may be any, as UTF-8 (RFC 3629: no surrogates, nothing overlong, up to
 * U+10FFFF): each byte that is none becomes U+FFFD. clean has CONTROL_TEXT_GROWTH bytes for each of
 * text, and one.
 */
void control_text_to_utf8(const char *text, char *clean);

/*
 * The columns that UTF-8 text takes on a terminal: one for each character. (Those of East Asia, which
 * take two, make a table crooked, and no worse.)
 */
size_t control_text_width(const char *text);

/*
 * Replaces what a terminal would obey in UTF-8 text by '?': the control characters, those between
 * U+0080 and U+009F included. In place: the text doesn't grow.
 */
void control_text_disarm(char *text);
