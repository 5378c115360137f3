/*
 * The guest's half as time passes: hellos, repetitions, heartbeats, and what silence costs. See
 * session_guest.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/session_guest.h"

#include <errno.h>

/*
 * A new link starts without a session's silence behind it, and whatever was on the way is lost: all
 * that waits for an answer is sent again. The link may need a moment to connect and drops frames
 * until then, hence the short first intervals.
 */
static void relink(struct guest_session *session, uint64_t now)
{
	guest_push_event(session, GUEST_SESSION_RELINK, NULL);
	session->relink_at = now + SESSION_LINK_DEAD;
	session->pace = SESSION_RETRY_FIRST;
	session->hello_at = now;
	session->ping_at = now;
	for (size_t i = 0; i < SESSION_WINDOW; i++)
		session->window.calls[i].repeat_at = now;
}

static bool is_open(const struct window_call *call)
{
	return call->state == WINDOW_SENT || call->state == WINDOW_RUNNING;
}

/* A call that the bridge may not have is sent again; of one that it has, the outcome is asked. */
static bool repeat_calls(struct guest_session *session, uint64_t now)
{
	bool any = false;

	for (size_t i = 0; i < SESSION_WINDOW; i++) {
		struct window_call *call = &session->window.calls[i];

		if (is_open(call) && now >= call->repeat_at) {
			call->due = true;
			call->repeat_at = now + paced(session, SESSION_REPEAT);
			any = true;
		}
	}
	return any;
}

static bool tick_in_hello(struct guest_session *session, uint64_t now)
{
	if (now < session->hello_at)
		return false;
	session->hello_due = true;
	session->hello_at = now + paced(session, SESSION_HELLO_INTERVAL);
	return true;
}

static bool tick_in_open(struct guest_session *session, uint64_t now)
{
	bool sent = repeat_calls(session, now);

	if (!sent && now >= session->ping_at) {
		session->ping_due = true;
		session->ping_number++;
		sent = true;
	}
	if (sent)
		session->ping_at = now + paced(session, guest_heartbeat(session));
	return sent;
}

static void tick_in_leaving(struct guest_session *session, uint64_t now)
{
	if (session->leave_at == SESSION_NEVER) {
		session->leave_at = now + SESSION_BYE_LIMIT;
		session->bye_at = now + SESSION_BYE_REPEAT;
	} else if (now >= session->leave_at) {
		guest_end(session);
		session->state = GUEST_ENDED;
	} else if (now >= session->bye_at) {
		session->bye_due = true;
		session->bye_at = now + SESSION_BYE_REPEAT;
	}
}

/* Whether the last number is given, and its call answered. */
static bool is_used_up(const struct guest_session *session)
{
	bool open = false;

	for (size_t i = 0; i < SESSION_WINDOW; i++)
		open = open || is_open(&session->window.calls[i]);
	return session->issued == UINT32_MAX && !open;
}

int guest_session_tick(struct guest_session *session, uint64_t now)
{
	bool sent = false;

	guest_settle(session);
	if (!guest_events_have_room(session))
		return -ENOBUFS;
	switch (session->state) {
	case GUEST_OPEN:
		/* Silence first costs the link, then the session. So does a lack of numbers. */
		if (now >= session->lease_at || is_used_up(session))
			guest_lose(session, now);
		/* fall through */
	case GUEST_HELLO:
		/* Hellos go on for ever, over a new link now and then. */
		if (now >= session->relink_at)
			relink(session, now);
		if (session->state == GUEST_OPEN)
			sent = tick_in_open(session, now);
		else
			sent = tick_in_hello(session, now);
		break;
	case GUEST_LEAVING:
		/* A goodbye isn't worth a wait: a few tries, then the lease must do it. */
		tick_in_leaving(session, now);
		break;
	case GUEST_ENDED:
		/* There is nothing left to do. */
		break;
	}
	if (sent)
		session->pace = earlier(session->pace * 2, SESSION_LEASE);
	return 0;
}

uint64_t guest_session_deadline(const struct guest_session *session)
{
	uint64_t deadline = SESSION_NEVER;

	switch (session->state) {
	case GUEST_HELLO:
		/* The next hello, or the next link. */
		deadline = earlier(session->hello_at, session->relink_at);
		break;
	case GUEST_OPEN:
		/* The next repetition, heartbeat, or consequence of silence. */
		deadline = earlier(session->lease_at, earlier(session->relink_at, session->ping_at));
		if (is_used_up(session))
			deadline = 0;
		for (size_t i = 0; i < SESSION_WINDOW; i++) {
			const struct window_call *call = &session->window.calls[i];

			if (is_open(call))
				deadline = earlier(deadline, call->repeat_at);
		}
		break;
	case GUEST_LEAVING:
		/* The next goodbye, or the end; at once when the end isn't known yet. */
		deadline = session->leave_at == SESSION_NEVER ?
			0 : earlier(session->bye_at, session->leave_at);
		break;
	case GUEST_ENDED:
		/* Never again. */
		break;
	}
	return deadline;
}
