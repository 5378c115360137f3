/*
 * Two halves. See queue.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "trace/queue.h"

int trace_queue_init(struct trace_queue *queue)
{
	int r;

	*queue = (struct trace_queue){ .halves = { PAYLOAD_NULL, PAYLOAD_NULL } };
	r = payload_init(&queue->halves[0], TRACE_QUEUE_MAX);
	if (r == 0)
		r = payload_init(&queue->halves[1], TRACE_QUEUE_MAX);
	if (r != 0)
		trace_queue_deinit(queue);
	return r;
}

void trace_queue_deinit(struct trace_queue *queue)
{
	payload_deinit(&queue->halves[0]);
	payload_deinit(&queue->halves[1]);
}

struct cursor_out trace_queue_room(struct trace_queue *queue, size_t size)
{
	struct payload *half = &queue->halves[queue->filled];

	return cursor_out(half->bytes + half->size, size <= half->capacity - half->size ? size : 0);
}

bool trace_queue_add(struct trace_queue *queue, const struct cursor_out *block)
{
	struct payload *half = &queue->halves[queue->filled];

	if (out_ok(block)) {
		half->size += block->size;
		return true;
	}
	payload_wipe(block->start, block->capacity);
	return false;
}

struct payload_view trace_queue_next(struct trace_queue *queue)
{
	struct payload *read = &queue->halves[1 - queue->filled];

	payload_clear(read);
	if (queue->halves[queue->filled].size > 0)
		queue->filled = 1 - queue->filled;
	return payload_view(&queue->halves[1 - queue->filled]);
}
