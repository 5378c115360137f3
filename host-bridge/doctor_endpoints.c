/*
 * Where the bridge would listen, or does. See doctor_parts.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host-bridge/doctor_parts.h"
#include "relay/endpoint.h"
#include "relay/endpoint_probe.h"

/* What endpoint_claim() will ask of the folder. Returns whether it has said something. */
static bool check_folder(struct checkup *checkup, const char *path)
{
	char folder[ENDPOINT_PATH_MAX + 1], remedy[ENDPOINT_PATH_MAX + 64];
	struct stat status;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = '\0';
	(void)snprintf(remedy, sizeof(remedy), "chmod go-w %s", folder);
	/* A missing one will be made. */
	if (folder[0] == '\0' || stat(folder, &status) != 0 ||
		(status.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return false;
	checkup_problem(checkup, "endpoint", remedy, "others can write to the folder %s, and could "
		"put a false socket there", folder);
	return true;
}

static void check_endpoint(struct checkup *checkup, const char *endpoint)
{
	bool ipc = endpoint_is_ipc(endpoint);
	int error = endpoint_probe(endpoint);

	if (ipc && check_folder(checkup, endpoint_path(endpoint)))
		return;
	if (error == 0)
		checkup_ok(checkup, "endpoint", "somebody listens at %s", endpoint);
	else if (ipc && error == EACCES)
		checkup_unknown(checkup, "endpoint", "%s: only root may look", endpoint);
	else if (!ipc && endpoint_probe_address(endpoint) == EADDRNOTAVAIL)
		checkup_problem(checkup, "endpoint", "ip address", "%s is no address of this "
			"machine", endpoint);
	else
		checkup_ok(checkup, "endpoint", "%s is free; no ccid-bridge runs", endpoint);
}

void doctor_endpoints(struct checkup *checkup, const struct bridge_config *config)
{
	for (size_t i = 0; i < config->endpoint_count; i++)
		check_endpoint(checkup, config->endpoints[i]);
}
