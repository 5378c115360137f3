/*
 * What card.c and card_control.c share. Nobody else includes this.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "host-bridge/card.h"
#include "host-bridge/outcome.h"

/* ISO 7816-4:2013, 5.1: a response ends with SW1 and SW2. */
#define CARD_RESPONSE_MIN 2

/* Whether to make the same call again: another program has the card, and there is time left. */
bool card_waits(struct card *card, LONG rv, unsigned int *waited);

/* Says what failed, gives up what can't be used any more, and tells the guest. */
void card_failed(struct card *card, const char *function, LONG rv, enum outcome_phase phase,
	struct wire_reply *reply);

/*
 * What a command to the card has come to: rv is the function's, size that of the answer in response,
 * which has two bytes at least.
 */
void card_take_response(struct card *card, const char *function, LONG rv, DWORD size,
	struct wire_reply *reply);

/* Establishes the context, unless there is one. */
LONG card_establish(struct card *card);

/* Releases it. */
void card_drop_context(struct card *card);

/*
 * Reads the ATR into response, unless another program has a transaction. An error if the card is not as
 * it was connected.
 */
LONG card_look(struct card *card, DWORD *size);

/* The same, and waits for that program. */
LONG card_read_atr(struct card *card, DWORD *size);

/*
 * Before what must not be interrupted: begins a transaction, if the guest's share is that and none is
 * held. apdu is what follows. An error: nothing was sent.
 */
LONG card_begin(struct card *card, struct payload_view apdu);

/* After it. */
void card_ended(struct card *card);

/* The handle is gone, and the transaction with it. */
void card_let_go(struct card *card);

/* WIRE_SECURE and WIRE_ESCAPE. */
void card_secure(struct card *card, const struct wire_call *call, struct wire_reply *reply);
void card_escape(struct card *card, const struct wire_call *call, struct wire_reply *reply);
