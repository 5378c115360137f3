/*
 * Endpoints that the bridge listens on: what must be true of the file system before nanomsg sees the
 * path. What may stand in the configuration is relay/endpoint.h's matter.
 *
 * nanomsg removes whatever it finds at the path if nobody answers there, a text file as well as a dead
 * socket. So every path is looked at here first.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>

#include "relay/endpoint.h"

enum {
	ENDPOINT_BUSY = ENDPOINT_BAD + 1, /* endpoint_prepare(): another bridge listens there; why says so */
};

/*
 * Makes the folder of a checked endpoint (0700) if it is missing, and sees that nobody else can put
 * a socket in it, and that the path is free or holds a dead socket. Returns 0, ENDPOINT_BAD or
 * ENDPOINT_BUSY.
 */
int endpoint_prepare(const char *endpoint, char *why, size_t why_size);

/* Removes the socket of a checked endpoint that was listened on. */
void endpoint_remove(const char *endpoint);
