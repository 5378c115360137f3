/*
 * What crosses a CCID device's endpoints, as packets of a capture file that anybody may see.
 *
 * A message is recorded whole where it can't hold a secret: slot status, parameters, slot changes, an
 * ATR. Of a command APDU its header is kept, that is CLA INS P1 P2 and the byte behind them; of a
 * response its status word, in the comment; of everything else the ten bytes of the CCID header. What
 * follows is cut off, and its length stays. The next part of a long command has no header of an APDU
 * and may begin with the bytes of a PIN: nothing of its data is kept.
 *
 * Wireshark knows a CCID device by its descriptors, which were read long before the trace began: so it
 * begins with them, as if a host had just asked. Pure functions.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/payload.h"
#include "trace/pcapng.h"

#define TRACE_CLASS_DESCRIPTOR_SIZE 54 /* CCID 1.1, table 5.1-1 */
#define TRACE_DEVICE_MAX 1024          /* enough for trace_device() */
#define TRACE_TEXT_MAX 160             /* bytes of a message's text that are kept */
#define TRACE_HEADER_SIZE 64           /* of a usbmon packet */
#define TRACE_MESSAGE_MAX(size) PCAPNG_BLOCK_MAX(TRACE_HEADER_SIZE + (size)) /* for trace_message() */

struct trace_device {
	uint8_t address;   /* on the trace's bus, 1 to 127 */
	uint16_t idVendor;
	uint16_t idProduct;
	bool interrupt;    /* has an interrupt endpoint */
	const uint8_t *class_descriptor; /* of TRACE_CLASS_DESCRIPTOR_SIZE bytes; borrowed */
	const char *name;  /* for a comment */
};

enum trace_direction {
	TRACE_OUT,    /* a command: bulk OUT */
	TRACE_IN,     /* a response: bulk IN */
	TRACE_NOTIFY, /* a slot change: interrupt IN */
};

struct trace_message {
	uint64_t time;       /* ns since 1970 */
	uint8_t address;     /* of the device */
	enum trace_direction direction;
	struct payload_view message; /* borrowed */
	bool atr;            /* a response whose data is an ATR */
	bool with_data;      /* nothing is cut out */
	uint32_t call;       /* its number in the relay's session; 0: none */
	const char *text;    /* more for the comment; NULL: none */
};

/* Writes what a host would have asked the device before it used it. */
void trace_device(struct cursor_out *out, uint64_t time, const struct trace_device *device);

/* Writes one message. */
void trace_message(struct cursor_out *out, const struct trace_message *message);

/* How many bytes of a message are kept, unless with_data. */
size_t trace_kept(const struct trace_message *message);
