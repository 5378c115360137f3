/*
 * The bridge's half of a session: one object per guest of the configuration.
 *
 *     no session    id is 0
 *     open          calls are executed in order, each once; replies are kept until the guest has
 *                   seen them; the readers are sent until the guest has seen them
 *
 * In both states somebody may have said hello (candidate.id isn't 0). It is welcomed at once, unless
 * another daemon's session is open: then that one is asked for a sign of life first (challenge.h).
 * The session that is offered begins with the first frame that carries its number, and only then
 * ends the one before it: a hello alone may be a late frame of a daemon that is long dead.
 *
 * As in the guest's half, what has to be sent is state, and becomes a frame when it is popped.
 *
 * It refuses to execute a number twice, or one before its predecessor. It refuses the hello of a
 * daemon while that of the session answers, and of one that was replaced by a newer one: it is a late
 * frame, or a second machine with the same name.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/challenge.h"
#include "relay/retired.h"
#include "relay/window.h"
#include "relay/wire.h"

/* Events that wait for their owner, and the most that one call of ours adds. */
#define EVENTS_MAX 64
#define EVENTS_AT_ONCE (SESSION_WINDOW + 2)

struct queued_event {
	enum bridge_event_type type;
	uint64_t id;
	struct window_call *call; /* BRIDGE_SESSION_EXECUTE */
};

/* Who says hello, and the number of the session that it has or is offered. */
struct identity {
	uint64_t id;          /* of the session; 0 while there is none */
	uint64_t guest_boot;  /* 0 before the first session */
	uint32_t incarnation;
};

struct bridge_session {
	uint64_t boot;        /* the bridge's */
	struct identity newest;    /* the open session, or the last one that was */
	struct identity candidate; /* has said hello, and was not heard of since; id 0 for none */
	struct challenge challenge; /* by the candidate, of the open session's daemon */
	struct retired retired;

	uint32_t executed;    /* the last number given to our owner */
	struct window window;

	struct wire_readers readers; /* version 0 while our owner hasn't said any */
	uint32_t readers_seen;       /* version that the guest has acknowledged */

	bool offered;                  /* the candidate was, or is about to be, welcomed */
	bool welcome_due;
	bool pong_due;
	bool readers_due;
	uint32_t pong_number;
	struct wire_message refusal; /* type 0: none is due */

	uint64_t lease_at;
	uint64_t readers_at; /* when to send them again, unless they are acknowledged */

	struct queued_event events[EVENTS_MAX];
	size_t events_count;
	struct payload frame;
};

/* ---- events ---- */

static void push_event(struct bridge_session *session, enum bridge_event_type type,
	struct window_call *call)
{
	assert(session->events_count < EVENTS_MAX);
	session->events[session->events_count++] =
		(struct queued_event){ .type = type, .id = session->newest.id, .call = call };
}

bool bridge_session_pop_event(struct bridge_session *session, struct bridge_event *event)
{
	const struct queued_event *first = &session->events[0];

	if (session->events_count == 0)
		return false;
	*event = (struct bridge_event){ .type = first->type, .session = first->id };
	if (first->type == BRIDGE_SESSION_EXECUTE) {
		event->call = first->call->call;
		event->call.data = payload_view(&first->call->data);
	}
	session->events_count--;
	memmove(&session->events[0], &session->events[1],
		session->events_count * sizeof(session->events[0]));
	return true;
}

/* The calls that our owner hasn't fetched yet will never be executed. */
static void drop_executions(struct bridge_session *session)
{
	size_t kept = 0;

	for (size_t i = 0; i < session->events_count; i++) {
		if (session->events[i].type != BRIDGE_SESSION_EXECUTE)
			session->events[kept++] = session->events[i];
	}
	session->events_count = kept;
}

/* ---- the life of a session ---- */

/* guest_boot becomes the guest's daemon; the one before it, if there was one, is retired. */
static void adopt(struct bridge_session *session, uint64_t guest_boot)
{
	retired_remove(&session->retired, guest_boot);
	if (session->newest.guest_boot != 0 && session->newest.guest_boot != guest_boot)
		retired_add(&session->retired, session->newest.guest_boot);
}

static void offer(struct bridge_session *session)
{
	session->offered = true;
	session->welcome_due = true;
}

static void withdraw(struct bridge_session *session)
{
	session->candidate.id = 0;
	session->offered = false;
	session->welcome_due = false;
}

