/*
 * A reader and a card, used through plain libpcsclite.
 *
 * Each call keeps PC/SC's result; nothing is retried and nothing is hidden, because what the caller
 * of these programs wants to see is exactly what the service said. The receive buffer is always the
 * largest: a shorter one would make pcscd fail after the card has executed the command.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <winscard.h>

#include "tests/pcsc/timing.h"

struct session_options {
	const char *reader;   /* a number, or a pattern for the name (reader_matches()) */
	DWORD protocols;      /* SCARD_PROTOCOL_*, one or both */
	DWORD share;          /* SCARD_SHARE_* */
	DWORD disposition;    /* SCARD_LEAVE_CARD etc., for the disconnect at the end */
	unsigned int wait_ms; /* how long to wait for service, reader and card before connecting */
};

struct session {
	struct session_options options;
	SCARDCONTEXT context;
	bool has_context;
	SCARDHANDLE card;
	bool connected;
	DWORD protocol;               /* the active one, SCARD_PROTOCOL_* */
	char reader[MAX_READERNAME];
	struct timing timing;         /* one duration per SCardTransmit */
	uint64_t last_us;             /* the latest of them */
	uint8_t response[MAX_BUFFER_SIZE_EXTENDED];
	size_t response_size;
};

/*
 * Whether name is meant by pattern: fnmatch(3) of the whole name, of which a trailing index as
 * pcscd appends it (" 00 01") may be left out.
 */
bool reader_matches(const char *pattern, const char *name);

/* Makes a session without touching PC/SC. options is copied, its strings are borrowed. */
void session_init(struct session *session, const struct session_options *options);

/* Disconnects with the option's disposition and releases the context; may be called twice. */
void session_deinit(struct session *session);

/* Establishes the context and finds the reader, within wait_ms. Returns PC/SC's result. */
LONG session_open(struct session *session);

/* Connects, after having waited up to wait_ms for a card. Returns PC/SC's result. */
LONG session_connect(struct session *session);

LONG session_disconnect(struct session *session, DWORD disposition);
LONG session_reconnect(struct session *session, DWORD initialization);

/* Sends a command APDU; the answer is in response, response_size. Returns PC/SC's result. */
LONG session_transmit(struct session *session, const uint8_t *command, size_t size);

/* Waits until the reader's state has one of the bits. Returns SCARD_E_TIMEOUT when it does not. */
LONG session_wait_state(struct session *session, DWORD bits, unsigned int wait_ms);

/* The status word of the latest answer, or -1 if it had fewer than two bytes. */
int session_sw(const struct session *session);
