/*
 * Endpoints that the bridge listens on: what must be true of the file system, and how the front's
 * sockets get to their places. What may stand in the configuration is relay/endpoint.h's matter.
 *
 * nanomsg removes whatever it finds at the path if nobody answers there, a text file as well as a
 * dead socket; and the front, in which it runs, may not write where the sockets lie. So core looks
 * at every path first, the front makes its socket in a folder within a folder,
 *
 *     .NAME.front      core's, and locked as long as this bridge lives
 *     .NAME.front/in   the front may write here, and gets it as a descriptor: nobody finds the way
 *
 * and core moves it from there to its place at once, over the dead one of the front before.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "relay/endpoint.h"

enum {
	ENDPOINT_BUSY = ENDPOINT_BAD + 1, /* another bridge listens there, or is about to */
};

/* Who makes the sockets. */
struct endpoint_maker {
	bool other; /* not the user of this process */
	uid_t user;
	gid_t group;
};

struct endpoint_claim {
	const char *endpoint; /* NULL: nothing is claimed */
	int lock;
	bool published;       /* the socket at the path is ours */
};

/*
 * Takes a checked endpoint, which is borrowed, for this process: makes its folder (0700) if it is
 * missing, sees that nobody else can put a socket in it, and that the path is free or holds a dead
 * socket. Returns 0, ENDPOINT_BAD or ENDPOINT_BUSY; then why, of why_size bytes, says what is
 * wrong, and endpoint_release() is due as after 0.
 */
int endpoint_claim(struct endpoint_claim *claim, const char *endpoint,
	const struct endpoint_maker *maker, char *why, size_t why_size);

/*
 * Opens the folder in which the front makes its socket FRONT_SOCKET, and empties it. Returns 0 or
 * ENDPOINT_BAD; then why is set.
 */
int endpoint_open_folder(const struct endpoint_claim *claim, int *folder, char *why,
	size_t why_size);

/*
 * Moves the socket that maker has made to its place, as ours, with mode 0600. Returns 0 or
 * ENDPOINT_BAD; then why is set.
 */
int endpoint_publish(struct endpoint_claim *claim, const struct endpoint_maker *maker,
	char *why, size_t why_size);

/* Removes our socket and the folders. May be called twice. */
void endpoint_release(struct endpoint_claim *claim);
