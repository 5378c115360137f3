/*
 * Sessions: one guest's calls to one bridge, at most once and in order, over a link that loses,
 * repeats, delays and cuts. Two halves, both sans-I/O: frames, calls and the time (milliseconds of
 * a monotonic clock) go in; frames to send, events and the next deadline come out.
 *
 *   - A call has a number. The guest repeats it until it is answered; the bridge executes it when
 *     its number is the next one, keeps it until then, answers it from its cache when it was done,
 *     and says that it runs when it runs. It never executes a number twice, nor one before its
 *     predecessor.
 *   - Readers are state, not edges: the bridge repeats the newest list until the guest has seen it.
 *   - Each side counts the other as gone when SESSION_LEASE has passed without a frame. The guest
 *     then fails its open calls as WIRE_OUTCOME_UNKNOWN and opens a session with a new incarnation;
 *     the bridge closes the cards. A call whose session has ended is never sent again.
 *
 * Both halves hand out one output at a time; call the pop functions until they return false. What a
 * pop function hands out is valid until the same one is called again, or a frame or the time goes
 * in; calls may be made and completed meanwhile.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "relay/wire.h"

#define SESSION_LEASE 10000         /* ms without a frame: the peer is gone */
#define SESSION_LINK_DEAD 6000      /* ms without a frame: the link is made anew */
#define SESSION_HEARTBEAT 2500      /* ms without a frame sent: the guest pings */
#define SESSION_HELLO_INTERVAL 1000 /* ms between hellos while there is no session */
#define SESSION_REPEAT 1000         /* ms without an answer: the call or query is repeated */
#define SESSION_READERS_REPEAT 500  /* ms without acknowledgement: the readers are sent again */
#define SESSION_RETRY_FIRST 100     /* ms to the first retry over a new link; doubles from there */
#define SESSION_BYE_REPEAT 500      /* ms without confirmation: the goodbye is repeated */
#define SESSION_BYE_LIMIT 1500      /* ms until a goodbye without confirmation is given up */
#define SESSION_PROBE_INTERVAL 500  /* ms to the next probe of a daemon whose session another wants */
#define SESSION_PROBES 3            /* without an answer: the other one is welcomed */
#define SESSION_WINDOW 16           /* calls open at a time, and replies kept */

#define SESSION_NEVER UINT64_MAX    /* a deadline that never comes */

enum {
	SESSION_NOT_OPEN = 1,    /* there is no session: nothing was sent */
	SESSION_WINDOW_FULL = 2, /* too many calls are open: nothing was sent */
	SESSION_IGNORED = 3,     /* the frame is malformed, old, or not for this session */
};

/* ---- the guest's half ---- */

enum guest_event_type {
	GUEST_SESSION_UP,      /* open; readers follow */
	GUEST_SESSION_DOWN,    /* over: every open call has had its event, all cards count as gone */
	GUEST_SESSION_REFUSED, /* the bridge refuses; refused says why; hellos go on. Once per reason */
	GUEST_SESSION_READERS, /* the list has changed; see guest_session_readers() */
	GUEST_SESSION_REPLY,   /* a call has ended; reply holds its outcome */
	GUEST_SESSION_RELINK,  /* the link looks dead: close it and open it anew */
};

struct guest_event {
	enum guest_event_type type;
	union {
		struct wire_reply reply;
		struct wire_refused refused;
	};
};

struct guest_session;

/*
 * Makes the guest's half and starts to send hellos at now. name is copied; boot is random. Fatal:
 * -ENOMEM.
 */
int guest_session_new(struct guest_session **session, const char *name, uint64_t boot,
	uint64_t now);

/* Wipes and frees; returns NULL. May be called with NULL. */
struct guest_session *guest_session_free(struct guest_session *session);

/*
 * A frame has come over the link. Returns 0 or SESSION_IGNORED. Fatal: -ENOMEM; -ENOBUFS when the
 * owner leaves its events unread.
 */
int guest_session_receive(struct guest_session *session, uint64_t now, const void *frame,
	size_t size);

/* Time has passed: call it when now >= guest_session_deadline(). Fatal: -ENOBUFS, as above. */
int guest_session_tick(struct guest_session *session, uint64_t now);

/* When to call guest_session_tick() next. */
uint64_t guest_session_deadline(const struct guest_session *session);

/*
 * Makes a call. reader, operation, initialization, protocols and data of call are used, and data is
 * copied; *number is what its GUEST_SESSION_REPLY will carry. Numbers grow over the life of this
 * object, also from one session to the next. Returns 0, SESSION_NOT_OPEN or SESSION_WINDOW_FULL. A
 * call counts as open until its reply has been popped and read. Fatal: -ENOMEM; -EMSGSIZE for data
 * of more than WIRE_APDU_MAX bytes.
 */
