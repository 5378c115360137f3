/*
 * One reader of one guest: the calls that wait for it, and the worker process that makes them.
 *
 *     WORKER_NONE      no process; one is started by the next call
 *     WORKER_IDLE      a worker waits for a call
 *     WORKER_BUSY      it makes the first call of the queue
 *     WORKER_STUCK     that call took too long and was answered; the worker waits in pcscd, and is
 *                      of no use when that ends
 *     WORKER_ENDING    it gives up its card before another one starts
 *     WORKER_CLEANING  a worker was killed; a cleaner resets the card that it had used
 *
 * In the last three states calls wait, for GUEST_READER_CALL_LIMIT at most.
 *
 * A worker has one call at a time, so that when it dies, only that one has an unknown outcome. The
 * others go to a new worker, which has no handle, and says so to each but WIRE_CONNECT.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "host-bridge/child.h"
#include "host-bridge/comeback.h"
#include "host-bridge/hold.h"
#include "host-bridge/reader_guard.h"
#include "host-bridge/used_cards.h"
#include "relay/call_stats.h"
#include "relay/session.h"
#include "relay/wire.h"

/*
 * ms that a call may wait for another program's transaction, which SCardConnect and SCardDisconnect
 * do within pcscd, and without limit. SCardTransmit and SCardControl may take as long as the card
 * or a user does.
 *
 * A worker that waits in pcscd is left alone. pcscd 1.9.9 doesn't notice that its client has died
 * before the wait is over, so killing it ends nothing, and each one that is tried in its place costs
 * one more of the 200 contexts that all programs of the host share.
 */
#define GUEST_READER_CALL_LIMIT 30000

/*
 * ms that SCardBeginTransaction may wait, which it does within libpcsclite: the worker has given up by
 * itself after CARD_BUSY_LIMIT, unless somebody was faster than it. It is killed then, and has sent
 * nothing.
 */
#define GUEST_READER_WAIT_LIMIT 35000

#define GUEST_READER_GRACE 10000 /* ms that a worker may take when the bridge ends */
#define GUEST_READER_CLEAN_AGAIN 1000 /* ms to the next one, if it could not reset the card */

enum worker_state {
	WORKER_NONE,
	WORKER_IDLE,
	WORKER_BUSY,
	WORKER_STUCK,
	WORKER_ENDING,
	WORKER_CLEANING,
};

struct guest_reader_owner {
	/* A call has ended. reply->data is valid during the call. */
	void (*complete)(void *context, const struct wire_reply *reply);
	void *context;
};

struct guest_reader {
	struct guest_reader *next;   /* of the same guest */
	struct guest_reader_owner owner;
	uv_loop_t *loop;
	const char *guest;           /* names, for the worker and the log; borrowed */
	struct share share;
	char name[WIRE_NAME_MAX];
	uint32_t id;
	enum worker_state state;
	struct child *child;         /* unless WORKER_NONE */
	struct wire_call queue[SESSION_WINDOW]; /* in order; WORKER_BUSY: makes the first */
	size_t queued;
	uint64_t started;            /* when the first call was handed over, ms; 0: not yet */
	uint64_t started_us;         /* the same, of a finer clock */
	struct call_stats stats;
	uint64_t deadline;           /* when patience ends, with whatever there is to wait for */
	bool waiting;                /* WORKER_BUSY: for others to let go; nothing has been sent */
	bool was_used;               /* used, before the call that waits */
	bool late;                   /* it was killed because it waited for too long */
	bool cancelled;              /* it was killed because the guest has given up its call */
	bool open;                   /* the worker has a handle, */
	uint8_t protocol;            /* with this protocol */
	bool used;                   /* and may have sent an APDU over it */
	bool dirty;                  /* a killed worker has left a used card */
	struct comeback comeback;    /* of a card that was refused */
	struct reader_guard guard;   /* set up by the owner, if it has one */
	bool stopping;               /* the bridge ends: no more processes are started */
	struct used_cards *used_cards; /* borrowed */
	bool noted;                  /* there, at place, since it was used */
	size_t place;
};

/*
 * Nothing is started. guest and used_cards are borrowed. Returns NULL when there is no
 * memory.
 */
struct guest_reader *guest_reader_new(const struct guest_reader_owner *owner, uv_loop_t *loop,
	const char *guest, struct share share, struct used_cards *used_cards,
	const struct wire_reader *reader);

/* Frees; there must be no process any more. */
void guest_reader_free(struct guest_reader *reader);

/*
 * Makes call after those that wait; but a WIRE_CANCEL at once. Its data stays valid until it is
 * completed, or until the stop.
 */
void guest_reader_call(struct guest_reader *reader, const struct wire_call *call);

/* The card was left used by nobody who lives, and is noted at place: it is reset first of all. */
void guest_reader_clean(struct guest_reader *reader, size_t place);

/* The session is over: calls are forgotten, and the card is given up. */
void guest_reader_stop(struct guest_reader *reader);

/* The bridge ends: as above, and nothing is started any more. */
void guest_reader_shut(struct guest_reader *reader);

/* Whether no process of ours waits for the card. */
bool guest_reader_is_unoccupied(const struct guest_reader *reader);

/* Time has passed: call it when now >= reader->deadline. */
void guest_reader_tick(struct guest_reader *reader, uint64_t now);