static void close_session(struct bridge_session *session)
{
	if (session->newest.id == 0)
		return;
	drop_executions(session);
	push_event(session, BRIDGE_SESSION_DOWN, NULL);
	window_clear(&session->window);
	session->newest.id = 0;
	session->pong_due = false;
	session->readers_due = false;
	/* Who has waited for this need not wait any longer. */
	if (challenge_end(&session->challenge))
		offer(session);
}

static void send_readers(struct bridge_session *session, uint64_t now)
{
	session->readers_due = true;
	session->readers_at = now + SESSION_READERS_REPEAT;
}

/* The guest has used the number that it was offered: it has the session from now on. */
static void open_candidate(struct bridge_session *session, uint64_t now)
{
	close_session(session);
	adopt(session, session->candidate.guest_boot);
	session->newest = session->candidate;
	withdraw(session);
	session->executed = 0;
	session->lease_at = now + SESSION_LEASE;
	session->readers_seen = 0;
	push_event(session, BRIDGE_SESSION_UP, NULL);
	if (session->readers.version > 0) {
		session->readers.version = 1;
		send_readers(session, now);
	}
}

int bridge_session_new(struct bridge_session **sessionp, uint64_t boot)
{
	struct bridge_session *session;
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
	session->boot = boot;
	*sessionp = session;
	return 0;
}

struct bridge_session *bridge_session_free(struct bridge_session *session)
{
	if (session != NULL) {
		window_deinit(&session->window);
		payload_deinit(&session->frame);
		free(session);
	}
	return NULL;
}

uint64_t bridge_session_id(const struct bridge_session *session)
{
	return session->newest.id;
}

bool bridge_session_awaits(const struct bridge_session *session, uint64_t guest_boot)
{
	return session->candidate.id != 0 && session->candidate.guest_boot == guest_boot;
}

bool bridge_session_knows(const struct bridge_session *session, uint64_t id)
{
	return id != 0 && (id == session->newest.id ||
		(session->offered && id == session->candidate.id));
}

/* ---- messages in ---- */

static void refuse(struct bridge_session *session, uint8_t reason, uint64_t id,
	uint32_t incarnation, const char *text)
{
	struct wire_message *refusal = &session->refusal;

	memset(refusal, 0, sizeof(*refusal));
	refusal->type = WIRE_REFUSED;
	refusal->session = id;
	refusal->refused.reason = reason;
	refusal->refused.incarnation = incarnation;
	(void)snprintf(refusal->refused.text, sizeof(refusal->refused.text), "%s", text);
}

/* The welcome of a hello by another daemon than that of the open session. */
static void contest(struct bridge_session *session, uint64_t now, const struct wire_hello *hello)
{
	switch (challenge_hello(&session->challenge, now, hello->guest_boot)) {
	case CHALLENGE_WAIT:
		break;
	case CHALLENGE_REFUSE:
		refuse(session, WIRE_REFUSED_SUPERSEDED, 0, hello->incarnation,
			"another daemon of this guest has the session, and answers");
		push_event(session, BRIDGE_SESSION_CONTESTED, NULL);
		break;
	case CHALLENGE_WELCOME:
		offer(session);
		break;
	}
}

static int receive_hello(struct bridge_session *session, uint64_t now,
	const struct wire_hello *hello, uint64_t identity)
{
	struct identity *candidate = &session->candidate;

	if (identity == 0 || hello->guest_boot == 0)
		return SESSION_IGNORED; /* 0 means "none" for both */
	if (hello->guest_boot == session->newest.guest_boot &&
			hello->incarnation <= session->newest.incarnation)
		return SESSION_IGNORED; /* a late frame: that session is in use, or over */
	if (session->newest.id != 0 && retired_has(&session->retired, hello->guest_boot)) {
		retired_add(&session->retired, hello->guest_boot);
		refuse(session, WIRE_REFUSED_SUPERSEDED, 0, hello->incarnation,
			"a newer daemon has taken over this guest's session");
		return 0;
	}
	if (candidate->id != 0 && hello->guest_boot == candidate->guest_boot &&
			hello->incarnation < candidate->incarnation)
		return SESSION_IGNORED; /* a late frame: nobody waits for its answer */
	/* Repeated, it has the same number: the first welcome was lost, or is on its way. */
	if (candidate->id == 0 || hello->guest_boot != candidate->guest_boot ||
			hello->incarnation != candidate->incarnation) {
		*candidate = (struct identity){ .id = identity, .guest_boot = hello->guest_boot,
			.incarnation = hello->incarnation };
		session->offered = false;
		session->welcome_due = false;
	}
	if (session->newest.id != 0 && hello->guest_boot != session->newest.guest_boot)
		contest(session, now, hello);
	else
		offer(session);
	return 0;
}

