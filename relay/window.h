/*
 * The window: the calls that one end of a session has to remember, at most SESSION_WINDOW of them.
 * The guest remembers a call until its reply has been read, the bridge until the guest has seen the
 * reply.
 *
 *     FREE -> SENT -> RUNNING -> DONE -> FREE
 *
 * A place holds the bytes of the command until the call is done, those of the response from then
 * on, and is wiped in between and afterwards. Buffers for ordinary APDUs stay with their place;
 * larger ones are given back, so that an idle session is small.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "relay/session.h"
#include "relay/wire.h"

enum window_state {
	WINDOW_FREE,
	WINDOW_SENT,    /* guest: the bridge may have it. Bridge: it waits for its predecessors */
	WINDOW_RUNNING, /* guest: the bridge has it. Bridge: it is being executed */
	WINDOW_DONE,    /* it has its reply */
};

struct window_call {
	enum window_state state;
	struct wire_call call; /* without data and ack */
	uint8_t outcome;       /* DONE */
	uint8_t protocol;      /* DONE */
	struct payload data;   /* command, or response when DONE */
	uint32_t label;        /* guest: the number that its owner knows the call by */
	uint64_t repeat_at;    /* guest: when to ask again */
	bool due;              /* its frame is to be sent: CALL or QUERY, PROGRESS or REPLY */
};

struct window {
	struct window_call calls[SESSION_WINDOW];
};

/* Wipes and frees everything. */
void window_deinit(struct window *window);

/* Forgets all calls. */
void window_clear(struct window *window);

/* A free place, or NULL. */
struct window_call *window_place(struct window *window);

/*
 * The call with this number that is not FREE, or NULL. Of the guest's calls only those without a
 * reply are found: a reply that waits for its owner may be of an earlier session.
 */
struct window_call *window_find(struct window *window, uint32_t number);
struct window_call *window_find_open(struct window *window, uint32_t number);

/* The call with the lowest number that is due to be sent, or NULL. */
struct window_call *window_oldest_due(struct window *window);

/* The call with the lowest number that has no reply, or NULL. */
struct window_call *window_oldest_open(struct window *window);

/* Wipes what the place holds and keeps a copy of data instead. Fatal: -ENOMEM. */
int window_keep(struct window_call *call, struct payload_view data);

/* Wipes the place and makes it free. */
void window_forget(struct window_call *call);
