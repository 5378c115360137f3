/*
 * What the status of both daemons has in common: the daemon itself, and the counters of the calls to a
 * reader. As JSON, and as text of that JSON.
 *
 *     "program", "version", "time", "pid", "since", "config", "log_level"
 *     "calls": {"apdus", "bytes_sent", "bytes_received",
 *               "errors": {each kind of failure: count}, "latency_us": {"min", "mean", "p99", "max"}}
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdio.h>
#include <time.h>

#include "control/json.h"
#include "control/server.h"
#include "relay/call_stats.h"

struct control_daemon {
	const char *program;
	const char *config; /* path of its configuration; borrowed */
	time_t since;       /* its start */
};

/* A new object with what the daemon is, to which the rest of the answer is added. */
json_t *control_status_head(const struct control_daemon *daemon);

/* The counters as a new object; all members are there, whatever they count. */
json_t *control_status_calls(const struct call_stats *stats);

/* "ccid-bridge 0.1.0, process 17, since 2026-01-31T23:59:59Z" and what else there is in the head. */
void control_status_show_head(const json_t *answer, FILE *out);

/* Text of unknown origin, without what a terminal would obey. */
void control_status_show_text(const char *text, FILE *out);

/* The lines of the counters, each behind indent. */
void control_status_show_calls(const json_t *calls, const char *indent, FILE *out);

/*
 * The answer to CONTROL_LOG_LEVEL: {"log_level"}; with an argument that is the level from now on, if
 * whoever asks may say so.
 */
json_t *control_status_log_level(const struct control_question *question);

/* Its text. */
void control_status_show_log_level(const json_t *answer, FILE *out);
