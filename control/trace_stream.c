/*
 * A tracer at the end of a connection. See trace_stream.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "control/trace_stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

#define TAG "trace"

struct trace_stream {
	struct control_client *client;
	struct tracer *tracer;
	bool begun; /* the client is ours to wake */
};

uint64_t trace_stream_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void on_wake(void *context)
{
	struct trace_stream *stream = context;

	if (stream->begun)
		control_server_wake(stream->client);
}

static struct payload_view stream_next(void *owner)
{
	const struct trace_stream *stream = owner;

	return tracer_next(stream->tracer);
}

static void stream_finish(void *owner)
{
	const struct trace_stream *stream = owner;

	tracer_end(stream->tracer, trace_stream_now());
}

static void stream_ended(void *owner)
{
	struct trace_stream *stream = owner;
	struct pcapng_counts counts = tracer_counts(stream->tracer);

	log_info(TAG, "a trace has ended: %" PRIu64 " packets, of which %" PRIu64 " were lost",
		counts.received, counts.lost);
	stream->tracer = tracer_free(stream->tracer);
	free(stream);
}

static json_t *stream_begin(struct trace_stream *stream, const struct trace_source *source,
	const struct control_question *question)
{
	const struct control_stream functions = {
		.next = stream_next,
		.finish = stream_finish,
		.ended = stream_ended,
		.owner = stream,
	};

	source->devices(source->owner, stream->tracer);
	if (control_server_stream(question->client, &functions) != 0) {
		stream->tracer = tracer_free(stream->tracer);
		free(stream);
		return control_json_error("as many traces as can be are being written already");
	}
	stream->begun = true;
	return NULL;
}

json_t *trace_stream_answer(const struct trace_source *source, const struct control_question *question)
{
	bool with_data = strcmp(question->request.argument, CONTROL_WITH_DATA) == 0;
	struct tracer_owner owner = { .wake = on_wake };
	struct trace_stream *stream;
	json_t *error;

	if (!with_data && question->request.argument[0] != '\0')
		return control_json_error("this daemon knows no such trace: it is of another version than the "
			"command");
	if (!question->trusted)
		return control_json_error("a trace is for root and the daemon's user only");
	if (with_data && !question->root)
		return control_json_error("a trace with data shows PINs and keys: it is for root only");
	stream = calloc(1, sizeof *stream);
	owner.context = stream;
	if (stream == NULL || tracer_new(&stream->tracer, source->tracers, with_data, &owner) != 0) {
		free(stream);
		return control_json_error("the daemon has no memory for a trace");
	}
	stream->client = question->client;
	error = stream_begin(stream, source, question);
	if (error == NULL && with_data)
		log_warning(TAG, "a trace begins, with all data: PINs and keys, too");
	else if (error == NULL)
		log_info(TAG, "a trace begins");
	return error;
}
