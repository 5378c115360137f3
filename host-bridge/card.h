/*
 * One card in one reader, on behalf of one guest: the heart of a worker. Calls of the relay go in,
 * SCard calls are made, and each call gets its one reply.
 *
 *                     no handle                a handle
 *     WIRE_CONNECT    connects                 reconnects
 *     WIRE_TRANSMIT   is WIRE_NOT_CONNECTED    transmits
 *     WIRE_SECURE     is WIRE_NOT_CONNECTED    lets a PIN be entered at the reader
 *     WIRE_ESCAPE     asks the reader          asks the reader
 *     WIRE_DISCONNECT is done                  disconnects
 *
 * A context lives as long as the handle, so that a guest without a card in use is nothing to pcscd.
 *
 * What this refuses to do: to make a call twice, to reconnect on its own, and to pass on a success
 * without an answer. A card to which the guest sent an APDU, or which may have got one by a PIN entry
 * or an escape, is reset when it is given up, so that no PIN state is left to whoever uses it next.
 *
 * Each call may block for as long as pcscd likes; see worker.h. While another program holds a
 * transaction, calls are tried again for CARD_BUSY_LIMIT. For this, PCSCLITE_NO_BLOCKING must be in
 * the environment: else SCardTransmit and SCardReconnect wait within libpcsclite without limit.
 * SCardControl never waits by itself.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host-bridge/hold.h"
#include "host-bridge/pcsc.h"
#include "relay/wire.h"

#define CARD_BUSY_LIMIT 30000 /* ms that a call waits for another program's transaction */
#define CARD_BUSY_POLL HOLD_POLL /* ms between two tries */

/* ms that an exclusive connect waits for others to let go: the guest's driver waits for 4.5 s. */
#define CARD_EXCLUSIVE_LIMIT 4000

/* How time passes between two tries; the tests have a clock of their own. */
struct card_patience {
	/* Sleeps; returns false when the guest is gone, and trying again is pointless. */
	bool (*wait)(void *context, unsigned int milliseconds);
	/* ms of a monotonic clock. This and the next are used with SHARE_TRANSACTION only. */
	uint64_t (*now)(void *context);
	/* Called before the card waits for others, and again after: it may take for ever. */
	void (*waiting)(void *context);
	void *context;
};

struct card {
	const struct pcsc_functions *pcsc;
	struct card_patience patience;
	const char *tag;     /* for the log: the guest's name */
	const char *reader;
	SCARDCONTEXT context;
	SCARDHANDLE handle;
	bool context_open;
	bool open;           /* handle is valid */
	bool used;           /* an APDU was sent since the card was last known to be reset */
	bool unclean;        /* it was given up without the reset that it needed: a cleaner must come */
	bool outdated;       /* pcscd is of a version that this process's libpcsclite can't talk to */
	struct hold hold;
	DWORD protocol;      /* SCARD_PROTOCOL_T0 or SCARD_PROTOCOL_T1 */
	uint8_t response[WIRE_APDU_MAX]; /* pcscd's answer may need all of it, whatever Le said */
};

/* Nothing is opened. tag and reader are borrowed. */
void card_init(struct card *card, const struct pcsc_functions *pcsc, struct card_patience patience,
	const char *tag, const char *reader);

/* How the card is shared, if not with everybody at any time. */
void card_set_share(struct card *card, struct share share);

/* Time has passed: ends a transaction that is due. Call it when now >= card_deadline(). */
void card_tick(struct card *card);

/* When to call card_tick(), ms of patience's clock, or HOLD_NEVER. */
uint64_t card_deadline(const struct card *card);

/* Gives the card up, as WIRE_DISCONNECT does, and wipes. May be called twice. */
void card_deinit(struct card *card);

/* Makes one call. reply->data is valid until the next one. */
void card_call(struct card *card, const struct wire_call *call, struct wire_reply *reply);

/*
 * Resets a card that another worker of this guest had used when it was killed. Returns whether no
 * state of that guest can be left in it: it was reset, or it isn't there any more.
 */
bool card_clean(struct card *card);
