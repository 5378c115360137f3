/*
 * The traces of a daemon. See tracers.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "trace/tracers.h"

#include <errno.h>
#include <stdlib.h>

struct tracer {
	struct tracer *next;
	struct tracers *tracers;
	struct tracer_owner owner;
	struct trace_queue queue;
	bool with_data;
	bool ended;
	uint64_t packets; /* with those that were lost */
	uint64_t lost;
	uint64_t said;    /* of these, in the file */
};

int tracer_new(struct tracer **made, struct tracers *tracers, bool with_data,
	const struct tracer_owner *owner)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));
	struct cursor_out block;
	int r = tracer != NULL ? trace_queue_init(&tracer->queue) : -ENOMEM;

	if (r != 0) {
		free(tracer);
		return r;
	}
	tracer->tracers = tracers;
	tracer->owner = *owner;
	tracer->with_data = with_data;
	block = trace_queue_room(&tracer->queue, PCAPNG_BEGIN_MAX);
	pcapng_begin(&block, tracers->program, tracers->interface);
	(void)trace_queue_add(&tracer->queue, &block);
	tracer->next = tracers->first;
	tracers->first = tracer;
	*made = tracer;
	return 0;
}

struct tracer *tracer_free(struct tracer *tracer)
{
	struct tracer **at;

	if (tracer == NULL)
		return NULL;
	for (at = &tracer->tracers->first; *at != tracer; at = &(*at)->next)
		;
	*at = tracer->next;
	trace_queue_deinit(&tracer->queue);
	free(tracer);
	return NULL;
}

/* A block of so many packets was written, or not. */
static void tracer_added(struct tracer *tracer, const struct cursor_out *block, uint64_t packets,
	bool said)
{
	if (tracer->ended)
		return;
	tracer->packets += packets;
	if (!trace_queue_add(&tracer->queue, block))
		tracer->lost += packets;
	else if (said)
		tracer->said = tracer->lost;
	tracer->owner.wake(tracer->owner.context);
}

/*
 * As for every packet, there must be room for the last block behind it. Without room the cursor fails at
 * once.
 */
static struct cursor_out tracer_room(struct tracer *tracer, size_t size)
{
	struct cursor_out with_end = trace_queue_room(&tracer->queue, size + PCAPNG_COUNTS_SIZE);

	return cursor_out(with_end.start, !tracer->ended && with_end.capacity > 0 ? size : 0);
}

void tracer_add_device(struct tracer *tracer, uint64_t time, const struct trace_device *device)
{
	struct cursor_out block = tracer_room(tracer, TRACE_DEVICE_MAX);
	struct trace_device mine = *device;

	mine.bus = tracer->tracers->bus;
	trace_device(&block, time, &mine);
	tracer_added(tracer, &block, TRACE_DEVICE_PACKETS, false);
}

void tracer_end(struct tracer *tracer, uint64_t time)
{
	struct pcapng_counts counts = tracer_counts(tracer);
	struct cursor_out block;

	if (tracer->ended)
		return;
	counts.time = time;
	block = trace_queue_room(&tracer->queue, PCAPNG_COUNTS_SIZE);
	pcapng_counts(&block, &counts);
	tracer_added(tracer, &block, 0, false);
	tracer->ended = true;
}

struct payload_view tracer_next(struct tracer *tracer)
{
	return trace_queue_next(&tracer->queue);
}

struct pcapng_counts tracer_counts(const struct tracer *tracer)
{
	return (struct pcapng_counts){ .received = tracer->packets, .lost = tracer->lost };
}

/* ---- all of them ---- */

void tracers_device(struct tracers *tracers, uint64_t time, const struct trace_device *device)
{
	for (struct tracer *tracer = tracers->first; tracer != NULL; tracer = tracer->next)
		tracer_add_device(tracer, time, device);
}

void tracers_message(struct tracers *tracers, const struct trace_message *message)
{
	struct trace_message mine = *message;

	mine.bus = tracers->bus;
	for (struct tracer *tracer = tracers->first; tracer != NULL; tracer = tracer->next) {
		struct cursor_out block;

		mine.with_data = tracer->with_data;
		mine.lost = tracer->lost - tracer->said;
		block = tracer_room(tracer, TRACE_MESSAGE_MAX(trace_kept(&mine)));
		trace_message(&block, &mine);
		tracer_added(tracer, &block, 1, true);
	}
}

void tracers_request(struct tracers *tracers, const struct trace_request *request)
{
	struct trace_request mine = *request;

	mine.bus = tracers->bus;
	for (struct tracer *tracer = tracers->first; tracer != NULL; tracer = tracer->next) {
		struct cursor_out block = tracer_room(tracer, TRACE_REQUEST_MAX);

		mine.lost = tracer->lost - tracer->said;
		trace_request(&block, &mine);
		tracer_added(tracer, &block, 1, true);
	}
}
