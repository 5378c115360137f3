/*
 * The connection to the bridge: a link and a session, run by the loop.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <uv.h>

#include "gadget/config.h"
#include "relay/wire.h"

struct connection;

struct connection_callbacks {
	/*
	 * What the bridge says of its readers has changed; NULL: there is no session, and every card
	 * counts as gone.
	 */
	void (*readers)(void *owner, const struct wire_readers *readers);
	/* A call has ended. */
	void (*reply)(void *owner, const struct wire_reply *reply);
	/* The connection can't go on: an error that is fatal for the process has been logged. */
	void (*failed)(void *owner);
};

/*
 * Opens the link to the bridge of config and starts this guest's session over it, encrypted where
 * config has keys, which are copied. The bridge need not be there. Returns 0, or 1 when the endpoint
 * can't be used (which is logged). Fatal: negative.
 */
int connection_open(struct connection **connection, uv_loop_t *loop, const struct config *config,
	const struct connection_callbacks *callbacks, void *owner);

/* Whether something that was due a while ago has not been done: the loop turns in vain. */
bool connection_is_late(const struct connection *connection);

/* Says goodbye and closes; returns NULL. May be called with NULL. No callback comes any more. */
struct connection *connection_close(struct connection *connection);

/* Whether a session with the bridge is open. */
bool connection_is_up(const struct connection *connection);

/* For a display. */
struct connection_look {
	const char *endpoint; /* the connection's */
	bool secure;          /* encrypted, between keys */
	bool up;              /* connection_is_up() */
	time_t since;         /* when that became so, at the start the latter */
	uint64_t sessions;    /* that have been opened */
};

struct connection_look connection_look(const struct connection *connection);

/* What the bridge shows this guest; nothing while there is no session. */
const struct wire_readers *connection_readers(const struct connection *connection);

/*
 * Makes a call; see guest_session_call(). Returns what that returns. Its reply comes later, never
 * from within.
 */
int connection_call(struct connection *connection, const struct wire_call *call, uint32_t *number);