int guest_session_call(struct guest_session *session, uint64_t now, const struct wire_call *call,
	uint32_t *number);

/* The newest list of readers; empty while there is no session. */
const struct wire_readers *guest_session_readers(const struct guest_session *session);

/* Whether a session is open. */
bool guest_session_is_up(const struct guest_session *session);

/*
 * Queues a goodbye: the bridge closes this guest's cards at once. For an orderly end. Open calls
 * end as WIRE_OUTCOME_UNKNOWN. GUEST_SESSION_DOWN comes when the bridge has confirmed, at the
 * latest after SESSION_BYE_LIMIT; wait for it before the link is closed, since a link that closes
 * may drop what was sent last. Nothing is sent after that, and only guest_session_free() makes
 * sense.
 */
void guest_session_bye(struct guest_session *session);

/* The next frame to send, or false. */
bool guest_session_pop_frame(struct guest_session *session, struct payload_view *frame);

/* The next event, or false. */
bool guest_session_pop_event(struct guest_session *session, struct guest_event *event);

/* ---- the bridge's half: one object per guest of the configuration ---- */

enum bridge_event_type {
	BRIDGE_SESSION_UP,      /* a session is open */
	BRIDGE_SESSION_DOWN,    /* it is over (lease, goodbye, superseded): close this guest's cards */
	BRIDGE_SESSION_CONTESTED, /* another daemon wants the session, and is refused: this one answers */
	BRIDGE_SESSION_EXECUTE, /* make this call, then bridge_session_complete() with its number */
};

struct bridge_event {
	enum bridge_event_type type;
	struct wire_call call; /* BRIDGE_SESSION_EXECUTE; data is valid until the call is completed or
	                          the session is down */
	uint64_t session;      /* the session that the event belongs to */
};

struct bridge_session;

/* Makes the bridge's half for one guest. boot is random, one for all guests. Fatal: -ENOMEM. */
int bridge_session_new(struct bridge_session **session, uint64_t boot);

/* Wipes and frees; returns NULL. May be called with NULL. */
struct bridge_session *bridge_session_free(struct bridge_session *session);

/* The number of the open session, 0 while there is none. */
uint64_t bridge_session_id(const struct bridge_session *session);

/*
 * Whether a frame with this number is for this guest: that of the open session, or of the one that
 * it was offered by the last welcome.
 */
bool bridge_session_knows(const struct bridge_session *session, uint64_t id);

/*
 * A message of this guest has come: a hello that carries its name, or any other frame whose number
 * bridge_session_knows(). identity is a random number that becomes the session's, should the hello
 * be offered one. Returns 0 or SESSION_IGNORED. Fatal: -ENOMEM; -ENOBUFS when the owner leaves its
 * events unread.
 *
 * A WELCOME is the answer to the newest hello of a daemon that bridge_session_awaits(), and goes
 * where that came from; it may be due much later. BRIDGE_SESSION_UP comes when the guest has used the
 * number, and before it BRIDGE_SESSION_DOWN of the session that it ends.
 *
 * Of two daemons with the same guest name the one that came first has the session as long as it
 * answers: the other's hellos are refused as WIRE_REFUSED_SUPERSEDED. If it doesn't answer, it is the
 * other way round.
 */
int bridge_session_receive(struct bridge_session *session, uint64_t now,
	const struct wire_message *message, uint64_t identity);

/* Whether the newest hello of this daemon is answered with a WELCOME, now or later. */
bool bridge_session_awaits(const struct bridge_session *session, uint64_t guest_boot);

/* Time has passed: call it when now >= bridge_session_deadline(). Fatal: -ENOBUFS, as above. */
int bridge_session_tick(struct bridge_session *session, uint64_t now);

/* When to call bridge_session_tick() next. */
uint64_t bridge_session_deadline(const struct bridge_session *session);

/*
 * The call that BRIDGE_SESSION_EXECUTE asked for in session identity has ended. reply->data is
 * copied. A completion of an older session is dropped. Fatal: -ENOMEM; -EMSGSIZE for data of more
 * than WIRE_APDU_MAX bytes.
 */
int bridge_session_complete(struct bridge_session *session, uint64_t now, uint64_t identity,
	const struct wire_reply *reply);

/*
 * The readers that this guest may see, as they are now; readers->version is ignored. Sent when it
 * differs from what was sent last.
 */
void bridge_session_set_readers(struct bridge_session *session, uint64_t now,
	const struct wire_readers *readers);

/*
 * Nothing is known of the readers: the next session has none to send, until they are set. Only while
 * no session is open.
 */
void bridge_session_forget_readers(struct bridge_session *session);

/* The next frame to send to this guest, or false. */
bool bridge_session_pop_frame(struct bridge_session *session, struct payload_view *frame);

/* The next event, or false. */
bool bridge_session_pop_event(struct bridge_session *session, struct bridge_event *event);
