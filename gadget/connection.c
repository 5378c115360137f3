/*
 * The connection to the bridge. The session says what to send and when to be woken, the secure
 * channel encrypts it where there are keys, the link carries it; this file is the loop's part:
 * descriptors, the clock, randomness and the log.
 *
 * After every event the session's frames go out, its events are handed on, and the timer is set to
 * the next deadline. connection_run() does that; since a callback may make further calls, it goes
 * on until both are empty, and a call from within leaves the work to the run that is under way.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/connection.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/payload.h"
#include "base/watchdog.h"
#include "relay/link.h"
#include "relay/secure.h"
#include "relay/session.h"

#define TAG "bridge"

/* ms after the start without a session: time to say that the bridge is awaited */
#define PATIENCE 2000

struct connection {
	uv_loop_t *loop;
	const struct connection_callbacks *callbacks;
	void *owner;
	char endpoint[256];
	struct link *link;
	struct guest_session *session;
	struct secure_guest *secure; /* NULL: auth = none */
	struct payload frame;        /* of the link */
	struct payload plaintext;    /* what was in it */
	time_t since;                /* when a session was opened or lost last, at first the start */
	uint64_t sessions;           /* that were opened */
	bool answered;               /* the bridge has shown that it has its key */
	uv_poll_t poll;
	uv_timer_t timer;
	uv_timer_t patience;
	int handles;      /* of the above that are not closed yet */
	bool watched;     /* poll is one of them */
	bool running;
	bool leaving;     /* the goodbye was said, and its confirmation is awaited */
	bool closing;     /* the handles are being closed */
};

static void connection_poll(uv_poll_t *poll, int status, int events);

/* ---- the link ---- */

static void connection_free(struct connection *connection)
{
	connection->session = guest_session_free(connection->session);
	connection->secure = secure_guest_free(connection->secure);
	connection->link = link_close(connection->link);
	payload_deinit(&connection->frame);
	payload_deinit(&connection->plaintext);
	free(connection);
}

static int connection_link(struct connection *connection)
{
	const char *endpoints[] = { connection->endpoint };
	char problem[256];
	int r;

	r = link_open_nanomsg(&connection->link, LINK_GUEST, endpoints, 1, problem, sizeof(problem));
	if (r > 0)
		log_error(TAG, "%s", problem);
	return r;
}

static void connection_watch(struct connection *connection)
{
	int r = uv_poll_init(connection->loop, &connection->poll, link_fd(connection->link));

	if (r == 0) {
		connection->poll.data = connection;
		connection->handles++;
		connection->watched = true;
		r = uv_poll_start(&connection->poll, UV_READABLE, connection_poll);
	}
	if (r != 0)
		log_error(TAG, "cannot watch the link: %s", uv_strerror(r));
}

static void connection_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;

	if (--connection->handles == 0)
		connection_free(connection);
}

static void connection_rewatched(uv_handle_t *handle)
{
	struct connection *connection = handle->data;

	if (connection->closing) {
		connection_closed(handle);
		return;
	}
	connection->handles--;
	connection->watched = false;
	if (connection_link(connection) == 0)
		connection_watch(connection);
}

/*
 * nanomsg keeps zombies of peers that vanished during its handshake, and never leaves them by
 * itself: a link that looks dead is closed and made anew. The descriptor must be out of the loop
 * before that.
 */
static void connection_relink(struct connection *connection)
{
	if (!connection->watched) {
		if (connection_link(connection) == 0)
			connection_watch(connection);
		return;
	}
	if (uv_is_closing((uv_handle_t *)&connection->poll))
		return;
	log_debug(TAG, "nothing comes over the link: opening it anew");
	if (connection->secure != NULL)
		secure_guest_relinked(connection->secure, uv_now(connection->loop));
	(void)uv_poll_stop(&connection->poll);
	connection->link = link_close(connection->link);
	uv_close((uv_handle_t *)&connection->poll, connection_rewatched);
}

/* ---- the session ---- */

static void connection_refused(const struct wire_refused *refused)
{
	log_error(TAG, "the bridge refuses this guest: %s", refused->text);
}

/* The loop frees the connection when it has let go of the last handle. */
static void connection_finish(struct connection *connection)
{
	connection->closing = true;
	uv_close((uv_handle_t *)&connection->timer, connection_closed);
	uv_close((uv_handle_t *)&connection->patience, connection_closed);
	if (connection->watched && !uv_is_closing((uv_handle_t *)&connection->poll))
		uv_close((uv_handle_t *)&connection->poll, connection_closed);
}

