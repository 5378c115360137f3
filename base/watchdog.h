/*
 * Tells the service manager that all is well, for as long as it is: WATCHDOG=1 in time, where the
 * manager wants it. A loop that hangs says nothing, and neither does one that turns without doing its
 * work, which the owner knows.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <uv.h>

/* ms by which something may be overdue in a loop that is well */
#define WATCHDOG_GRACE 5000

struct watchdog {
	uv_timer_t timer;
	bool (*is_well)(void *owner);
	void *owner;
};

/* Begins. The timer doesn't keep the loop alive. The watchdog must stay where it is. */
void watchdog_start(struct watchdog *watchdog, uv_loop_t *loop, bool (*is_well)(void *owner),
	void *owner);

/* Ends; the loop lets go of it when it runs next. May be called twice, but not before the start. */
void watchdog_stop(struct watchdog *watchdog);
