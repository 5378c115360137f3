/*
 * How much of a CCID message may be seen by anybody: what is kept of it where data is cut out. Pure
 * functions; their callers' header says what is kept (usb_trace.h).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"

/* CCID 1.1, 6.1 and 6.2. */
#define CUT_DATA_BLOCK 0x80
#define CUT_MORE_FOLLOWS 0x01 /* bit of bChainParameter */
#define CUT_STATUS_WORD 2

struct cut_header {
	uint8_t bMessageType;
	uint32_t dwLength;
	uint8_t specific[3]; /* bytes 7 to 9 */
};

/* Reads a header. Returns whether it is all there. */
bool cut_header(struct payload_view bytes, struct cut_header *header);

/* How many bytes of a command, whose header and data these are, are kept. */
size_t cut_command(struct payload_view header, struct payload_view data);

/* Of a response. atr: its data should be an ATR, which is kept if it can be one. */
size_t cut_response(struct payload_view header, struct payload_view data, bool atr);
