/*
 * The error contract of the whole tree.
 *
 * A function that can fail returns an int, and the sign says whose business the failure is:
 *
 *     0          done.
 *     negative   fatal for the owner of the object: an errno with its sign turned. Memory ran out,
 *                the kernel refused something that it never refuses, a library broke its word.
 *                Nobody on the way interprets it. Each caller gives up what it was doing, frees what
 *                it holds and passes the number up, until the owner closes the object (or, in main,
 *                the process) and says so in one line.
 *     positive   a named outcome that belongs to the function's contract: the peer's frame is
 *                malformed, the buffer is full, the reader is not there. Each module lists its own
 *                in an enum, each function says in its header which of them it may return, and the
 *                caller handles every one where it makes the call. A positive value is never passed
 *                up unchanged through two layers: the next layer has names of its own.
 *
 * A result variable starts as a failure, so that a path that forgets to set it fails.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <assert.h>
#include <errno.h>

/* Turns errno into a fatal result; a call that failed without setting it still counts as failed. */
static inline int error_from_errno(void)
{
	assert(errno >= 0);
	return errno > 0 ? -errno : -EIO;
}
