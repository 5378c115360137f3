/*
 * The answer to CONTROL_TRACE, of both daemons: a capture file, sent over the connection that asked for
 * it as it comes to be, until whoever asked shuts down his side. What he has is a file at any moment.
 *
 * Only those who are trusted get one; with the data of APDUs only root, who could look into the
 * daemon's memory as well. The log says that it was asked for.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "control/server.h"
#include "trace/tracers.h"

/* Times of a trace: ns since 1970. */
uint64_t trace_stream_now(void);

struct trace_source {
	struct tracers *tracers;
	/* Tells a new tracer of the devices that are there already. */
	void (*devices)(void *owner, struct tracer *tracer);
	void *owner;
};

/* Answers the question: NULL when the stream has begun, else the error. */
json_t *trace_stream_answer(const struct trace_source *source, const struct control_question *question);
