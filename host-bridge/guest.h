/*
 * One guest of the configuration, as core sees it: its session, the route to it, the readers that
 * it may use, and the calls that go from the one to the others.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <uv.h>

#include "base/payload.h"
#include "host-bridge/call_trace.h"
#include "host-bridge/config.h"
#include "host-bridge/front_keeper.h"
#include "host-bridge/guest_reader.h"
#include "host-bridge/leftovers.h"
#include "host-bridge/pin_guard.h"
#include "host-bridge/reader_table.h"
#include "host-bridge/used_cards.h"
#include "relay/wire.h"

struct bridge_guest;

/* What a guest needs of core. */
struct bridge_guest_host {
	uv_loop_t *loop;
	uint64_t boot;         /* random, chosen when the bridge starts */
	struct used_cards *used_cards;
	struct pin_guard *pin_guard; /* of all guests; set before the first session */
	struct call_traces *traces;  /* of all guests */
	const struct leftovers *leftovers; /* cards that nobody gets yet */
	void (*send)(void *context, const struct front_route *to, struct payload_view frame);
	/* A worker's answer met a fatal error: core should give up. error is negative. */
	void (*fail)(void *context, int error);
	void *context;
};

/* Makes a guest without a session. config and host are borrowed. Fatal: -ENOMEM. */
int bridge_guest_new(struct bridge_guest **guest, const struct bridge_guest_config *config,
	const struct bridge_guest_host *host);

/* Frees; no process may be left. Returns NULL. May be called with NULL. */
struct bridge_guest *bridge_guest_free(struct bridge_guest *guest);

const char *bridge_guest_name(const struct bridge_guest *guest);

/* The number of the open session, 0 while there is none. */
uint64_t bridge_guest_session(const struct bridge_guest *guest);

/* Where this guest's session was heard last; empty while that is not known. */
const struct front_route *bridge_guest_route(const struct bridge_guest *guest);

/* This front has died: a route over it is nobody's, until the guest is heard again. */
void bridge_guest_link_lost(struct bridge_guest *guest, const struct front_keeper *front);

/* Whether a frame with this number is for this guest; see bridge_session_knows(). */
bool bridge_guest_knows(const struct bridge_guest *guest, uint64_t session);

/* A message of this guest has come from there. Fatal: -errno. */
int bridge_guest_receive(struct bridge_guest *guest, const struct wire_message *message,
	const struct front_route *from);

/* Time has passed: call it when now >= bridge_guest_deadline(). Fatal: -errno. */
int bridge_guest_tick(struct bridge_guest *guest, uint64_t now);

/* When to call bridge_guest_tick() next, ms of the loop's clock. */
uint64_t bridge_guest_deadline(const struct bridge_guest *guest);

/* The host's readers are now those of table. Fatal: -errno. */
int bridge_guest_set_readers(struct bridge_guest *guest, const struct reader_table *table);

/* Nothing is known of the host's readers, and no guest has a session. */
void bridge_guest_forget_readers(struct bridge_guest *guest);

/* What this guest does with a reader, for a display. */
struct bridge_guest_use {
	bool allowed; /* it may see it */
	bool open;    /* it has a handle on the card */
	bool used;    /* and may have sent an APDU over it */
};

struct bridge_guest_use bridge_guest_use(const struct bridge_guest *guest, const char *reader);

/* What it has done since the bridge's start, for a display. */
struct bridge_guest_look {
	time_t since;           /* when its session was opened or closed last; 0: never */
	uint64_t sessions;      /* that were opened */
	uint64_t refused_calls; /* by the policy */
	const struct guest_reader *readers; /* the list of those it has used, with their counters */
};

struct bridge_guest_look bridge_guest_look(const struct bridge_guest *guest);

/* Whether one of its processes has not ended yet. */
bool bridge_guest_is_busy(const struct bridge_guest *guest);

/* The bridge ends: cards are given up, and nothing is started any more. */
void bridge_guest_shut(struct bridge_guest *guest);