/* The daemon of the open session is alive: nobody else gets what he may have been offered. */
static void hear_owner(struct bridge_session *session, uint64_t now)
{
	session->lease_at = now + SESSION_LEASE;
	if (challenge_heard(&session->challenge) &&
			session->candidate.guest_boot != session->newest.guest_boot)
		withdraw(session);
}

static bool is_open(const struct wire_ack *ack, uint32_t number)
{
	for (size_t i = 0; i < ack->open_count; i++) {
		if (ack->open[i] == number)
			return true;
	}
	return false;
}

static void receive_ack(struct bridge_session *session, const struct wire_ack *ack)
{
	for (size_t i = 0; i < SESSION_WINDOW; i++) {
		struct window_call *call = &session->window.calls[i];

		if (call->state == WINDOW_DONE && call->call.number <= ack->issued &&
				!is_open(ack, call->call.number))
			window_forget(call);
	}
	if (ack->readers > session->readers_seen && ack->readers <= session->readers.version)
		session->readers_seen = ack->readers;
}

/* What became of a call that was made: its progress, or its reply again. */
static int receive_query(struct bridge_session *session, uint32_t number)
{
	struct window_call *call = window_find(&session->window, number);

	if (call == NULL)
		return SESSION_IGNORED; /* a late frame: the guest has seen the reply */
	call->due = true;
	return 0;
}

/* A call that came before one of its predecessors has waited for it. */
static void execute_next(struct bridge_session *session)
{
	struct window_call *call;

	while ((call = window_find(&session->window, session->executed + 1)) != NULL) {
		call->state = WINDOW_RUNNING;
		session->executed = call->call.number;
		push_event(session, BRIDGE_SESSION_EXECUTE, call);
	}
}

static int receive_call(struct bridge_session *session, const struct wire_call *call)
{
	struct window_call *place;
	int result;

	if (call->number <= session->executed ||
			window_find(&session->window, call->number) != NULL)
		return receive_query(session, call->number);
	place = window_place(&session->window);
	if (place == NULL)
		return SESSION_IGNORED; /* more calls than our guest's half would have open */
	result = window_keep(place, call->data);
	if (result < 0)
		return result;
	place->state = WINDOW_SENT;
	place->call = *call;
	place->due = false;
	execute_next(session);
	return 0;
}

static int receive_bye(struct bridge_session *session)
{
	refuse(session, WIRE_REFUSED_NO_SESSION, session->newest.id, 0,
		"the guest has said goodbye");
	close_session(session);
	return 0;
}

int bridge_session_receive(struct bridge_session *session, uint64_t now,
	const struct wire_message *message, uint64_t identity)
{
	payload_clear(&session->frame);
	if (session->events_count + EVENTS_AT_ONCE > EVENTS_MAX)
		return -ENOBUFS;
	if (message->type == WIRE_HELLO)
		return receive_hello(session, now, &message->hello, identity);
	if (!bridge_session_knows(session, message->session))
		return SESSION_IGNORED;
	if (message->session == session->candidate.id)
		open_candidate(session, now);
	if (message->type != WIRE_BYE)
		hear_owner(session, now);
	switch (message->type) {
	case WIRE_CALL:
		receive_ack(session, &message->call.ack);
		return receive_call(session, &message->call);
	case WIRE_QUERY:
		receive_ack(session, &message->query.ack);
		return receive_query(session, message->query.number);
	case WIRE_PING:
		receive_ack(session, &message->ping.ack);
		session->pong_due = true;
		session->pong_number = message->ping.number;
		return 0;
	case WIRE_BYE:
		return receive_bye(session);
	default:
		return SESSION_IGNORED;
	}
}

/* ---- time ---- */

static bool readers_unseen(const struct bridge_session *session)
{
	return session->newest.id != 0 && session->readers_seen < session->readers.version;
}

int bridge_session_tick(struct bridge_session *session, uint64_t now)
{
	payload_clear(&session->frame);
	if (session->events_count + EVENTS_AT_ONCE > EVENTS_MAX)
		return -ENOBUFS;
	if (session->newest.id != 0 && now >= session->lease_at)
		close_session(session);
	switch (challenge_tick(&session->challenge, now)) {
	case CHALLENGE_REST:
		break;
	case CHALLENGE_PROBE:
		/* The guest acknowledges each list that isn't old. */
		send_readers(session, now);
		break;
	case CHALLENGE_DECIDED:
		offer(session);
		break;
	}
	if (readers_unseen(session) && now >= session->readers_at)
		send_readers(session, now);
	return 0;
}

