/*
 * The guest's half of a session.
 *
 *     HELLO    there is no session; hellos go out until one is welcomed
 *     OPEN     calls are made, repeated and answered; the readers are known
 *     LEAVING  the goodbye is on its way; no more calls
 *     ENDED    nothing is sent any more
 *
 * What has to be sent is remembered as state (a hello is due, this call is due) and becomes a frame
 * only when it is popped. So there is no queue to overflow, a frame always tells the newest state,
 * and what nobody fetched is never sent twice.
 *
 * It refuses to send a call again once its session is over: the bridge may have executed it, so it
 * ends as WIRE_OUTCOME_UNKNOWN.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/session_guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/window.h"
#include "relay/wire.h"

/* ---- the life of a session ---- */

static void start_hello(struct guest_session *session, uint64_t now)
{
	session->state = GUEST_HELLO;
	session->incarnation++;
	session->hello_due = true;
	session->hello_at = now + paced(session, SESSION_HELLO_INTERVAL);
}

static void open_session(struct guest_session *session, uint64_t now, uint64_t id)
{
	session->state = GUEST_OPEN;
	session->id = id;
	session->issued = 0;
	session->hello_due = false;
	session->refused.reason = 0;
	session->lease_at = now + SESSION_LEASE;
	/* The bridge opens the session when it hears its number (PROTOCOL.md, 6). */
	session->heard = false;
	session->ping_due = true;
	session->ping_at = now + SESSION_HELLO_INTERVAL;
	guest_push_event(session, GUEST_SESSION_UP, NULL);
}

static void finish_call(struct guest_session *session, struct window_call *call, uint8_t outcome,
	uint8_t protocol)
{
	call->state = WINDOW_DONE;
	call->due = false;
	call->outcome = outcome;
	call->protocol = protocol;
	guest_push_event(session, GUEST_SESSION_REPLY, call);
}

/* Whatever the bridge knows of the open calls, we will never learn it. */
static void lose_calls(struct guest_session *session)
{
	struct window_call *call;

	while ((call = window_oldest_open(&session->window)) != NULL) {
		payload_clear(&call->data);
		finish_call(session, call, WIRE_OUTCOME_UNKNOWN, 0);
	}
}

void guest_end(struct guest_session *session)
{
	lose_calls(session);
	memset(&session->readers, 0, sizeof(session->readers));
	session->id = 0;
	session->ping_due = false;
	session->bye_due = false;
	guest_push_event(session, GUEST_SESSION_DOWN, NULL);
}

void guest_lose(struct guest_session *session, uint64_t now)
{
	guest_end(session);
	start_hello(session, now);
}

int guest_session_new(struct guest_session **sessionp, const char *name, uint64_t boot,
	uint64_t now)
{
	struct guest_session *session;
	int result = -ENOMEM;

	*sessionp = NULL;
	session = calloc(1, sizeof(*session));
	if (session == NULL)
		return result;
	result = payload_init(&session->frame, WIRE_FRAME_MAX);
	if (result < 0) {
		free(session);
		return result;
	}
	(void)snprintf(session->name, sizeof(session->name), "%s", name);
	session->boot = boot;
	session->pace = SESSION_RETRY_FIRST;
	session->relink_at = now + SESSION_LINK_DEAD;
	start_hello(session, now);
	*sessionp = session;
	return 0;
}

struct guest_session *guest_session_free(struct guest_session *session)
{
	if (session != NULL) {
		window_deinit(&session->window);
		payload_deinit(&session->frame);
		free(session);
	}
	return NULL;
}

/* ---- frames in ---- */

/* A refusal is told once per reason, until a session was open in between. */
static void tell_refusal(struct guest_session *session, const struct wire_refused *refused)
{
	if (refused->reason == session->refused.reason)
		return;
	session->refused = *refused;
	guest_push_event(session, GUEST_SESSION_REFUSED, NULL);
}

static int receive_in_hello(struct guest_session *session, uint64_t now,
	const struct wire_message *message)
{
	uint32_t answered;

	switch (message->type) {
	case WIRE_WELCOME:
		/* The answer to an older hello is of a session that we have given up. */
		if (message->session == 0 || message->welcome.incarnation != session->incarnation)
			return SESSION_IGNORED;
		open_session(session, now, message->session);
		return 0;
	case WIRE_REFUSED:
		/* A bridge of another major version can't read our incarnation, and sends 0. */
		answered = message->refused.incarnation;
		if (message->session != 0 ||
				(answered != session->incarnation &&
					message->refused.reason != WIRE_REFUSED_VERSION))
			return SESSION_IGNORED;
		tell_refusal(session, &message->refused);
		return 0;
	default:
		return SESSION_IGNORED;
	}
}

static int receive_reply(struct guest_session *session, const struct wire_reply *reply)
{
	struct window_call *call = window_find_open(&session->window, reply->number);
	int result;

	if (call == NULL)
		return SESSION_IGNORED;
	result = window_keep(call, reply->data);
	if (result < 0)
		return result;
	finish_call(session, call, reply->outcome, reply->protocol);
	return 0;
}

