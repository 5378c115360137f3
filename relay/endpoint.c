/*
 * The syntax of endpoints. See endpoint.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/endpoint.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IPC "ipc://"
#define TCP "tcp://"
#define EXAMPLE "ipc:///run/ccid-bridge/vm1.sock"
#define TCP_EXAMPLE "tcp://192.168.122.1:7816"

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

static bool is_port(const char *text)
{
	unsigned long port;

	if (strlen(text) > 5 || strspn(text, "0123456789") != strlen(text) || text[0] == '\0')
		return false;
	port = strtoul(text, NULL, 10);
	return port >= 1 && port <= 65535;
}

const char *endpoint_check_tcp(const char *address)
{
	const char *colon = strrchr(address, ':');
	const char *host = address;
	char number[INET6_ADDRSTRLEN];
	size_t length;
	bool six = address[0] == '[';
	struct in6_addr ignored;

	if (colon == NULL || !is_port(colon + 1))
		return "a tcp:// address needs a port from 1 to 65535";
	length = (size_t)(colon - address);
	if (six) {
		if (length < 2 || address[length - 1] != ']')
			return "an IPv6 address is written [address]:port";
		host = address + 1;
		length -= 2;
	}
	if (length >= sizeof(number))
		return "a tcp:// address is a number, not a name";
	memcpy(number, host, length);
	number[length] = '\0';
	if (inet_pton(six ? AF_INET6 : AF_INET, number, &ignored) != 1)
		return "a tcp:// address is a number, not a name";
	return NULL;
}

int endpoint_check(const char *endpoint, char *why, size_t why_size)
{
	const char *path, *problem;

	if (strncmp(endpoint, TCP, strlen(TCP)) == 0) {
		problem = endpoint_check_tcp(endpoint + strlen(TCP));
		return problem == NULL ? 0 : refuse(why, why_size, "\"%s\": %s, as in "
			TCP_EXAMPLE, endpoint, problem);
	}
	if (!endpoint_is_ipc(endpoint))
		return refuse(why, why_size,
			"\"%s\" is no endpoint; write ipc:// and a path, as in " EXAMPLE
			", or tcp://, an address and a port", endpoint);
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
