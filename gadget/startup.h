/*
 * When the service manager is told that the daemon has started (READY=1). It lets those wait for that
 * who come after it, as the login prompt does: they are to find the readers.
 *
 *     waiting    for the bridge to say which readers there are: a moment, since a bridge that isn't there
 *                may not hold up a boot
 *     plugging   it has, and the kernel has not found every device yet: a little longer
 *     started    it has been said; nothing that comes later is waited for
 *
 * Without a service manager that listens nothing is said, and nothing changes.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "gadget/daemon.h"

/* ms after the start: as long as they wait for a bridge, and for devices once it has answered */
#define STARTUP_BRIDGE 5000
#define STARTUP_DEVICES 10000

struct startup {
	uv_timer_t timer;
	const struct daemon *daemon; /* borrowed */
	uint64_t began;              /* ms of the loop's clock */
};

/* Whether there is nothing more to wait for, elapsed ms after the start. */
bool startup_is_over(uint64_t elapsed, enum daemon_progress progress);

/* Begins to look. The timer doesn't keep the loop alive. startup must stay where it is. */
void startup_begin(struct startup *startup, uv_loop_t *loop, const struct daemon *daemon);

/* Ends; the loop lets go of it when it runs next. May be called twice, and without startup_begin(). */
void startup_end(struct startup *startup);
