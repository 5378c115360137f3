/*
 * The control socket. See socket.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "control/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define LOCK_WAIT 200 /* ms */
#define LOCK_STEP 20
#define PATIENCE 15 /* s that a command waits for a daemon that has many to answer */

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	return address;
}

static int fail(char *why, int result, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fail(char *why, int result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, CONTROL_WHY_MAX, format, args);
	va_end(args);
	return result;
}

/*
 * The folder, opened and locked: two daemons that start at the same moment would else both find a dead
 * socket, and one would remove the new one of the other.
 */
static int open_folder(const char *path, int *lock, char *why)
{
	char folder[CONTROL_PATH_MAX + 1];

	(void)snprintf(folder, sizeof folder, "%s", path);
	*strrchr(folder, '/') = '\0';
	if (folder[0] == '\0')
		(void)snprintf(folder, sizeof folder, "/");
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return fail(why, CONTROL_SOCKET_FAILED, "can't make the folder %s: %s", folder,
			strerror(errno));
	*lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*lock < 0)
		return fail(why, CONTROL_SOCKET_FAILED, "%s: %s", folder, strerror(errno));
	/* Whoever has it for longer than a start takes doesn't make us wait. */
	for (int waited = 0; flock(*lock, LOCK_EX | LOCK_NB) != 0; waited += LOCK_STEP) {
		if (waited >= LOCK_WAIT)
			return fail(why, CONTROL_SOCKET_LIVES, "another daemon is about to listen on %s",
				path);
		(void)poll(NULL, 0, LOCK_STEP);
	}
	return 0;
}

/* Removes what nobody listens on any more. */
static int clear_path(int fd, const char *path, char *why)
{
	const struct sockaddr_un address = address_of(path);
	struct stat status;

	if (lstat(path, &status) != 0)
		return errno == ENOENT ? 0 : fail(why, CONTROL_SOCKET_FAILED, "%s: %s", path,
			strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return fail(why, CONTROL_SOCKET_FAILED, "%s is there and is no socket", path);
	/* EAGAIN: its backlog is full. */
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN)
		return fail(why, CONTROL_SOCKET_LIVES, "another daemon listens on %s", path);
	if (errno != ECONNREFUSED)
		return fail(why, CONTROL_SOCKET_FAILED, "%s: %s", path, strerror(errno));
	if (unlink(path) != 0 && errno != ENOENT)
		return fail(why, CONTROL_SOCKET_FAILED, "%s, which nobody uses, can't be removed: %s",
			path, strerror(errno));
	return 0;
}

/* Nobody can connect before it has its mode, as it does not listen until then. */
static int bind_socket(struct control_socket *made, const char *path, char *why)
{
	const struct sockaddr_un address = address_of(path);

	if (bind(made->fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    chmod(path, 0660) != 0 || lstat(path, &made->made) != 0 || listen(made->fd, CONTROL_BACKLOG) != 0)
		return fail(why, CONTROL_SOCKET_FAILED, "can't listen on %s: %s", path, strerror(errno));
	(void)snprintf(made->path, sizeof made->path, "%s", path);
	return 0;
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int control_socket_open(struct control_socket *made, const char *path, char why[CONTROL_WHY_MAX])
{
	int lock = -1, probe = new_socket();
	int r;

	made->fd = new_socket();
	if (probe < 0 || made->fd < 0)
		r = fail(why, CONTROL_SOCKET_FAILED, "no socket to be had: %s", strerror(errno));
	else
		r = open_folder(path, &lock, why);
	if (r == 0)
		r = clear_path(probe, path, why);
	if (r == 0)
		r = bind_socket(made, path, why);
	if (lock >= 0)
		(void)close(lock);
	if (probe >= 0)
		(void)close(probe);
	if (r != 0)
		control_socket_close(made);
	return r;
}

void control_socket_close(struct control_socket *made)
{
	struct stat status;

	if (made->fd >= 0)
		(void)close(made->fd);
	if (made->path[0] != '\0' && lstat(made->path, &status) == 0 &&
	    status.st_dev == made->made.st_dev && status.st_ino == made->made.st_ino)
		(void)unlink(made->path);
	*made = CONTROL_SOCKET_NULL;
}

int control_socket_connect(const char *path)
{
	const struct sockaddr_un address = address_of(path);
	const struct timeval patience = { .tv_sec = PATIENCE };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int saved;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

/* The user of a connection's other end. Returns whether the kernel tells. */
static bool peer_user(int fd, uid_t *user)
{
#ifdef __linux__
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return false;
	*user = peer.uid;
	return true;
#else
	gid_t group;

	return getpeereid(fd, user, &group) == 0;
#endif
}

bool control_peer_is_trusted(int fd)
{
	uid_t user;

	return peer_user(fd, &user) && (user == 0 || user == geteuid());
}

bool control_peer_is_root(int fd)
{
	uid_t user;

	return peer_user(fd, &user) && user == 0;
}
