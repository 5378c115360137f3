/*
 * The inside of the guest's half, shared by its three files: session_guest.c has the life of a
 * session and what comes in, session_guest_time.c what happens as time passes, session_guest_out.c
 * the events and frames that go out. Nobody else includes this.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "relay/session.h"
#include "relay/window.h"
#include "relay/wire.h"

/* Events that wait for their owner, and the most that one call of ours adds. */
#define EVENTS_MAX 64
#define EVENTS_AT_ONCE (SESSION_WINDOW + 4)

static_assert(WIRE_OPEN_MAX == SESSION_WINDOW, "every open call must fit into an acknowledgement");

enum guest_state {
	GUEST_HELLO,
	GUEST_OPEN,
	GUEST_LEAVING,
	GUEST_ENDED,
};

struct queued_event {
	enum guest_event_type type;
	struct window_call *call; /* GUEST_SESSION_REPLY */
};

struct guest_session {
	enum guest_state state;
	char name[WIRE_NAME_MAX];
	uint64_t boot;
	uint32_t incarnation;
	uint64_t id;          /* of the session; OPEN, LEAVING */
	uint32_t label;       /* the last number given to our owner */
	uint32_t issued;      /* the last number given in this session */
	uint32_t ping_number;
	struct window window;
	struct wire_readers readers;
	struct wire_refused refused; /* the last refusal that was told; reason 0 for none */

	bool heard;           /* OPEN: the bridge has heard of it, too */
	bool hello_due;
	bool ping_due;
	bool bye_due;

	uint64_t pace;     /* most ms between two tries; short while a new link connects */
	uint64_t hello_at; /* HELLO */
	uint64_t relink_at;
	uint64_t lease_at; /* OPEN */
	uint64_t ping_at;  /* OPEN */
	uint64_t bye_at;   /* LEAVING */
	uint64_t leave_at; /* LEAVING; SESSION_NEVER until the first tick has set it */

	struct queued_event events[EVENTS_MAX];
	size_t events_first;
	size_t events_count;
	struct window_call *handed_out; /* whose reply our owner is reading */
	struct payload frame;
};

static inline uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How long to wait for an answer before the next try. */
static inline uint64_t paced(const struct guest_session *session, uint64_t interval)
{
	return earlier(interval, session->pace);
}

/*
 * The longest time between two frames that we send. What we hear doesn't count: it may be late, and
 * says nothing of whether the bridge hears us.
 */
static inline uint64_t guest_heartbeat(const struct guest_session *session)
{
	return session->heard ? SESSION_HEARTBEAT : SESSION_HELLO_INTERVAL;
}

/* session_guest_out.c: our owner has come back, and has read what it was given last. */
void guest_settle(struct guest_session *session);

/* session_guest_out.c: whether one more call of ours may add its events. */
bool guest_events_have_room(const struct guest_session *session);

/* session_guest_out.c: queues an event; call only for GUEST_SESSION_REPLY. */
void guest_push_event(struct guest_session *session, enum guest_event_type type,
	struct window_call *call);

/* session_guest.c: ends the session with all of its calls; the caller sets the new state. */
void guest_end(struct guest_session *session);

/* session_guest.c: the session is lost; a new incarnation says hello. */
void guest_lose(struct guest_session *session, uint64_t now);
