/*
 * Endpoints as they stand in a configuration: what both daemons accept.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes in the path of a unix socket: sun_path of unix(7) without its terminating zero. */
#define ENDPOINT_PATH_MAX 107

enum {
	ENDPOINT_BAD = 1, /* why says what is wrong */
};

/*
 * Whether endpoint is one that this version can use. Returns 0 or ENDPOINT_BAD; then why, of
 * why_size bytes, is set. nanomsg aborts the process on a path of 108 to 127 bytes and makes a file
 * of a relative path, so nothing may come to it that has not passed here.
 */
int endpoint_check(const char *endpoint, char *why, size_t why_size);

/*
 * NULL, or what is wrong with the address and port of a tcp:// endpoint. The address is a number:
 * nanomsg resolves a name at each reconnection, and aborts where it can't ask.
 */
const char *endpoint_check_tcp(const char *address);

/* Whether it is ipc://, a socket in the file system. */
bool endpoint_is_ipc(const char *endpoint);

/* The path of an ipc:// endpoint that has passed endpoint_check(). */
const char *endpoint_path(const char *endpoint);
