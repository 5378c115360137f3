/*
 * Core's end of a child process: the monitor, a worker, a cleaner. libuv starts it from our own
 * executable with a pipe, over which messages go both ways.
 *
 * A child ends because it was stopped, or by itself, or because it was killed. Whatever it was, its
 * owner is told exactly once, after the last message that it sent, and then the child is no more.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <uv.h>

#include "relay/wire.h"

struct child;

struct child_functions {
	/* A message has come; its payload is valid during the call. */
	void (*message)(void *owner, const struct wire_message *message);
	/*
	 * The process is over, with exit status 0 (clean) or in any other way. The child frees
	 * itself after this call and must not be used any more.
	 */
	void (*ended)(void *owner, bool clean);
};

struct child_role {
	const char *name;      /* PROCESS_MONITOR, PROCESS_WORKER or PROCESS_CLEANER */
	const char *log_level; /* by name */
	const char *guest;     /* NULL for the monitor */
	const char *reader;    /* NULL for the monitor */
};

enum {
	CHILD_NOT_STARTED = 1, /* the system has no process or descriptor for us; it is logged */
};

/* Starts a process. Returns 0 or CHILD_NOT_STARTED. Fatal: -ENOMEM. */
int child_start(struct child **child, uv_loop_t *loop, const struct child_role *role,
	const struct child_functions *functions, void *owner);

/* Queues message. What can't be sent any more is dropped: the child's end will be told. */
void child_send(struct child *child, const struct wire_message *message);

/* Closes the pipe, so that the child ends in order, and kills it if it has not done so in time. */
void child_stop(struct child *child, unsigned int grace_milliseconds);

/* Kills it now. */
void child_kill(struct child *child);
