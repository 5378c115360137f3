/*
 * Bytes that wait for somebody who may read slowly, or never: bounded, and in whole blocks.
 *
 * There are two halves. One is filled, block by block; when the reader wants more, the halves change
 * places, and what is in the other one is his until he comes again. What he has had is wiped, since it
 * may hold secrets. A block that doesn't fit is not taken, and whoever has it counts it as lost.
 *
 * Sans-I/O.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cursor.h"
#include "base/payload.h"

/* Bytes of a half: some of the largest messages with all their data, or thousands without. */
#define TRACE_QUEUE_MAX (256u * 1024)

struct trace_queue {
	struct payload halves[2];
	size_t filled; /* which of them is filled; the other is being read */
};

/* Makes an empty queue. Fatal: -ENOMEM. */
int trace_queue_init(struct trace_queue *queue);

/* Wipes and frees; may be called twice. */
void trace_queue_deinit(struct trace_queue *queue);

/*
 * A cursor for a block of at most size bytes, or for none (it fails at once) if they don't fit. Once it
 * is written, it goes to trace_queue_add().
 */
struct cursor_out trace_queue_room(struct trace_queue *queue, size_t size);

/* The block that was written over the cursor is in the queue. Returns whether it is: it had room. */
bool trace_queue_add(struct trace_queue *queue, const struct cursor_out *block);

/* What is next, valid until the next call of this; what the last call returned is wiped. */
struct payload_view trace_queue_next(struct trace_queue *queue);
