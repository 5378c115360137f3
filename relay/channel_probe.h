/*
 * Whether a bridge answers to a guest's key: a handshake, of which nothing else follows. For `doctor`.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "relay/key.h"

enum {
	CHANNEL_PROBE_SILENT = 1, /* no answer: our key is not listed, its key is another, or nobody is there */
};

/*
 * Tries an endpoint that has passed endpoint_check(), for some seconds. No session is opened, so that a
 * daemon's goes on; the bridge leaves a channel over which nothing comes, and logs that. Returns 0 when the bridge has
 * answered, which shows that each side has the key that the other expects, or CHANNEL_PROBE_SILENT.
 * Fatal: negative.
 */
int channel_probe(const char *endpoint, const struct key_pair *own, const struct public_key *bridge);
