/*
 * The guest's half of a session.
 *
 *     HELLO    there is no session; hellos go out until one is welcomed
 *     OPEN     calls are made, repeated and answered; the readers are known
 *     LEAVING  the goodbye is on its way; no more calls
 *     ENDED    nothing is sent any more
 *
 * What has to be sent is remembered as state (a hello is due, this call is due) and becomes a frame
 * only when it is popped. So there is no queue to overflow, a frame always tells the newest state, and
 * what nobody fetched is never sent twice.
 *
 * It refuses to send a call again once its session is over: the bridge may have executed it, so it
 * ends as WIRE_OUTCOME_UNKNOWN.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

	bool hello_due;
	bool ping_due;
	bool bye_due;

	uint64_t pace;     /* most ms between two tries; short while a new link may still be connecting */
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

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How long to wait for an answer before the next try. */
static uint64_t paced(const struct guest_session *session, uint64_t interval)
{
	return earlier(interval, session->pace);
}

/* ---- what was handed out, and events ---- */

/* Our owner has come back: it has read the reply that it was given last. */
static void settle_event(struct guest_session *session)
{
	if (session->handed_out != NULL)
		window_forget(session->handed_out);
	session->handed_out = NULL;
}

static void settle(struct guest_session *session)
{
	settle_event(session);
	payload_clear(&session->frame);
}

static bool events_have_room(const struct guest_session *session)
{
	return session->events_count + EVENTS_AT_ONCE <= EVENTS_MAX;
}

static void push_event(struct guest_session *session, enum guest_event_type type,
	struct window_call *call)
{
	size_t last = (session->events_first + session->events_count) % EVENTS_MAX;

	assert(session->events_count < EVENTS_MAX);
	session->events[last] = (struct queued_event){ .type = type, .call = call };
	session->events_count++;
}

bool guest_session_pop_event(struct guest_session *session, struct guest_event *event)
{
	struct queued_event *first = &session->events[session->events_first];

	settle_event(session);
	if (session->events_count == 0)
		return false;
	*event = (struct guest_event){ .type = first->type };
	if (first->type == GUEST_SESSION_REPLY) {
		event->reply.number = first->call->label;
		event->reply.outcome = first->call->outcome;
		event->reply.protocol = first->call->protocol;
		event->reply.data = payload_view(&first->call->data);
		session->handed_out = first->call;
	} else if (first->type == GUEST_SESSION_REFUSED) {
		event->refused = session->refused;
	}
	session->events_first = (session->events_first + 1) % EVENTS_MAX;
	session->events_count--;
	return true;
}

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
	session->ping_at = now + SESSION_HEARTBEAT;
	push_event(session, GUEST_SESSION_UP, NULL);
}

