/*
 * A timer. See watchdog.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/watchdog.h"

#include "base/notify.h"

#define TIMES 3 /* that it is told within the manager's limit */

static void on_time(uv_timer_t *timer)
{
	struct watchdog *watchdog = timer->data;

	if (watchdog->is_well(watchdog->owner))
		notify("WATCHDOG=1");
}

void watchdog_start(struct watchdog *watchdog, uv_loop_t *loop, bool (*is_well)(void *owner),
	void *owner)
{
	uint64_t interval = notify_watchdog() / TIMES;

	watchdog->is_well = is_well;
	watchdog->owner = owner;
	(void)uv_timer_init(loop, &watchdog->timer);
	watchdog->timer.data = watchdog;
	uv_unref((uv_handle_t *)&watchdog->timer);
	if (interval > 0)
		(void)uv_timer_start(&watchdog->timer, on_time, interval, interval);
}

void watchdog_stop(struct watchdog *watchdog)
{
	if (!uv_is_closing((uv_handle_t *)&watchdog->timer))
		uv_close((uv_handle_t *)&watchdog->timer, NULL);
}
