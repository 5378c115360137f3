/*
 * Core's end of a front: it is started, its socket is put in its place, and it is started again
 * whenever it dies or talks nonsense. The sessions notice nothing but lost frames.
 *
 *     KEEPER_STARTING   a process has been started, and has not said yet that it listens
 *     KEEPER_UP         guests can reach it
 *     KEEPER_WAITING    for the time to start another one
 *     KEEPER_STOPPED    the bridge ends, or has never begun
 *
 * If the first one can't listen, the owner is told why, and nothing is tried again: an
 * administrator is looking. Later ones are tried for ever, at most once in KEEPER_BACK_OFF_MAX.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/payload.h"
#include "host-bridge/child.h"
#include "host-bridge/config.h"
#include "host-bridge/endpoint.h"
#include "relay/link.h"

#define KEEPER_BACK_OFF_FIRST 100  /* ms to the second start after a front that didn't live long */
#define KEEPER_BACK_OFF_MAX 500    /* ms: not busy with a hostile peer, and back soon */
#define KEEPER_LIFE_MIN 2000       /* ms: one that lived so long is started again at once */
#define KEEPER_START_LIMIT 10000   /* ms that a start may take */
#define KEEPER_PING 2000           /* ms between two pings; after two without answer it is killed */
#define KEEPER_STOP_GRACE 2000     /* ms that a front may take to end */

enum keeper_state {
	KEEPER_STOPPED,
	KEEPER_STARTING,
	KEEPER_UP,
	KEEPER_WAITING,
};

struct front_keeper;

/* Where a guest was heard: over which front, and what that one calls it. */
struct front_route {
	struct front_keeper *front; /* NULL: nowhere */
	struct link_route link;
	uint64_t channel;           /* core's: the secure channel; 0: none. Of no meaning here */
};

struct front_keeper_owner {
	/* The first front listens. */
	void (*up)(void *context);
	/* The first front can't: why is NULL, or a text. */
	void (*failed)(void *context, const char *why);
	/* A frame has come from there; both are valid during the call. */
	void (*frame)(void *context, const struct front_route *from, struct payload_view frame);
	/* The front is gone: routes over it lead nowhere, until their guests are heard again. */
	void (*lost)(void *context, const struct front_keeper *keeper);
	/* core should give up; error is negative */
	void (*fail)(void *context, int error);
	void *context;
};

struct front_keeper {
	uv_loop_t *loop;
	const char *endpoint;         /* borrowed */
	struct endpoint_maker maker;
	struct front_keeper_owner owner;

	enum keeper_state state;
	struct endpoint_claim claim;
	struct child *child;          /* STARTING, UP */
	uv_timer_t timer;             /* STARTING: limit; UP: ping; WAITING: to the next start */
	unsigned int unanswered;      /* UP: pings */
	uint64_t started;             /* ms of the loop's clock */
	unsigned int back_off;        /* ms */
	uint64_t starts;              /* of a process */
	bool begun;                   /* it was started at all */
	bool ever_up;
	bool failed;                  /* the first start; there is no other */
	bool stopping;
};

/*
 * Takes the endpoint and starts the front. The first four members are set by the caller, the others
 * are 0. Returns 0, ENDPOINT_BAD or ENDPOINT_BUSY; then why, of why_size bytes, is set, and nothing
 * was started. front_keeper_stop() and front_keeper_deinit() are due in any case.
 */
int front_keeper_start(struct front_keeper *keeper, char *why, size_t why_size);

/* Hands frame to the front of to, or drops it when there is none, or it doesn't read. */
void front_keeper_send(const struct front_route *to, struct payload_view frame);

/* Stops the front after what it was sent; the loop has to go on until it has ended. */
void front_keeper_stop(struct front_keeper *keeper);

/* Removes the socket; after the loop has ended. May be called twice. */
void front_keeper_deinit(struct front_keeper *keeper);

/* Who makes the sockets. As root we have another user for the front; as anybody else there is no choice. */
struct endpoint_maker front_keeper_maker(const struct bridge_config *config);
