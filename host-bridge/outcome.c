/*
 * The table of SCard errors. See outcome.h; the behaviour of pcsc-lite behind each row is that of
 * its version 1.9.9.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/outcome.h"

#include <stdio.h>

#define CODE(name) name, #name

/* Columns: code; while connecting; on an open handle; what can still be used. */
static const struct outcome outcomes[] = {
	{ CODE(SCARD_S_SUCCESS), WIRE_OK, WIRE_OK, OUTCOME_KEEP_HANDLE },

	/* Somebody else reset or unpowered the card. The handle waits for SCardReconnect. */
	{ CODE(SCARD_W_RESET_CARD), WIRE_CARD_RESET, WIRE_CARD_RESET, OUTCOME_KEEP_HANDLE },
	{ CODE(SCARD_W_UNPOWERED_CARD), WIRE_CARD_MUTE, WIRE_CARD_RESET, OUTCOME_KEEP_HANDLE },

	/* The card is not there, or another one is. */
	{ CODE(SCARD_W_REMOVED_CARD), WIRE_CARD_REMOVED, WIRE_CARD_REMOVED, OUTCOME_KEEP_CONTEXT },
	{ CODE(SCARD_E_NO_SMARTCARD), WIRE_NO_CARD, WIRE_NO_CARD, OUTCOME_KEEP_CONTEXT },

	/* The card is there and doesn't answer to a reset, or answers with nonsense. */
	{ CODE(SCARD_W_UNRESPONSIVE_CARD), WIRE_CARD_MUTE, WIRE_CARD_MUTE, OUTCOME_KEEP_CONTEXT },
	{ CODE(SCARD_W_UNSUPPORTED_CARD), WIRE_CARD_MUTE, WIRE_CARD_MUTE, OUTCOME_KEEP_CONTEXT },

	/* Somebody else has a transaction, or has the card exclusively. Nothing was sent. */
	{ CODE(SCARD_E_SHARING_VIOLATION), WIRE_CARD_BUSY, WIRE_CARD_BUSY, OUTCOME_KEEP_HANDLE },

	{ CODE(SCARD_E_PROTO_MISMATCH), WIRE_PROTOCOL_MISMATCH, WIRE_PROTOCOL_MISMATCH,
	  OUTCOME_KEEP_HANDLE },

	/* The reader was unplugged. */
	{ CODE(SCARD_E_READER_UNAVAILABLE), WIRE_READER_GONE, WIRE_READER_GONE,
	  OUTCOME_KEEP_CONTEXT },
	{ CODE(SCARD_E_UNKNOWN_READER), WIRE_READER_GONE, WIRE_READER_GONE, OUTCOME_KEEP_CONTEXT },
	{ CODE(SCARD_E_NO_READERS_AVAILABLE), WIRE_READER_GONE, WIRE_READER_GONE,
	  OUTCOME_KEEP_CONTEXT },

	/*
	 * pcscd died: SCARD_F_COMM_ERROR to the call that ran, SCARD_E_NO_SERVICE to all later
	 * ones.
	 */
	{ CODE(SCARD_F_COMM_ERROR), WIRE_SERVICE_GONE, WIRE_SERVICE_GONE, OUTCOME_KEEP_NOTHING },
	{ CODE(SCARD_E_NO_SERVICE), WIRE_SERVICE_GONE, WIRE_SERVICE_GONE, OUTCOME_KEEP_NOTHING },
	{ CODE(SCARD_E_SERVICE_STOPPED), WIRE_SERVICE_GONE, WIRE_SERVICE_GONE,
	  OUTCOME_KEEP_NOTHING },

	/* A handle that pcscd doesn't know: it was restarted so fast that nobody saw it. */
	{ CODE(SCARD_E_INVALID_HANDLE), WIRE_CARD_ERROR, WIRE_CARD_ERROR, OUTCOME_KEEP_NOTHING },

	/*
	 * The exchange between reader and card failed; whether the card executed it is not known.
	 */
	{ CODE(SCARD_E_NOT_TRANSACTED), WIRE_CARD_ERROR, WIRE_CARD_ERROR, OUTCOME_KEEP_HANDLE },
	{ CODE(SCARD_F_INTERNAL_ERROR), WIRE_CARD_ERROR, WIRE_CARD_ERROR, OUTCOME_KEEP_HANDLE },
	{ CODE(SCARD_F_UNKNOWN_ERROR), WIRE_CARD_ERROR, WIRE_CARD_ERROR, OUTCOME_KEEP_HANDLE },
	{ CODE(SCARD_E_TIMEOUT), WIRE_CARD_ERROR, WIRE_CARD_ERROR, OUTCOME_KEEP_HANDLE },
	{ CODE(SCARD_E_INSUFFICIENT_BUFFER), WIRE_CARD_ERROR, WIRE_CARD_ERROR,
	  OUTCOME_KEEP_HANDLE },

	/* The reader's driver doesn't know the control code. */
	{ CODE(SCARD_E_UNSUPPORTED_FEATURE), WIRE_UNSUPPORTED, WIRE_UNSUPPORTED,
	  OUTCOME_KEEP_HANDLE },

	/*
	 * Refused by pcscd: a bad argument, memory, no right (polkit), or no context left (also
	 * 6A).
	 */
	{ CODE(SCARD_E_INVALID_PARAMETER), WIRE_CARD_ERROR, WIRE_CARD_ERROR, OUTCOME_KEEP_HANDLE },
	{ CODE(SCARD_E_INVALID_VALUE), WIRE_CARD_ERROR, WIRE_CARD_ERROR, OUTCOME_KEEP_HANDLE },
	{ CODE(SCARD_E_NO_MEMORY), WIRE_CARD_ERROR, WIRE_CARD_ERROR, OUTCOME_KEEP_HANDLE },
	{ CODE(SCARD_E_READER_UNSUPPORTED), WIRE_CARD_ERROR, WIRE_CARD_ERROR, OUTCOME_KEEP_HANDLE },
	{ CODE(SCARD_W_SECURITY_VIOLATION), WIRE_CARD_ERROR, WIRE_CARD_ERROR, OUTCOME_KEEP_HANDLE },
};

/* What is not in the table. */
static const struct outcome outcome_other = {
	.connecting = WIRE_CARD_ERROR,
	.connected = WIRE_CARD_ERROR,
	.keep = OUTCOME_KEEP_HANDLE,
};

const struct outcome *outcome_find(LONG code)
{
	for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
		if (outcomes[i].code == code)
			return &outcomes[i];
	}
	return &outcome_other;
}

enum wire_outcome outcome_for_guest(LONG code, enum outcome_phase phase)
{
	const struct outcome *outcome = outcome_find(code);

	return phase == OUTCOME_CONNECTING ? outcome->connecting : outcome->connected;
}

const char *outcome_code_name(LONG code, char *text, size_t size)
{
	const struct outcome *outcome = outcome_find(code);

	if (outcome->name != NULL)
		return outcome->name;
	(void)snprintf(text, size, "0x%08lX", (unsigned long)code & 0xFFFFFFFF);
	return text;
}
