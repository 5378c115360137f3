/*
 * Endpoints that the bridge listens on: what may stand in the configuration, and what must be true
 * of the file system before nanomsg sees the path.
 *
 * nanomsg aborts the process on a path of 108 to 127 bytes, makes a file of a relative path, and
 * removes whatever it finds at the path if nobody answers there, a text file as well as a dead
 * socket. So every path is looked at here first.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>

/* Bytes in the path of a unix socket: sun_path of unix(7) without its terminating zero. */
#define ENDPOINT_PATH_MAX 107

enum {
	ENDPOINT_BAD = 1,  /* why says what is wrong */
	ENDPOINT_BUSY = 2, /* endpoint_prepare(): another bridge listens there; why says so */
};

/* Whether endpoint is one that this version can listen on. Returns 0 or ENDPOINT_BAD. */
int endpoint_check(const char *endpoint, char *why, size_t why_size);

/*
 * Makes the folder of a checked endpoint (0700) if it is missing, and sees that nobody else can put
 * a socket in it, and that the path is free or holds a dead socket. Returns 0, ENDPOINT_BAD or
 * ENDPOINT_BUSY.
 */
int endpoint_prepare(const char *endpoint, char *why, size_t why_size);

/* Removes the socket of a checked endpoint that was listened on. */
void endpoint_remove(const char *endpoint);
