/*
 * The front role: nanomsg on one side, core's pipe on the other, and frames from the one to the
 * other. It holds no key, no card and no policy, and can't read what the secure channel hides.
 *
 * A peer that reaches nanomsg can abort it, or make it leak descriptors and memory. So it happens
 * here, in a process that has nothing to lose: core starts it again, and the sessions, which live in
 * core, go on.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>

/*
 * Listens on count endpoints and carries frames between them and the pipe fd, until core closes the
 * pipe. For each ipc:// endpoint, in their order, a descriptor from PROCESS_FOLDERS on is the folder
 * to make its socket in, under the name of FRONT_SOCKET. Returns the exit status of the process.
 */
int front_run(int fd, const char *const *endpoints, size_t count);

#define FRONT_SOCKET "socket"
