/*
 * See run_file.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/run_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER "/run/ccid-bridge"

void run_file_path(const struct bridge_config *config, const char *suffix, char *path, size_t size)
{
	size_t i = 0;

	while (i < config->endpoint_count && !endpoint_is_ipc(config->endpoints[i]))
		i++;
	if (i < config->endpoint_count) {
		/* Its folder was made when it was claimed. */
		(void)snprintf(path, size, "%s%s", endpoint_path(config->endpoints[i]), suffix);
		return;
	}
	/* "tcp://" is followed by an address and a port, and no other bridge has both. */
	(void)mkdir(FOLDER, 0700);
	(void)snprintf(path, size, FOLDER "/%s%s", config->endpoints[0] + strlen("tcp://"), suffix);
}
