/*
 * A look at an endpoint. See endpoint_probe.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/endpoint_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "relay/endpoint.h"

#define CONNECT_LIMIT 3000 /* ms */

static int new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Whether somebody takes a connection within the limit: 0 or errno. fd is closed. */
static int try_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t error_size = sizeof(error);

	if (fd < 0)
		return errno;
	if (connect(fd, address, size) != 0)
		error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (poll(&wait, 1, CONNECT_LIMIT) == 1)
			(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
	}
	(void)close(fd);
	return error;
}

static int probe_ipc(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return try_connect(new_socket(AF_UNIX),
		(const struct sockaddr *)&address, sizeof(address));
}

/*
 * The address of a tcp:// endpoint: ADDRESS:PORT, in numbers, [ADDRESS] if it has colons. To be freed;
 * NULL if there is none, which endpoint_check() has ruled out.
 */
static struct addrinfo *address_of(const char *endpoint)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	const char *address = endpoint + strlen("tcp://"), *colon = strrchr(address, ':');
	struct addrinfo *found = NULL;
	char host[128];

	(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	if (host[0] == '[' && strlen(host) > 2) {
		host[strlen(host) - 1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	return getaddrinfo(host, colon + 1, &hints, &found) == 0 ? found : NULL;
}

static int probe_tcp(const char *endpoint)
{
	struct addrinfo *address = address_of(endpoint);
	int error = EINVAL;

	if (address != NULL)
		error = try_connect(new_socket(address->ai_family), address->ai_addr,
			address->ai_addrlen);
	if (address != NULL)
		freeaddrinfo(address);
	return error;
}

int endpoint_probe(const char *endpoint)
{
	return endpoint_is_ipc(endpoint) ? probe_ipc(endpoint_path(endpoint)) : probe_tcp(endpoint);
}

/* Any port will do. */
int endpoint_probe_address(const char *endpoint)
{
	struct addrinfo *address = address_of(endpoint);
	int fd = address != NULL ? new_socket(address->ai_family) : -1, error = 0;

	if (fd < 0)
		error = address != NULL ? errno : EINVAL;
	else if (address->ai_family == AF_INET)
		((struct sockaddr_in *)(void *)address->ai_addr)->sin_port = 0;
	else
		((struct sockaddr_in6 *)(void *)address->ai_addr)->sin6_port = 0;
	if (fd >= 0 && bind(fd, address->ai_addr, address->ai_addrlen) != 0)
		error = errno;
	if (fd >= 0)
		(void)close(fd);
	if (address != NULL)
		freeaddrinfo(address);
	return error;
}
