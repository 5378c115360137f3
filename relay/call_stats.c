/*
 * Counting calls. See call_stats.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/call_stats.h"

void call_stats_ended(struct call_stats *stats, uint8_t operation, size_t sent,
	const struct wire_reply *reply, uint64_t us)
{
	call_stats_not_made(stats, reply);
	if (operation != WIRE_TRANSMIT)
		return;
	stats->apdus++;
	stats->bytes_sent += sent;
	stats->bytes_received += reply->data.size;
	latency_add(&stats->latency, us);
}

void call_stats_not_made(struct call_stats *stats, const struct wire_reply *reply)
{
	if (reply->outcome < CALL_STATS_OUTCOMES)
		stats->outcomes[reply->outcome]++;
}
