/*
 * One record over a unix socket, with the descriptors that go with it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#define FD_MESSAGE_MAX 4 /* descriptors in a message */

/* Sends size bytes and count descriptors, which stay open here. Fatal: -errno. */
int fd_message_send(int socket, const uint8_t *bytes, size_t size, const int *fds, size_t count);

/*
 * Receives one; bytes has room for size. fds, of FD_MESSAGE_MAX, are the caller's to close; *count of
 * them came. Returns the number of bytes, 0 at the other end's end. Fatal: -errno; -EMSGSIZE for what
 * is longer, or brings more.
 */
int fd_message_receive(int socket, uint8_t *bytes, size_t size, int *fds, size_t *count);
