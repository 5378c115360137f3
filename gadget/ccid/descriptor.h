/*
 * The smart card device class descriptor: what this reader promises to a driver.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdint.h>

#define CCID_DESCRIPTOR_SIZE 54 /* CCID 1.1, table 5.1-1 */

/* The interface's class, subclass and protocol; CCID 1.1, table 4.3-1. */
#define CCID_INTERFACE_CLASS 0x0B
#define CCID_INTERFACE_SUBCLASS 0x00
#define CCID_INTERFACE_PROTOCOL 0x00

/* dwMaxCCIDMessageLength: the most that CCID 1.1, table 5.1-1, allows, so that no command is chained. */
#define CCID_MESSAGE_MAX 65554

/*
 * Bytes of the longest message to a driver of which nothing else is known: a longer response is chained.
 * GnuPG's driver reads bulk IN into 2,065 bytes, whatever dwMaxCCIDMessageLength is. It is no multiple
 * of 512 or 64, so that a full block ends in a short packet at any speed.
 *
 * A driver that asks for more than this when the response is there gets as much as it asks for: libccid
 * asks for 65,556 bytes. What that brings, in ms, is the reason: SCardTransmit of an APDU with 65,000
 * bytes in the response or in the command, median of 16 in one run of an emulated guest (libccid 1.5.2,
 * two busy processors), by the size of the blocks in which they go:
 *
 *     bytes              271     530    1034    2065    4106
 *     blocks             250     126      64      32      16
 *     response          1624     743     355     177      91
 *     command           1614    1218     574     277     162
 *
 * It is the number of blocks that costs.
 */
#define CCID_BLOCK_MAX 2065

/* The clock (kHz) and the data rates (bit/s) that the descriptor names. */
#define CCID_DEFAULT_CLOCK 4000
#define CCID_DATA_RATE 10753      /* that clock at the default 372/1 */
#define CCID_MAX_DATA_RATE 500000 /* that clock at 512/64, TA1 = 97 */

/* What differs from reader to reader: the PIN pad of the host's. All 0: it has none. */
struct ccid_pin_pad {
	uint8_t bPINSupport; /* CCID_PIN_VERIFY, CCID_PIN_MODIFY */
	uint16_t wLcdLayout; /* of its display: lines in the upper byte, characters in the lower */
};

/* Bits of bPINSupport. */
#define CCID_PIN_VERIFY 0x01
#define CCID_PIN_MODIFY 0x02

/* Writes the descriptor. */
void ccid_descriptor(uint8_t descriptor[static CCID_DESCRIPTOR_SIZE],
	const struct ccid_pin_pad *pin_pad);
