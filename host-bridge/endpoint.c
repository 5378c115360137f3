/*
 * Checks on endpoints. See endpoint.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/endpoint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct reason {
	char *text;
	size_t size;
};

static int refuse(struct reason why, int result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct reason why, int result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why.text, why.size, format, args);
	va_end(args);
	return result;
}

/*
 * The folder must be ours or root's, and nobody else may write in it: who can write there can put
 * his own socket in the place of ours and read every PIN.
 */
static int check_folder(const char *folder, struct reason why)
{
	struct stat status;

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return refuse(why, ENDPOINT_BAD, "can't make the folder %s: %s", folder,
			strerror(errno));
	if (stat(folder, &status) != 0)
		return refuse(why, ENDPOINT_BAD, "%s: %s", folder, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return refuse(why, ENDPOINT_BAD, "%s is not a folder", folder);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return refuse(why, ENDPOINT_BAD,
			"the folder %s belongs to another user, who could put a false socket there",
			folder);
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse(why, ENDPOINT_BAD,
			"others can write to the folder %s, and could put a false socket there; "
			"use a folder of its own, with mode 0700", folder);
	return 0;
}

static int check_socket(const char *path, struct reason why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int result = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return refuse(why, ENDPOINT_BAD, "no socket to be had: %s", strerror(errno));
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	/*
	 * EAGAIN: somebody listens, and his backlog is full. ECONNREFUSED: a dead socket, or a
	 * file.
	 */
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN)
		result = refuse(why, ENDPOINT_BUSY, "another ccid-bridge is listening on %s", path);
	else if (errno != ECONNREFUSED)
		result = refuse(why, ENDPOINT_BAD, "%s: %s", path, strerror(errno));
	close(fd);
	return result;
}

int endpoint_prepare(const char *endpoint, char *why_text, size_t why_size)
{
	struct reason why = { why_text, why_size };
	const char *path = endpoint_path(endpoint);
	char folder[ENDPOINT_PATH_MAX + 1];
	struct stat status;
	int r;

	(void)snprintf(folder, sizeof folder, "%s", path);
	*strrchr(folder, '/') = '\0';
	r = check_folder(folder[0] == '\0' ? "/" : folder, why);
	if (r != 0)
		return r;
	if (lstat(path, &status) != 0 && errno == ENOENT)
		return 0;
	if (lstat(path, &status) != 0)
		return refuse(why, ENDPOINT_BAD, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return refuse(why, ENDPOINT_BAD, "%s exists and is not a socket", path);
	return check_socket(path, why);
}

void endpoint_remove(const char *endpoint)
{
	const char *path = endpoint_path(endpoint);
	struct stat status;

	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		(void)unlink(path);
}
