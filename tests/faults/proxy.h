/*
 * A link between a guest and the bridge that can be made as bad as a test wants it.
 *
 * It listens where the tunnel's host end would, and passes nanomsg's frames to the bridge's socket
 * and back. One guest, one connection in use: the newest that both ends have greeted on. What is
 * held or late goes over that one, whichever it came from.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <uv.h>

#include "tests/faults/faults.h"

enum proxy_direction {
	PROXY_UP,   /* from the guest to the bridge */
	PROXY_DOWN,
	PROXY_DIRECTIONS
};

enum proxy_state {
	PROXY_OPEN,   /* frames are passed on, by the rules of their direction */
	PROXY_FROZEN, /* nothing is read or written, and nobody is told */
	PROXY_SHUT,   /* connections are closed at once */
};

struct connection;

struct proxy {
	uv_loop_t *loop;
	const char *target;            /* the bridge's socket */
	union {
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} listener;
	enum proxy_state state;
	bool dribble;                  /* one byte at a time */
	struct faults faults[PROXY_DIRECTIONS];
	uv_timer_t timers[PROXY_DIRECTIONS];
	struct connection *connections;
	struct connection *current;    /* frames go over this one; NULL if there is none */
	unsigned long accepted;
	uint64_t session;              /* of the newest transmit that came from the guest, */
	uint32_t number;               /* and its number there */
	unsigned long transmits;       /* that came, repeated ones included */
	unsigned long answers;
};

/* Listens at a TCP port of 127.0.0.1, or at a path. Returns 0, or an error of libuv's. */
int proxy_init(struct proxy *proxy, uv_loop_t *loop, const char *listen, const char *target);

/* Closes all handles; the loop then runs out. */
void proxy_close(struct proxy *proxy);

/* After the loop has run out. */
void proxy_deinit(struct proxy *proxy);

/* Ends all connections; what is not held is lost with them. */
void proxy_cut(struct proxy *proxy);

void proxy_set_state(struct proxy *proxy, enum proxy_state state);

/* Rules were changed, or what was held was let go: goes on. */
void proxy_go_on(struct proxy *proxy);