static void connection_event(struct connection *connection, const struct guest_event *event)
{
	switch (event->type) {
	case GUEST_SESSION_UP:
		log_info(TAG, "connected to %s", connection->endpoint);
		(void)uv_timer_stop(&connection->patience);
		connection->since = time(NULL);
		connection->sessions++;
		break;
	case GUEST_SESSION_DOWN:
		log_warning(TAG, "the bridge at %s is gone; waiting for it", connection->endpoint);
		connection->since = time(NULL);
		connection->callbacks->readers(connection->owner, NULL);
		break;
	case GUEST_SESSION_REFUSED:
		connection_refused(&event->refused);
		break;
	case GUEST_SESSION_READERS:
		connection->callbacks->readers(connection->owner,
			guest_session_readers(connection->session));
		break;
	case GUEST_SESSION_REPLY:
		connection->callbacks->reply(connection->owner, &event->reply);
		break;
	case GUEST_SESSION_RELINK:
		connection_relink(connection);
		break;
	}
}

/* A frame that is dropped is lost like one on the way: the session repeats it. */
static void connection_put(struct connection *connection, struct payload_view frame)
{
	if (connection->link != NULL)
		(void)link_send(connection->link, NULL, frame);
}

static bool connection_send(struct connection *connection)
{
	struct payload_view frame;

	if (!guest_session_pop_frame(connection->session, &frame))
		return false;
	/* What the channel can't take now it holds, or drops, as a link would. */
	if (connection->secure == NULL || secure_guest_seal(connection->secure,
			uv_now(connection->loop), frame, &frame) == 0)
		connection_put(connection, frame);
	return true;
}

/* ---- the secure channel ---- */

static void connection_secure_tick(struct connection *connection)
{
	uint64_t now = uv_now(connection->loop);
	struct secure_fresh fresh;

	if (connection->secure == NULL || now < secure_guest_deadline(connection->secure))
		return;
	randombytes_buf(&fresh, sizeof(fresh));
	secure_guest_tick(connection->secure, now, &fresh);
	payload_wipe(&fresh, sizeof(fresh));
}

/* Its own frames, and what it held. */
static bool connection_secure_send(struct connection *connection)
{
	struct payload_view frame;

	connection_secure_tick(connection);
	if (connection->secure == NULL ||
		!secure_guest_pop_frame(connection->secure, uv_now(connection->loop), &frame))
		return false;
	connection_put(connection, frame);
	return true;
}

/* A frame of the link; what is in it goes to the session. Fatal: as guest_session_receive(). */
static int connection_receive(struct connection *connection)
{
	uint64_t now = uv_now(connection->loop);
	const struct payload *frame = &connection->frame;
	int r = 0;

	if (connection->secure != NULL) {
		frame = &connection->plaintext;
		r = secure_guest_receive(connection->secure, now, payload_view(&connection->frame),
			&connection->plaintext);
		connection->answered |= secure_guest_is_open(connection->secure);
	}
	/* What is not for this session is dropped without a word: anybody may send it. */
	if (r == 0)
		r = guest_session_receive(connection->session, now, frame->bytes, frame->size);
	payload_clear(&connection->plaintext);
	payload_clear(&connection->frame);
	return r < 0 ? r : 0;
}

/* ---- events ---- */

static bool connection_hand_on(struct connection *connection)
{
	struct guest_event event;

	if (!guest_session_pop_event(connection->session, &event))
		return false;
	if (!connection->leaving)
		connection_event(connection, &event);
	else if (event.type == GUEST_SESSION_DOWN)
		connection_finish(connection);
	return true;
}

static void connection_tick(uv_timer_t *timer);

static uint64_t connection_deadline(const struct connection *connection)
{
	uint64_t deadline = guest_session_deadline(connection->session);

	if (connection->secure != NULL && secure_guest_deadline(connection->secure) < deadline)
		deadline = secure_guest_deadline(connection->secure);
	return deadline;
}

bool connection_is_late(const struct connection *connection)
{
	uint64_t now = uv_now(connection->loop);

	return now > WATCHDOG_GRACE && now - WATCHDOG_GRACE > connection_deadline(connection);
}

static void connection_run(struct connection *connection)
{
	uint64_t now = uv_now(connection->loop), deadline;

	if (connection->running)
		return;
	connection->running = true;
	while (!connection->closing &&
		(connection_send(connection) || connection_secure_send(connection) ||
			connection_hand_on(connection)))
		;
	connection->running = false;
	if (connection->closing)
		return;
	deadline = connection_deadline(connection);
	if (deadline == SESSION_NEVER)
		(void)uv_timer_stop(&connection->timer);
	else
		(void)uv_timer_start(&connection->timer, connection_tick,
			deadline > now ? deadline - now : 0, 0);
}

