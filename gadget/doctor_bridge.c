/*
 * Whether the bridge can be reached: only that somebody listens there, since a session of ours would end
 * that of a daemon that runs. See doctor_parts.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <string.h>

#include "gadget/doctor_parts.h"
#include "relay/endpoint.h"
#include "relay/endpoint_probe.h"

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
	case ETIMEDOUT:
		return "no answer: the host is away, or its firewall drops it";
	case EACCES:
		return "permission denied: only root may enter";
	}
	return strerror(error);
}

void doctor_bridge(struct checkup *checkup, const struct config *config)
{
	bool ipc = endpoint_is_ipc(config->bridge);
	int error = endpoint_probe(config->bridge);

	if (error == 0)
		checkup_ok(checkup, "bridge", "somebody listens at %s", config->bridge);
	else
		checkup_problem(checkup, "bridge", NULL, "%s: %s", config->bridge,
			meaning(error, ipc));
}