uint64_t bridge_session_deadline(const struct bridge_session *session)
{
	uint64_t deadline = session->lease_at;

	if (session->newest.id == 0)
		return SESSION_NEVER;
	if (readers_unseen(session) && session->readers_at < deadline)
		deadline = session->readers_at;
	if (challenge_deadline(&session->challenge) < deadline)
		deadline = challenge_deadline(&session->challenge);
	return deadline;
}

/* ---- our owner's news ---- */

int bridge_session_complete(struct bridge_session *session, uint64_t now, uint64_t identity,
	const struct wire_reply *reply)
{
	struct window_call *call;
	int result;

	(void)now;
	if (reply->data.size > WIRE_APDU_MAX)
		return -EMSGSIZE;
	if (session->newest.id == 0 || identity != session->newest.id)
		return 0;
	call = window_find_open(&session->window, reply->number);
	if (call == NULL || call->state != WINDOW_RUNNING)
		return 0;
	result = window_keep(call, reply->data);
	if (result < 0)
		return result;
	call->state = WINDOW_DONE;
	call->outcome = reply->outcome;
	call->protocol = reply->protocol;
	call->due = true;
	return 0;
}

static bool reader_equal(const struct wire_reader *x, const struct wire_reader *y)
{
	return x->id == y->id && x->insertion == y->insertion && x->card == y->card &&
		x->pin_support == y->pin_support && x->lcd_lines == y->lcd_lines &&
		x->lcd_characters == y->lcd_characters && x->atr_size == y->atr_size &&
		memcmp(x->atr, y->atr, x->atr_size) == 0 && strcmp(x->name, y->name) == 0;
}

static bool readers_equal(const struct wire_readers *a, const struct wire_readers *b)
{
	if (a->service != b->service || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!reader_equal(&a->readers[i], &b->readers[i]))
			return false;
	}
	return true;
}

void bridge_session_set_readers(struct bridge_session *session, uint64_t now,
	const struct wire_readers *readers)
{
	uint32_t version = session->readers.version;

	if (version > 0 && readers_equal(&session->readers, readers))
		return;
	session->readers = *readers;
	session->readers.version = version + 1;
	if (session->newest.id != 0)
		send_readers(session, now);
}

void bridge_session_forget_readers(struct bridge_session *session)
{
	assert(session->newest.id == 0);
	memset(&session->readers, 0, sizeof(session->readers));
}

/* ---- frames out ---- */

static void fill_welcome(const struct bridge_session *session, struct wire_message *message)
{
	message->type = WIRE_WELCOME;
	message->session = session->candidate.id;
	message->welcome.bridge_boot = session->boot;
	message->welcome.incarnation = session->candidate.incarnation;
}

static void fill_answer(const struct window_call *call, struct wire_message *message)
{
	if (call->state == WINDOW_DONE) {
		message->type = WIRE_REPLY;
		message->reply.number = call->call.number;
		message->reply.outcome = call->outcome;
		message->reply.protocol = call->protocol;
		message->reply.data = payload_view(&call->data);
	} else {
		message->type = WIRE_PROGRESS;
		message->progress.number = call->call.number;
	}
}

/* The next message that is due, answers before readers; it is due no more. Or false. */
static bool next_message(struct bridge_session *session, struct wire_message *message)
{
	struct window_call *call = window_oldest_due(&session->window);

	memset(message, 0, sizeof(*message));
	message->session = session->newest.id;
	if (session->refusal.type != 0) {
		*message = session->refusal;
		session->refusal.type = 0;
	} else if (session->welcome_due) {
		session->welcome_due = false;
		fill_welcome(session, message);
	} else if (call != NULL) {
		call->due = false;
		fill_answer(call, message);
	} else if (session->pong_due) {
		session->pong_due = false;
		message->type = WIRE_PONG;
		message->pong.number = session->pong_number;
	} else if (session->readers_due) {
		session->readers_due = false;
		message->type = WIRE_READERS;
		message->readers = session->readers;
	} else {
		return false;
	}
	return true;
}

bool bridge_session_pop_frame(struct bridge_session *session, struct payload_view *frame)
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
