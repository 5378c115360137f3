/*
 * The daemon's end of the control socket, run by its loop: it never blocks, and costs nothing while
 * nobody asks.
 *
 *     reading   the line has not come whole yet
 *     waiting   it has, and the owner has no answer yet
 *     writing   the answer goes out; then the connection is closed
 *     streaming the owner has bytes for it now and then, instead of an answer
 *     finishing the peer wants no more of them; the last ones go out
 *
 * A connection has so many milliseconds for each of these, or each piece, and is then closed, but for one
 * that waits: the owner is asked for the last time; and for one that is streaming: a peer that does not
 * read has the owner wait with what it has next, and that is all. There are CONTROL_CLIENTS_MAX connections
 * at a time, others wait to be accepted. An answer has a limit, so all of it has one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/payload.h"
#include "control/json.h"
#include "control/request.h"
#include "control/socket.h"

#define CONTROL_CLIENTS_MAX 8
#define CONTROL_STREAMS_MAX 4 /* of these that are streaming, so that others still can ask */
#define CONTROL_READ_MAX 2000   /* ms */
#define CONTROL_WAIT_MAX 3000   /* ms */
#define CONTROL_WRITE_MAX 2000  /* ms */
#define CONTROL_ANSWER_MAX (512u * 1024) /* bytes */

struct control_client;

struct control_question {
	struct control_request request;
	bool trusted; /* whoever asks is root or our user: may change something */
	bool root;    /* is root */
	bool last;    /* there is no more time to wait */
	struct control_client *client; /* who asks, for control_server_stream() */
};

/*
 * Answers, with a new object; or returns NULL to be asked again at the next control_server_again().
 * After NULL at the last time the connection is closed without an answer.
 */
typedef json_t *(*control_answer)(void *owner, const struct control_question *question);

struct control_server;

/*
 * Takes over an open socket, which is CONTROL_SOCKET_NULL then, and serves it on the loop. Returns 0;
 * negative if that can't be done: the socket is closed.
 */
int control_server_start(struct control_server **server, uv_loop_t *loop,
	struct control_socket *socket, control_answer answer, void *owner);

/* Where the bytes of a connection come from that is streaming. */
struct control_stream {
	/* The next ones, valid until the next call of this or of ended(); none: for now, or for ever. */
	struct payload_view (*next)(void *owner);
	/* The peer wants no more, or the server ends: what next() gives from now on is the end. */
	void (*finish)(void *owner);
	/* The connection is closed. Comes once; the client must not be used any more. */
	void (*ended)(void *owner);
	void *owner;
};

enum {
	CONTROL_STREAMS_FULL = 1,
};

/*
 * Makes a connection streaming. To be called while it asks, by the function that answers, which then
 * returns NULL. Returns 0 or CONTROL_STREAMS_FULL.
 */
int control_server_stream(struct control_client *client, const struct control_stream *stream);

/* next() has something again; to be called whenever that may be so. */
void control_server_wake(struct control_client *client);

/* Something is not what it was: those that wait are asked for again. May be called with NULL. */
void control_server_again(struct control_server *server);

/* Whether somebody waits for an answer to this. May be called with NULL. */
bool control_server_is_asked(const struct control_server *server, enum control_verb verb);

/*
 * Closes all and removes the socket; streams are finished before, for those who have read all. The memory
 * is freed when the loop runs next. Returns NULL; may be called with NULL.
 */
struct control_server *control_server_stop(struct control_server *server);
