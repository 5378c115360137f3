/*
 * What crosses a CCID device's endpoints, as packets of a capture file that anybody may see.
 *
 * A message is recorded whole where it can't hold a secret: slot status, parameters, slot changes, an
 * ATR. Of a command APDU its header is kept, that is CLA INS P1 P2 and the Lc or Le behind them; of a
 * response its status word, in the comment; of everything else the ten bytes of the CCID header. What
 * follows is cut off, and its length stays. The next part of a long command has no header of an APDU
 * and may begin with the bytes of a PIN: nothing of its data is kept. Nor is what is not what it
 * should be: a byte that doesn't give the length that an APDU has is not its Lc, and what is no CCID
 * message keeps its first byte.
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
#define TRACE_DEVICE_MAX 2048          /* enough for trace_device() */
#define TRACE_DEVICE_PACKETS 4         /* that it writes */
#define TRACE_TEXT_MAX 160             /* bytes of a message's text that are kept */
#define TRACE_HEADER_SIZE 64           /* of a usbmon packet */
#define TRACE_CCID_HEADER_SIZE 10
#define TRACE_MESSAGE_MAX(kept) PCAPNG_BLOCK_MAX(TRACE_HEADER_SIZE + (kept)) /* for trace_message() */
#define TRACE_REQUEST_MAX TRACE_MESSAGE_MAX(0) /* enough for trace_request() */

struct trace_device {
	uint8_t bus;
	uint8_t address;   /* on that bus, 1 to 127 */
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
	uint8_t bus;
	uint8_t address;     /* of the device */
	enum trace_direction direction;
	struct payload_view header; /* of CCID, as far as it came; a notification is all header. Borrowed */
	struct payload_view data;   /* what follows; borrowed */
	bool atr;            /* a response whose data is an ATR */
	bool with_data;      /* nothing is cut out */
	uint32_t call;       /* its number in the relay's session; 0: none */
	const char *text;    /* more for the comment; NULL: none */
	uint64_t lost;       /* packets before this one that are not in the file */
};

/* A class request, on the control pipe; without data. */
struct trace_request {
	uint64_t time;
	uint8_t bus;
	uint8_t address;
	uint8_t setup[8];    /* USB 2.0, table 9-2 */
	const char *text;
	uint64_t lost;
};

/* Sets header and data of a message that has come in one piece. */
void trace_split(struct trace_message *message, struct payload_view whole);

/* Writes what a host would have asked the device before it used it. */
void trace_device(struct cursor_out *out, uint64_t time, const struct trace_device *device);

/* Writes one message. */
void trace_message(struct cursor_out *out, const struct trace_message *message);

/* Writes one request. */
void trace_request(struct cursor_out *out, const struct trace_request *request);

/* How many bytes of a message, header and data, are kept. */
size_t trace_kept(const struct trace_message *message);
