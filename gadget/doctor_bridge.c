/*
 * Whether the bridge can be reached: that somebody listens there and, with keys, answers a handshake. A
 * session of ours would be a contest for that of a daemon that runs. See doctor_parts.h.
 *
 * A bridge doesn't answer those whose key it hasn't, so it is the same silence whichever key is wrong.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/payload.h"
#include "gadget/doctor_parts.h"
#include "relay/channel_probe.h"
#include "relay/endpoint.h"
#include "relay/endpoint_probe.h"
#include "relay/key_file.h"

#define REMEDY_MAX 1024

/* What to make of an error, by experience. */
static const char *meaning(int error, bool ipc)
{
	switch (error) {
	case ENOENT:
		return "nobody has made that socket: the tunnel to the host is not there";
	case ECONNREFUSED:
		return ipc ? "a socket is there, and nobody behind it: the tunnel has ended"
			   : "nobody listens there: ccid-bridge doesn't run on the host, or not at "
			     "this address";
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "no way there: this machine's network is down, or the address is not the host's";
	case ETIMEDOUT:
		return "no answer: the host is away, or its firewall drops it";
	case EACCES:
		return "permission denied: only root may enter";
	}
	return strerror(error);
}

/* Without a key that can be read, a line has been said about that. */
static bool check_keys(struct checkup *checkup, const struct config *config)
{
	struct key_pair own;
	char why[KEY_FILE_WHY_MAX], ours[KEY_TEXT_SIZE];
	int r = key_file_read(config->key_file, &own.private, why);

	if (r == 0) {
		key_public(&own.private, &own.public);
		key_public_to_text(&own.public, ours);
		r = channel_probe(config->bridge, &own, &config->bridge_key);
	} else {
		r = -EACCES;
	}
	payload_wipe(&own, sizeof(own));
	if (r == 0)
		checkup_ok(checkup, "keys", "the bridge answers to ours (the clocks need not agree)");
	else if (r > 0)
		checkup_problem(checkup, "keys", "ccid-bridge pubkey, on the host, for bridge-key here",
			"the bridge doesn't answer: bridge-key is not its key, or none of its guests has "
			"key = \"%s\", which is ours", ours);
	return r == 0;
}

/* The tunnel of the sample configurations. */
static const char *remedy(int error, const struct config *config, char text[REMEDY_MAX])
{
	if (!endpoint_is_ipc(config->bridge) || (error != ENOENT && error != ECONNREFUSED))
		return NULL;
	(void)snprintf(text, REMEDY_MAX, "ssh -N -R %s:/run/ccid-bridge/%s.sock root@%s, on the host",
		endpoint_path(config->bridge), config->name, config->name);
	return text;
}

bool doctor_bridge(struct checkup *checkup, const struct config *config)
{
	bool ipc = endpoint_is_ipc(config->bridge);
	int error = endpoint_probe(config->bridge);
	char text[REMEDY_MAX];

	if (error == 0)
		checkup_ok(checkup, "bridge", "somebody listens at %s", config->bridge);
	else
		checkup_problem(checkup, "bridge", remedy(error, config, text), "%s: %s",
			config->bridge, meaning(error, ipc));
	return error == 0 && (!config->keyed || check_keys(checkup, config));
}
