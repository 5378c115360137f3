/*
 * The syntax of endpoints. See endpoint.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/endpoint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define IPC "ipc://"
#define TCP "tcp://"
#define EXAMPLE "ipc:///run/ccid-bridge/vm1.sock"

static int refuse(char *why, size_t why_size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(char *why, size_t why_size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, why_size, format, args);
	va_end(args);
	return ENDPOINT_BAD;
}

bool endpoint_is_ipc(const char *endpoint)
{
	return strncmp(endpoint, IPC, strlen(IPC)) == 0;
}

const char *endpoint_path(const char *endpoint)
{
	return endpoint + strlen(IPC);
}

int endpoint_check(const char *endpoint, char *why, size_t why_size)
{
	const char *path;

	if (strncmp(endpoint, TCP, strlen(TCP)) == 0)
		return refuse(why, why_size,
			"\"%s\": tcp:// needs keys, which this version does not have; use ipc:// "
			"and carry it through a tunnel (ssh -L, ssh -R, socat)", endpoint);
	if (!endpoint_is_ipc(endpoint))
		return refuse(why, why_size,
			"\"%s\" is no endpoint; write ipc:// and a path, as in " EXAMPLE, endpoint);
	path = endpoint_path(endpoint);
	if (path[0] != '/')
		return refuse(why, why_size,
			"\"%s\": the path must be absolute, as in " EXAMPLE, endpoint);
	if (path[strlen(path) - 1] == '/')
		return refuse(why, why_size, "\"%s\" names a folder, not a socket", endpoint);
	if (strlen(path) > ENDPOINT_PATH_MAX)
		return refuse(why, why_size,
			"\"%s\": the path has %zu bytes, and a unix socket's may have %d", endpoint,
			strlen(path), ENDPOINT_PATH_MAX);
	return 0;
}
