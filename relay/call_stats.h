/*
 * What became of the calls to a reader, counted: by the guest's daemon as its driver sees them, and by
 * the bridge as the host's pcscd does. What a session's end has cut off the bridge counts nowhere, and
 * the guest's daemon as WIRE_OUTCOME_UNKNOWN. Nothing but numbers; sans-I/O.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/latency.h"
#include "relay/wire.h"

#define CALL_STATS_OUTCOMES (WIRE_TIMED_OUT + 1) /* as many as enum wire_outcome has */

/* All zeroes at first. */
struct call_stats {
	uint64_t apdus;          /* WIRE_TRANSMITs that were made and have ended, however */
	uint64_t bytes_sent;     /* of their commands */
	uint64_t bytes_received; /* of their responses */
	uint64_t outcomes[CALL_STATS_OUTCOMES]; /* of all calls, those that were not made, too */
	struct latency latency;  /* of WIRE_TRANSMITs, us */
};

/* A call with so many bytes of data has ended after us microseconds. */
void call_stats_ended(struct call_stats *stats, uint8_t operation, size_t sent,
	const struct wire_reply *reply, uint64_t us);

/* A call was answered without being made. */
void call_stats_not_made(struct call_stats *stats, const struct wire_reply *reply);
