/*
 * The front role: nanomsg on one side, core's pipe on the other, and frames from the one to the
 * other. It holds no key, no card and no policy, and can't read what the secure channel hides.
 *
 * A peer that reaches nanomsg can abort it, or make it leak descriptors and memory. So it happens
 * here, in a process that has nothing to lose: core starts it again, and the sessions, which live
 * in core, go on. Each endpoint has a front of its own, so that a guest can harm only those that
 * share its socket.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

/*
 * Listens on endpoint and carries frames between it and the pipe fd, until core closes the pipe.
 * For ipc://, the descriptor PROCESS_FOLDER is the folder to make the socket in, under the name of
 * FRONT_SOCKET. Returns the exit status of the process.
 */
int front_run(int fd, const char *endpoint);

#define FRONT_SOCKET "socket"
