/*
 * The control socket in the file system: a unix stream socket with mode 0660.
 *
 * Who may connect, the file system says: root and the daemon's user, and the members of the socket's
 * group, if the folder lets them in. (A folder with the set-group-ID bit gives the socket its group.)
 * Its folder is made, with mode 0700, if it is missing. A socket that nobody listens on any more, of a
 * daemon that was killed, is replaced; one of a daemon that lives is left alone.
 *
 * Whoever is let in may ask for everything; to change something it takes root or the daemon's user,
 * which the kernel tells of each connection.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Longest path of a socket, its terminating zero not included. */
#define CONTROL_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

#define CONTROL_BACKLOG 64 /* connections that wait to be accepted */

#define CONTROL_WHY_MAX 256 /* bytes of a sentence that says what is wrong, its zero included */

struct control_socket {
	int fd; /* listening; -1: there is none */
	char path[CONTROL_PATH_MAX + 1];
	struct stat made; /* what lies at path since then */
};

#define CONTROL_SOCKET_NULL ((struct control_socket){ .fd = -1 })

enum {
	CONTROL_SOCKET_LIVES = 1,  /* another daemon listens there; why says so */
	CONTROL_SOCKET_FAILED = 2, /* why says what is wrong */
};

/*
 * Listens at path, an absolute one; socket must be CONTROL_SOCKET_NULL. To be called while the rights
 * to write into the folder are there. Returns 0, CONTROL_SOCKET_LIVES or CONTROL_SOCKET_FAILED.
 */
int control_socket_open(struct control_socket *socket, const char *path, char why[CONTROL_WHY_MAX]);

/* Closes and, if it is still ours, and as far as our rights go, removes it. May be called twice. */
void control_socket_close(struct control_socket *socket);

/*
 * Connects to the daemon at path. Returns a descriptor, or -1; errno is then ENOENT or ECONNREFUSED if
 * no daemon is there, EACCES if it may not be asked.
 */
int control_socket_connect(const char *path);

/* Whether the peer of a connection is root or the user that this process runs as. */
bool control_peer_is_trusted(int fd);

/* Whether it is root. */
bool control_peer_is_root(int fd);
