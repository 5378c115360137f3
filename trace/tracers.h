/*
 * Who is told of each message: the traces that are being written now, each with its own file.
 *
 * Every tracer has a queue. A message is encoded for each of them, with its data or without it: where it
 * is cut out, it never gets into the queue. One that doesn't fit is lost for that tracer, and the next
 * packet in its file says how many were. Nobody waits for a tracer.
 *
 * Sans-I/O: times are handed in, and what carries the queue to its file is told when there is something.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/queue.h"
#include "trace/usb_trace.h"

struct tracer;

/* All traces of a daemon. */
struct tracers {
	const char *program;   /* who writes them, with its version; borrowed */
	const char *interface; /* what they are of; borrowed */
	uint8_t bus;           /* number of its bus, so that two daemons' traces can be told apart */
	struct tracer *first;  /* NULL: there is none, and nothing is to be done */
};

struct tracer_owner {
	void (*wake)(void *context); /* there is something in the queue */
	void *context;
};

/* Begins a trace. Fatal: -ENOMEM. */
int tracer_new(struct tracer **tracer, struct tracers *tracers, bool with_data,
	const struct tracer_owner *owner);

/* Wipes and frees; returns NULL. May be called with NULL. */
struct tracer *tracer_free(struct tracer *tracer);

/* A device that was there before this trace. */
void tracer_add_device(struct tracer *tracer, uint64_t time, const struct trace_device *device);

/* No more is added; the last block says what was counted. */
void tracer_end(struct tracer *tracer, uint64_t time);

/* Bytes for the file, valid until the next call of this; none: for now. */
struct payload_view tracer_next(struct tracer *tracer);

/* How many packets there were, and how many of them were lost. */
struct pcapng_counts tracer_counts(const struct tracer *tracer);

/*
 * Tells all tracers. bus, with_data and lost of what is told are set here. Cheap while there is none,
 * but whoever has work to do before should look at first.
 */
void tracers_device(struct tracers *tracers, uint64_t time, const struct trace_device *device);
void tracers_message(struct tracers *tracers, const struct trace_message *message);
void tracers_request(struct tracers *tracers, const struct trace_request *request);
