/*
 * What the guest's half puts out: events for its owner, and frames, each made of the state of the
 * moment in which it is popped. See session_guest.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/session_guest.h"

#include <string.h>

/* Our owner has come back: it has read the reply that it was given last. */
static void settle_event(struct guest_session *session)
{
	if (session->handed_out != NULL)
		window_forget(session->handed_out);
	session->handed_out = NULL;
}

void guest_settle(struct guest_session *session)
{
	settle_event(session);
	payload_clear(&session->frame);
}

bool guest_events_have_room(const struct guest_session *session)
{
	return session->events_count + EVENTS_AT_ONCE <= EVENTS_MAX;
}

static struct queued_event *event_at(struct guest_session *session, size_t index)
{
	return &session->events[(session->events_first + index) % EVENTS_MAX];
}

/*
 * Whether our owner will be told this anyway, in the same session. Events that point at a state are
 * not worth a second place, however often the state changes before anybody looks.
 */
static bool is_queued(struct guest_session *session, enum guest_event_type type)
{
	if (type == GUEST_SESSION_REPLY)
		return false;
	for (size_t i = session->events_count; i > 0; i--) {
		enum guest_event_type queued = event_at(session, i - 1)->type;

		if (queued == type)
			return true;
		if (queued == GUEST_SESSION_UP || queued == GUEST_SESSION_DOWN)
			return false;
	}
	return false;
}

void guest_push_event(struct guest_session *session, enum guest_event_type type,
	struct window_call *call)
{
	if (is_queued(session, type))
		return;
	assert(session->events_count < EVENTS_MAX);
	*event_at(session, session->events_count) =
		(struct queued_event){ .type = type, .call = call };
	session->events_count++;
}

bool guest_session_pop_event(struct guest_session *session, struct guest_event *event)
{
	const struct queued_event *first = event_at(session, 0);

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

	/* Asked after every event, mostly in vain: a message is 6 KB to be zeroed. */
	if (!session->bye_due && !session->hello_due && call == NULL && !session->ping_due)
		return false;
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
	} else {
		session->ping_due = false;
		message->type = WIRE_PING;
		message->ping.number = session->ping_number;
		fill_ack(session, &message->ping.ack);
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
