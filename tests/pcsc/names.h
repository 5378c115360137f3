/*
 * Names of PC/SC's numbers, for lines that people and tests read. (pcsc_stringify_error() has only
 * sentences.)
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <winscard.h>

/* "SCARD_W_REMOVED_CARD" and so on; "SCARD_?" for a value that pcsclite.h does not name. */
const char *scard_name(LONG result);

/* "t0", "t1", "raw", or "none". */
const char *protocol_name(DWORD protocol);

/*
 * Writes the bits of a SCardGetStatusChange() state as words joined by commas: "present,mute". in
 * use, exclusive and changed are left out: they say what other programs do, not what the card does.
 */
void state_words(DWORD state, char *words, size_t size);

/* Writes bytes as upper-case hexadecimal digits; what does not fit is left out. */
void hex_words(const unsigned char *bytes, size_t count, char *words, size_t size);
