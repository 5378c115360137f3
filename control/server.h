/*
 * The daemon's end of the control socket, run by its loop: it never blocks, and costs nothing while
 * nobody asks.
 *
 *     reading   the line has not come whole yet
 *     waiting   it has, and the owner has no answer yet
 *     writing   the answer goes out; then the connection is closed
 *
 * A connection has so many milliseconds for each of these and is then closed, but for one that waits:
 * the owner is asked for the last time. There are CONTROL_CLIENTS_MAX connections at a time, others
 * wait to be accepted. An answer has a limit, so all of it has one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <uv.h>

#include "control/json.h"
#include "control/request.h"
#include "control/socket.h"

#define CONTROL_CLIENTS_MAX 8
#define CONTROL_READ_MAX 2000   /* ms */
#define CONTROL_WAIT_MAX 3000   /* ms */
#define CONTROL_WRITE_MAX 2000  /* ms */
#define CONTROL_ANSWER_MAX (512u * 1024) /* bytes */

struct control_question {
	struct control_request request;
	bool trusted; /* whoever asks is root or our user: may change something */
	bool last;    /* there is no more time to wait */
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

/* Something is not what it was: those that wait are asked for again. May be called with NULL. */
void control_server_again(struct control_server *server);

/* Whether somebody waits for an answer to this. May be called with NULL. */
bool control_server_is_asked(const struct control_server *server, enum control_verb verb);

/*
 * Closes all and removes the socket; the memory is freed when the loop runs next. Returns NULL; may be
 * called with NULL.
 */
struct control_server *control_server_stop(struct control_server *server);
