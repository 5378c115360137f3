/*
 * Checks on endpoints. See endpoint.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host-bridge/front.h"

/* Room for a path beside that of the socket. */
#define BESIDE_MAX (ENDPOINT_PATH_MAX + 64)

#define DYING_MAX 1000 /* ms that the front of a killed bridge may take to be gone */
#define DYING_STEP 20

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

/*
 * Whether the socket may be made, now that no other bridge can. The front of a bridge that was
 * killed a moment ago dies with it, but a little later, and is waited for.
 */
static int check_path(const char *path, struct reason why)
{
	struct stat status;
	int r = ENDPOINT_BUSY;

	for (int waited = 0; r == ENDPOINT_BUSY && waited <= DYING_MAX; waited += DYING_STEP) {
		if (waited > 0)
			(void)poll(NULL, 0, DYING_STEP);
		if (lstat(path, &status) != 0 && errno == ENOENT)
			r = 0;
		else if (lstat(path, &status) != 0)
			r = refuse(why, ENDPOINT_BAD, "%s: %s", path, strerror(errno));
		else if (!S_ISSOCK(status.st_mode))
			r = refuse(why, ENDPOINT_BAD, "%s exists and is not a socket", path);
		else
			r = check_socket(path, why);
	}
	if (r == 0)
		why.text[0] = '\0';
	return r;
}

/* ---- the folders ---- */

/* ".NAME.front" beside the socket NAME, and what is given of a path in it. */
static const char *beside(const char *endpoint, const char *rest, char *text)
{
	const char *path = endpoint_path(endpoint);
	const char *name = strrchr(path, '/') + 1;

	(void)snprintf(text, BESIDE_MAX, "%.*s.%s.front%s", (int)(name - path), path, name, rest);
	return text;
}

/* Another bridge may have removed the folder between our open and our lock. */
static bool is_still(int fd, const char *path)
{
	struct stat opened, found;

	return fstat(fd, &opened) == 0 && lstat(path, &found) == 0 &&
		opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

static int lock_folder(const char *endpoint, int *lock, struct reason why)
{
	char text[BESIDE_MAX];
	const char *outer = beside(endpoint, "", text);
	int fd;

	if (mkdir(outer, 0700) != 0 && errno != EEXIST)
		return refuse(why, ENDPOINT_BAD, "can't make the folder %s: %s", outer,
			strerror(errno));
	fd = open(outer, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return refuse(why, ENDPOINT_BAD, "%s: %s", outer, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !is_still(fd, outer)) {
		(void)close(fd);
		return refuse(why, ENDPOINT_BUSY, "another ccid-bridge is listening on %s",
			endpoint_path(endpoint));
	}
	*lock = fd;
	return 0;
}

/* The maker may write in it by its group, which spares us the right to enter what isn't ours. */
static int make_inner(const char *endpoint, const struct endpoint_maker *maker, struct reason why)
{
	char text[BESIDE_MAX];
	const char *inner = beside(endpoint, "/in", text);

	if (mkdir(inner, 0700) != 0 && errno != EEXIST)
		return refuse(why, ENDPOINT_BAD, "can't make the folder %s: %s", inner,
			strerror(errno));
	if (maker->other && (lchown(inner, geteuid(), maker->group) != 0 ||
			     chmod(inner, 0730) != 0))
		return refuse(why, ENDPOINT_BAD, "can't hand over the folder %s: %s", inner,
			strerror(errno));
	return 0;
}

/* ---- what core calls ---- */

int endpoint_claim(struct endpoint_claim *claim, const char *endpoint,
	const struct endpoint_maker *maker, char *why_text, size_t why_size)
{
	struct reason why = { why_text, why_size };
	char folder[ENDPOINT_PATH_MAX + 1];
	int r;

	(void)snprintf(folder, sizeof folder, "%s", endpoint_path(endpoint));
	*strrchr(folder, '/') = '\0';
	r = check_folder(folder[0] == '\0' ? "/" : folder, why);
	if (r == 0)
		r = lock_folder(endpoint, &claim->lock, why);
	if (r != 0)
		return r;
	claim->endpoint = endpoint;
	claim->published = false;
	r = check_path(endpoint_path(endpoint), why);
	return r != 0 ? r : make_inner(endpoint, maker, why);
}

int endpoint_open_folder(const struct endpoint_claim *claim, int *folder, char *why_text,
	size_t why_size)
{
	struct reason why = { why_text, why_size };
	char text[BESIDE_MAX];

	(void)unlink(beside(claim->endpoint, "/in/" FRONT_SOCKET, text));
	*folder = open(beside(claim->endpoint, "/in", text),
		O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *folder >= 0 ? 0 : refuse(why, ENDPOINT_BAD, "%s: %s", text, strerror(errno));
}

int endpoint_publish(struct endpoint_claim *claim, const struct endpoint_maker *maker,
	char *why_text, size_t why_size)
{
	struct reason why = { why_text, why_size };
	const char *path = endpoint_path(claim->endpoint);
	char made_text[BESIDE_MAX], ready_text[BESIDE_MAX];
	const char *made = beside(claim->endpoint, "/in/" FRONT_SOCKET, made_text);
	const char *ready = beside(claim->endpoint, "/" FRONT_SOCKET, ready_text);
	struct stat status;

	/* First to where its maker can't exchange it any more. */
	if (rename(made, ready) != 0 || lstat(ready, &status) != 0)
		return refuse(why, ENDPOINT_BAD, "%s: %s", made, strerror(errno));
	if (!S_ISSOCK(status.st_mode) || (maker->other && status.st_uid != maker->user)) {
		(void)unlink(ready);
		return refuse(why, ENDPOINT_BAD, "%s is not the front's socket", made);
	}
	if ((maker->other && lchown(ready, geteuid(), getegid()) != 0) ||
	    chmod(ready, 0600) != 0 || rename(ready, path) != 0)
		return refuse(why, ENDPOINT_BAD, "%s: %s", path, strerror(errno));
	claim->published = true;
	return 0;
}

void endpoint_release(struct endpoint_claim *claim)
{
	char text[BESIDE_MAX];
	struct stat status;

	if (claim->endpoint == NULL)
		return;
	if (claim->published && lstat(endpoint_path(claim->endpoint), &status) == 0 &&
	    S_ISSOCK(status.st_mode))
		(void)unlink(endpoint_path(claim->endpoint));
	(void)unlink(beside(claim->endpoint, "/in/" FRONT_SOCKET, text));
	(void)rmdir(beside(claim->endpoint, "/in", text));
	(void)rmdir(beside(claim->endpoint, "", text));
	(void)close(claim->lock);
	claim->endpoint = NULL;
}
