/*
 * Core's end of a child process: the front, the monitor, a worker, a cleaner. libuv starts it from
 * our own executable with a pipe, over which frames go both ways: the relay's messages, or, with
 * the front, records of its own.
 *
 * A child ends because it was stopped, or by itself, or because it was killed. Whatever it was, its
 * owner is told exactly once, after the last message that it sent, and then the child is no more.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <limits.h>
#include <stdbool.h>
#include <uv.h>

#include "relay/wire.h"

struct child;

/* One of the first two is set; what they are given is valid during the call. */
struct child_functions {
	void (*message)(void *owner, const struct wire_message *message);
	/* Returns whether frame is what this child may say; else it is killed. */
	bool (*frame)(void *owner, struct payload_view frame);
	/*
	 * The process is over, with exit status 0 (clean) or in any other way. The child frees
	 * itself after this call and must not be used any more.
	 */
	void (*ended)(void *owner, bool clean);
};

#define CHILD_WORDS_MAX 5 /* in role->words */

struct child_role {
	const char *name;         /* PROCESS_... */
	const char *const *words; /* what follows on its command line */
	size_t word_count;
	/* The front's only: */
	const int *folder;        /* NULL, or a descriptor that it gets as PROCESS_FOLDER */
	bool bare;                /* it gets no environment, but what the log needs */
	bool other_user;          /* it runs as user and group, and in no other group */
	uv_uid_t user;
	uv_gid_t group;
};

enum {
	CHILD_NOT_STARTED = 1, /* the system has no process or descriptor for us; it is logged */
};

/* Starts a process, which logs what this one logs. Returns 0 or CHILD_NOT_STARTED. Fatal: -ENOMEM. */
int child_start(struct child **child, uv_loop_t *loop, const struct child_role *role,
	const struct child_functions *functions, void *owner);

/* Queues message. What can't be sent any more is dropped: the child's end will be told. */
void child_send(struct child *child, const struct wire_message *message);

/*
 * Queues bytes, a frame with its prefix, unless more than CHILD_QUEUE_MAX wait already because the
 * child doesn't read: then it is dropped. A child that has read nothing of a full queue for
 * CHILD_QUEUE_PATIENCE is killed. Never blocks.
 */
void child_send_frame(struct child *child, struct payload_view bytes);

#define CHILD_QUEUE_MAX (1024 * 1024) /* bytes */
#define CHILD_QUEUE_PATIENCE 3000     /* ms */

#define CHILD_NO_LIMIT UINT_MAX /* for child_stop(): however long it takes */

/*
 * Closes the pipe, so that the child ends in order, and kills it if it has not done so in time. May
 * be called again, with another grace.
 */
void child_stop(struct child *child, unsigned int grace_milliseconds);

/* Kills it now. */
void child_kill(struct child *child);
