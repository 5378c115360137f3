/*
 * What an SCard error means for the guest, and for the handle it came from: one table.
 *
 * The meaning can depend on what was being done: SCARD_W_UNPOWERED_CARD from SCardConnect is a card
 * that can't be powered, from SCardTransmit it is one that somebody else has powered down.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <winscard.h>

#include "relay/wire.h"

enum outcome_phase {
	OUTCOME_CONNECTING, /* SCardEstablishContext, SCardConnect, SCardReconnect */
	OUTCOME_CONNECTED,  /* SCardTransmit, SCardStatus, SCardDisconnect */
};

/* What can still be used after the error. */
enum outcome_keep {
	OUTCOME_KEEP_HANDLE,  /* the handle: the card is there, or a reconnect can reach it */
	OUTCOME_KEEP_CONTEXT, /* the context: the handle leads nowhere */
	OUTCOME_KEEP_NOTHING, /* nothing: pcscd is gone, and a new one knows neither */
};

struct outcome {
	LONG code;        /* of the SCard function */
	const char *name; /* of the code, for log lines */
	enum wire_outcome connecting;
	enum wire_outcome connected;
	enum outcome_keep keep;
};

/*
 * The row of code; for a code that has none, a row that says WIRE_CARD_ERROR and no name. Never
 * NULL.
 */
const struct outcome *outcome_find(LONG code);

/* What the guest is told. */
enum wire_outcome outcome_for_guest(LONG code, enum outcome_phase phase);

/* The name of code, "SCARD_W_RESET_CARD", or its number. text is of use for the latter only. */
const char *outcome_code_name(LONG code, char *text, size_t size);
