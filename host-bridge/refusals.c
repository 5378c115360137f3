/*
 * See refusals.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/refusals.h"

#include <inttypes.h>

#include "base/log.h"

#define TAG "bridge"

static const char *const sentences[REFUSAL_COUNT] = {
	[REFUSAL_UNKNOWN_KEY] =
		"a guest was refused: its key is not in the configuration",
	[REFUSAL_NOT_OURS] =
		"a guest was refused: its bridge-key is not this bridge's key, or its handshake was "
		"damaged",
	[REFUSAL_DROPPED] =
		"a frame was dropped that can't be decrypted, was here before, or belongs to no "
		"connection (after a restart of this bridge that is to be expected)",
	[REFUSAL_PLAIN] =
		"a frame was dropped that is not encrypted",
	[REFUSAL_TOO_MANY] =
		"a handshake was not looked at: there were too many",
	[REFUSAL_UNFINISHED] =
		"a handshake with a guest's key was begun and not ended: its doctor has asked, or it "
		"was cut off, or somebody repeats what it has sent",
};

void refusals_add(struct refusals *refusals, enum refusal refusal, uint64_t now)
{
	uint64_t since = refusals->since[refusal];

	refusals->total[refusal]++;
	if (refusals->total[refusal] > 1 && now - refusals->said_at[refusal] < REFUSALS_INTERVAL) {
		refusals->since[refusal]++;
		return;
	}
	refusals->said_at[refusal] = now;
	refusals->since[refusal] = 0;
	if (since > 0)
		log_warning(TAG, "%s; and %" PRIu64 " times since the last such line",
			sentences[refusal], since);
	else
		log_warning(TAG, "%s", sentences[refusal]);
}
