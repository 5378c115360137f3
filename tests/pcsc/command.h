/*
 * Command APDUs, put together: the seven forms of ISO/IEC 7816-3:2006, 12.1.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

/* The largest command APDU: header, Lc, 65535 bytes, Le. */
#define COMMAND_APDU_MAX (4 + 3 + 65535 + 2)

struct command {
	uint8_t cla;
	uint8_t ins;
	uint16_t p1p2;
	const uint8_t *data; /* borrowed */
	size_t nc;           /* its size; 0 for none */
	uint32_t ne;         /* expected length, 1..65536; 0 for no Le */
	bool extended;       /* the form of Lc and Le; without both there is only one form */
};

enum {
	COMMAND_UNENCODABLE = 1, /* a length does not fit the form that was asked for */
};

/* Appends the command. Returns 0 or COMMAND_UNENCODABLE. */
int command_encode(const struct command *command, struct cursor_out *out);

/* "1", "2S", "3E" and so on: the case and the form. */
const char *command_case(const struct command *command);
