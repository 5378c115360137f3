/*
 * A datagram to a unix socket, by its path or, behind an '@', by its abstract name. See notify.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TEXT_MAX 512
#define US_PER_MS 1000

/* Returns the size of the address, or 0 without one. */
static socklen_t notify_address(struct sockaddr_un *address)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path != NULL ? strlen(path) : 0;

	if (length < 2 || length >= sizeof(address->sun_path) || (path[0] != '/' && path[0] != '@'))
		return 0;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, path, length);
	if (path[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

void notify(const char *format, ...)
{
	struct sockaddr_un address;
	socklen_t size = notify_address(&address);
	char text[TEXT_MAX];
	va_list args;
	int fd;

	if (size == 0)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd < 0)
		return;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* A manager that doesn't read must not stop us. */
	(void)sendto(fd, text, strlen(text), MSG_DONTWAIT, (const struct sockaddr *)&address, size);
	(void)close(fd);
}

uint64_t notify_watchdog(void)
{
	const char *limit = getenv("WATCHDOG_USEC"), *process = getenv("WATCHDOG_PID");
	unsigned long long us;
	char *end;

	if (limit == NULL || (process != NULL && strtol(process, NULL, 10) != (long)getpid()))
		return 0;
	errno = 0;
	us = strtoull(limit, &end, 10);
	return errno == 0 && *end == '\0' && limit[0] >= '0' && limit[0] <= '9' ? us / US_PER_MS : 0;
}