static void finish_call(struct guest_session *session, struct window_call *call, uint8_t outcome,
	uint8_t protocol)
{
	call->state = WINDOW_DONE;
	call->due = false;
	call->outcome = outcome;
	call->protocol = protocol;
	push_event(session, GUEST_SESSION_REPLY, call);
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

static void end_session(struct guest_session *session)
{
	lose_calls(session);
	memset(&session->readers, 0, sizeof(session->readers));
	session->id = 0;
	session->ping_due = false;
	session->bye_due = false;
	push_event(session, GUEST_SESSION_DOWN, NULL);
}

static void lose_session(struct guest_session *session, uint64_t now)
{
	end_session(session);
	start_hello(session, now);
}

int guest_session_new(struct guest_session **sessionp, const char *name, uint64_t boot, uint64_t now)
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
	push_event(session, GUEST_SESSION_REFUSED, NULL);
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

static int receive_readers(struct guest_session *session, const struct wire_readers *readers)
{
	if (readers->version < session->readers.version)
		return SESSION_IGNORED;
	/* The acknowledgement of this version may have been lost: it is given each time. */
	session->ping_due = true;
	if (readers->version == session->readers.version)
		return 0;
	session->readers = *readers;
	push_event(session, GUEST_SESSION_READERS, NULL);
	return 0;
}

static int receive_in_open(struct guest_session *session, uint64_t now,
	const struct wire_message *message)
{
	if (message->session != session->id)
		return SESSION_IGNORED;
	session->lease_at = now + SESSION_LEASE;
	session->ping_at = now + SESSION_HEARTBEAT;
	switch (message->type) {
	case WIRE_REFUSED:
		lose_session(session, now);
		if (message->refused.reason != WIRE_REFUSED_NO_SESSION)
			tell_refusal(session, &message->refused);
		return 0;
	case WIRE_REPLY:
		return receive_reply(session, &message->reply);
	case WIRE_PROGRESS:
		return receive_progress(session, now, &message->progress);
	case WIRE_READERS:
		return receive_readers(session, &message->readers);
	case WIRE_WELCOME:
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
	end_session(session);
	session->state = GUEST_ENDED;
	return 0;
}

int guest_session_receive(struct guest_session *session, uint64_t now, const void *frame, size_t size)
{
	struct wire_message message;

	settle(session);
	if (!events_have_room(session))
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

/* ---- time ---- */

/*
 * A new link starts without a session's silence behind it, and whatever was on the way is lost: all
 * that waits for an answer is sent again. The link may need a moment to connect and drops frames until
 * then, hence the short first intervals.
 */
static void relink(struct guest_session *session, uint64_t now)
{
	push_event(session, GUEST_SESSION_RELINK, NULL);
	session->relink_at = now + SESSION_LINK_DEAD;
	session->pace = SESSION_RETRY_FIRST;
	session->hello_at = now;
	session->ping_at = now;
	for (size_t i = 0; i < SESSION_WINDOW; i++)
		session->window.calls[i].repeat_at = now;
}

/*
 * If a call didn't arrive, then the bridge has ignored all that came after it: those which nobody has
 * confirmed are sent again behind it. Of a call that runs, only the outcome is asked for.
 */
static bool repeat_calls(struct guest_session *session, uint64_t now)
{
	uint32_t lost_from = UINT32_MAX;
	bool any = false;

	for (size_t i = 0; i < SESSION_WINDOW; i++) {
		struct window_call *call = &session->window.calls[i];

		if (call->state == WINDOW_SENT && now >= call->repeat_at &&
				call->call.number < lost_from)
			lost_from = call->call.number;
	}
	for (size_t i = 0; i < SESSION_WINDOW; i++) {
		struct window_call *call = &session->window.calls[i];

		if ((call->state == WINDOW_SENT && call->call.number >= lost_from) ||
				(call->state == WINDOW_RUNNING && now >= call->repeat_at)) {
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

	if (now >= session->ping_at) {
		session->ping_due = true;
		session->ping_number++;
		session->ping_at = now + paced(session, SESSION_HEARTBEAT);
		sent = true;
	}
	return sent;
}

static void tick_in_leaving(struct guest_session *session, uint64_t now)
{
	if (session->leave_at == SESSION_NEVER)
		session->leave_at = now + SESSION_BYE_LIMIT;
	if (now >= session->leave_at) {
		end_session(session);
		session->state = GUEST_ENDED;
	} else if (now >= session->bye_at) {
		session->bye_due = true;
		session->bye_at = now + SESSION_BYE_REPEAT;
	}
}

int guest_session_tick(struct guest_session *session, uint64_t now)
{
	bool sent = false;

	settle(session);
	if (!events_have_room(session))
		return -ENOBUFS;
	switch (session->state) {
	case GUEST_OPEN:
		/* Silence first costs the link, then the session. */
		if (now >= session->lease_at || session->issued == UINT32_MAX)
			lose_session(session, now);
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
		for (size_t i = 0; i < SESSION_WINDOW; i++) {
			const struct window_call *call = &session->window.calls[i];

			if (call->state == WINDOW_SENT || call->state == WINDOW_RUNNING)
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

/* ---- our owner's wishes ---- */

int guest_session_call(struct guest_session *session, uint64_t now, const struct wire_call *call,
	uint32_t *number)
{
	struct window_call *place;
	int result;

	settle(session);
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
		push_event(session, GUEST_SESSION_DOWN, NULL);
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

/* ---- frames out ---- */

static void fill_ack(const struct guest_session *session, struct wire_ack *ack)
{
	ack->readers = session->readers.version;
	ack->issued = session->issued;
	for (size_t i = 0; i < SESSION_WINDOW; i++) {
		const struct window_call *call = &session->window.calls[i];

		if (call->state == WINDOW_SENT || call->state == WINDOW_RUNNING)
			ack->open[ack->open_count++] = call->call.number;
	}
}

static void fill_hello(const struct guest_session *session, struct wire_message *message)
{
	message->type = WIRE_HELLO;
	message->session = 0;
	message->hello.guest_boot = session->boot;
	message->hello.incarnation = session->incarnation;
	memcpy(message->hello.guest, session->name, sizeof(message->hello.guest));
}

static void fill_call(const struct guest_session *session, const struct window_call *call,
	struct wire_message *message)
{
	if (call->state == WINDOW_SENT) {
		message->type = WIRE_CALL;
		message->call = call->call;
		message->call.ack = (struct wire_ack){ .readers = 0 };
		message->call.data = payload_view(&call->data);
		fill_ack(session, &message->call.ack);
	} else {
		message->type = WIRE_QUERY;
		message->query.number = call->call.number;
		fill_ack(session, &message->query.ack);
	}
}

/* The next message that is due, the oldest call first; it is due no more. Or false. */
static bool next_message(struct guest_session *session, struct wire_message *message)
{
	struct window_call *call = window_oldest_due(&session->window);

	memset(message, 0, sizeof(*message));
	message->session = session->id;
	if (session->bye_due) {
		session->bye_due = false;
		message->type = WIRE_BYE;
	} else if (session->hello_due) {
		session->hello_due = false;
		fill_hello(session, message);
	} else if (call != NULL) {
		call->due = false;
		fill_call(session, call, message);
	} else if (session->ping_due) {
		session->ping_due = false;
		message->type = WIRE_PING;
		message->ping.number = session->ping_number;
		fill_ack(session, &message->ping.ack);
	} else {
		return false;
	}
	return true;
}

bool guest_session_pop_frame(struct guest_session *session, struct payload_view *frame)
{
	struct wire_message message;
	int result;

	payload_clear(&session->frame);
	if (!next_message(session, &message))
		return false;
	result = wire_encode(&message, session->frame.bytes, session->frame.capacity,
		&session->frame.size);
	assert(result == 0);
	(void)result;
	*frame = payload_view(&session->frame);
	return true;
}
