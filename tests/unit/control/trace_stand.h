/*
 * A daemon that traces, but has no readers: a test tells what they would have said. Its loop runs while a
 * test waits, for itself or for one of the clients, who trace at folder_socket (folder.h).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "control/server.h"
#include "control/trace_stream.h"
#include "tests/unit/trace/capture.h"

/* In what is told; a trace without data has none of it. */
#define PIN "93471856"

struct stand {
	uv_loop_t loop;
	struct control_socket socket;
	struct control_server *server; /* NULL: the daemon has ended */
	struct tracers tracers;
	size_t traces;  /* that were asked for */
};

extern struct stand stand;

/* The daemon begins and ends, for cmocka. It may end twice. */
int stand_up(void **state);
int stand_down(void **state);

void stand_run(int ms);

/* So many packets, each a VERIFY. Their numbers, in the comments, follow each other. */
void stand_tell(size_t count);

/* The daemon's devices, as trace_source has them: one. */
void stand_devices(void *owner, struct tracer *tracer);

/* ---- somebody who traces ---- */

struct client {
	int fd;
	uint8_t *bytes; /* that have come */
	size_t size;
	bool end;
};

/* Connects, and says this line. */
void client_ask(struct client *client, const char *line);

/* Asks for a trace, and waits until the daemon knows. */
void client_begin(struct client *client);

/* Takes a piece of what is there, at once. Returns whether there was one. */
bool client_read(struct client *client);

/* Takes everything: up to the end; or what there is, and then there must be no end. */
void client_take(struct client *client, bool until_end);

/* Asks for the end, if it hasn't, and takes everything up to it. Returns what has come in all. */
struct capture_sum client_finish(struct client *client);

void client_go(struct client *client);
