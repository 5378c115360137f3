/*
 * What the front gives up before a peer's first byte comes in, so that whoever takes it over holds
 * nothing but its sockets. It was started as a user of its own already (child.h), if the bridge was
 * started as root; under its unit, which is not root, the front is the same user as core, and what is
 * below is all that is between them: no signal, no file and no memory of core is in its reach.
 *
 * Linux has all of it; elsewhere the limits are what there is. A build with a sanitizer keeps its
 * memory and its system calls.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>

/*
 * To be called before nanomsg starts its thread: no capability, no way to gain any, no descriptor
 * from first_unused on, bounded memory, bounded descriptors.
 */
void sandbox_limit(int first_unused);

/*
 * From here on all threads have the system calls that carrying frames takes, and no other: no file
 * can be opened, no connection begun, no program started. Returns 0 or -errno.
 */
int sandbox_filter(void);

/*
 * Whether so few descriptors are left that a guest could be locked out. A peer can make nanomsg
 * keep descriptors for ever, by sending several with one message (usock_posix.inc:1151-1170 of
 * 1.1.5).
 */
bool sandbox_is_full(void);