static int receive_progress(struct guest_session *session, uint64_t now,
	const struct wire_progress *progress)
{
	struct window_call *call = window_find_open(&session->window, progress->number);

	if (call == NULL)
		return SESSION_IGNORED;
	call->state = WINDOW_RUNNING;
	call->due = false;
	call->repeat_at = now + SESSION_REPEAT;
	return 0;
}

static int receive_readers(struct guest_session *session, uint64_t now,
	const struct wire_readers *readers)
{
	if (readers->version < session->readers.version)
		return SESSION_IGNORED;
	/* The acknowledgement of this version may have been lost: it is given each time. */
	session->ping_due = true;
	session->ping_at = now + SESSION_HEARTBEAT;
	if (readers->version == session->readers.version)
		return 0;
	session->readers = *readers;
	guest_push_event(session, GUEST_SESSION_READERS, NULL);
	return 0;
}

static int receive_in_open(struct guest_session *session, uint64_t now,
	const struct wire_message *message)
{
	if (message->session != session->id)
		return SESSION_IGNORED;
	session->lease_at = now + SESSION_LEASE;
	if (message->type != WIRE_WELCOME && !session->heard) {
		session->heard = true;
		session->ping_at = now + SESSION_HEARTBEAT;
	}
	switch (message->type) {
	case WIRE_REFUSED:
		guest_lose(session, now);
		if (message->refused.reason != WIRE_REFUSED_NO_SESSION)
			tell_refusal(session, &message->refused);
		return 0;
	case WIRE_REPLY:
		return receive_reply(session, &message->reply);
	case WIRE_PROGRESS:
		return receive_progress(session, now, &message->progress);
	case WIRE_READERS:
		return receive_readers(session, now, &message->readers);
	case WIRE_WELCOME:
		/* That of a repeated hello: the bridge may not have heard our answer to the first. */
		session->ping_due = !session->heard;
		return 0;
	case WIRE_PONG:
		return 0;
	default:
		return SESSION_IGNORED;
	}
}

static int receive_in_leaving(struct guest_session *session, const struct wire_message *message)
{
	if (message->type != WIRE_REFUSED || message->session != session->id)
		return SESSION_IGNORED;
	guest_end(session);
	session->state = GUEST_ENDED;
	return 0;
}

int guest_session_receive(struct guest_session *session, uint64_t now, const void *frame,
	size_t size)
{
	struct wire_message message;

	guest_settle(session);
	if (!guest_events_have_room(session))
		return -ENOBUFS;
	if (wire_decode(frame, size, &message) != 0)
		return SESSION_IGNORED;
	session->relink_at = now + SESSION_LINK_DEAD;
	session->pace = SESSION_LEASE;
	switch (session->state) {
	case GUEST_HELLO:
		/* Only the answer to our hello matters; the rest is of an earlier session. */
		return receive_in_hello(session, now, &message);
	case GUEST_OPEN:
		/* Frames of this session, and nothing else. */
		return receive_in_open(session, now, &message);
	case GUEST_LEAVING:
		/* The bridge confirms that the session is over by not knowing it. */
		return receive_in_leaving(session, &message);
	case GUEST_ENDED:
		/* Nobody listens any more. */
		break;
	}
	return SESSION_IGNORED;
}

/* ---- our owner's wishes ---- */

int guest_session_call(struct guest_session *session, uint64_t now, const struct wire_call *call,
	uint32_t *number)
{
	struct window_call *place;
	int result;

	if (session->state != GUEST_OPEN)
		return SESSION_NOT_OPEN;
	if (call->data.size > WIRE_APDU_MAX)
		return -EMSGSIZE;
	place = window_place(&session->window);
	if (place == NULL || session->issued == UINT32_MAX)
		return SESSION_WINDOW_FULL;
	result = window_keep(place, call->data);
	if (result < 0)
		return result;
	place->state = WINDOW_SENT;
	place->call = *call;
	place->call.number = ++session->issued;
	place->call.data = (struct payload_view){ .bytes = NULL };
	place->label = ++session->label;
	place->due = true;
	place->repeat_at = now + paced(session, SESSION_REPEAT);
	session->ping_at = now + guest_heartbeat(session);
	*number = place->label;
	return 0;
}

const struct wire_readers *guest_session_readers(const struct guest_session *session)
{
	return &session->readers;
}

bool guest_session_is_up(const struct guest_session *session)
{
	return session->state == GUEST_OPEN;
}

void guest_session_bye(struct guest_session *session)
{
	switch (session->state) {
	case GUEST_HELLO:
		/* Nobody knows us: that is the end already. */
		session->state = GUEST_ENDED;
		session->hello_due = false;
		guest_push_event(session, GUEST_SESSION_DOWN, NULL);
		break;
	case GUEST_OPEN:
		/* The calls end now; the session when the bridge has heard of it. */
		session->state = GUEST_LEAVING;
		lose_calls(session);
		session->bye_due = true;
		session->bye_at = 0;
		session->leave_at = SESSION_NEVER;
		break;
	case GUEST_LEAVING:
	case GUEST_ENDED:
		/* Said already. */
		break;
	}
}