/* Fatal for the connection, and with it for the process: without memory there is no way on. */
static void connection_fail(struct connection *connection, int error)
{
	log_error(TAG, "%s", strerror(-error));
	if (connection->leaving)
		connection_finish(connection);
	else
		connection->callbacks->failed(connection->owner);
}

static void connection_tick(uv_timer_t *timer)
{
	struct connection *connection = timer->data;
	int r = 0;

	uv_update_time(connection->loop);
	if (uv_now(connection->loop) >= guest_session_deadline(connection->session))
		r = guest_session_tick(connection->session, uv_now(connection->loop));
	if (r < 0)
		connection_fail(connection, r);
	connection_run(connection);
}

static void connection_poll(uv_poll_t *poll, int status, int events)
{
	struct connection *connection = poll->data;
	int r = 0;

	(void)status;
	(void)events;
	while (!connection->closing && connection->link != NULL && r >= 0) {
		r = link_receive(connection->link, NULL, &connection->frame);
		if (r != 0)
			break;
		r = connection_receive(connection);
		connection_run(connection);
	}
	if (r < 0)
		connection_fail(connection, r);
}

static void connection_waits(uv_timer_t *timer)
{
	struct connection *connection = timer->data;

	if (connection->secure != NULL && !connection->answered)
		log_warning(TAG, "no answer from %s yet: it is not there, bridge-key is not its key, "
			"or this machine's key is not in its configuration; waiting for it",
			connection->endpoint);
	else
		log_warning(TAG, "no answer from %s yet; waiting for it", connection->endpoint);
}

int connection_call(struct connection *connection, const struct wire_call *call, uint32_t *number)
{
	int r = guest_session_call(connection->session, uv_now(connection->loop), call, number);

	connection_run(connection);
	return r;
}

bool connection_is_up(const struct connection *connection)
{
	return guest_session_is_up(connection->session);
}

struct connection_look connection_look(const struct connection *connection)
{
	return (struct connection_look){
		.endpoint = connection->endpoint,
		.secure = connection->secure != NULL,
		.up = connection_is_up(connection),
		.since = connection->since,
		.sessions = connection->sessions,
	};
}

const struct wire_readers *connection_readers(const struct connection *connection)
{
	return guest_session_readers(connection->session);
}

/* ---- life ---- */

static void connection_timers(struct connection *connection)
{
	(void)uv_timer_init(connection->loop, &connection->timer);
	(void)uv_timer_init(connection->loop, &connection->patience);
	connection->timer.data = connection;
	connection->patience.data = connection;
	connection->handles += 2;
	(void)uv_timer_start(&connection->patience, connection_waits, PATIENCE, 0);
}

/* Fatal: negative. */
static int connection_init(struct connection *connection, const struct config *config)
{
	uint64_t boot;
	int r = payload_init(&connection->frame, WIRE_FRAME_MAX);

	randombytes_buf(&boot, sizeof(boot));
	if (r == 0)
		r = payload_init(&connection->plaintext, SECURE_PLAINTEXT_MAX);
	if (r == 0 && config->keyed)
		r = secure_guest_new(&connection->secure, &config->own, &config->bridge_key);
	if (r == 0)
		r = guest_session_new(&connection->session, config->name, boot,
			uv_now(connection->loop));
	return r;
}

int connection_open(struct connection **connectionp, uv_loop_t *loop, const struct config *config,
	const struct connection_callbacks *callbacks, void *owner)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	int r = -ENOMEM;

	*connectionp = NULL;
	if (connection == NULL)
		return r;
	connection->loop = loop;
	connection->callbacks = callbacks;
	connection->owner = owner;
	connection->since = time(NULL);
	(void)snprintf(connection->endpoint, sizeof(connection->endpoint), "%s", config->bridge);
	r = connection_init(connection, config);
	if (r == 0)
		r = connection_link(connection);
	if (r != 0) {
		connection_free(connection);
		return r;
	}
	connection_timers(connection);
	connection_watch(connection);
	connection_run(connection);
	*connectionp = connection;
	return 0;
}

struct connection *connection_close(struct connection *connection)
{
	if (connection == NULL)
		return NULL;
	connection->leaving = true;
	(void)uv_timer_stop(&connection->patience);
	if (guest_session_is_up(connection->session)) {
		/* The link stays until the bridge has confirmed: nn_close() throws away what is not
		 * sent yet. */
		guest_session_bye(connection->session);
		connection_run(connection);
	} else {
		connection_finish(connection);
	}
	return NULL;
}
