/*
 * A look now and then, until there is nothing more to wait for. See startup.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/startup.h"

#include "base/notify.h"

#define LOOK 50 /* ms between two looks */

bool startup_is_over(uint64_t elapsed, enum daemon_progress progress)
{
	switch (progress) {
	/* Most likely nobody is there. */
	case DAEMON_WAITS:
		return elapsed >= STARTUP_BRIDGE;
	/* The kernel needs a fraction of a second for each; more than that is somebody's fault. */
	case DAEMON_PLUGS:
		return elapsed >= STARTUP_DEVICES;
	/* All that the bridge shows and the configuration wants is there. */
	case DAEMON_SETTLED:
		break;
	}
	return true;
}

static void on_time(uv_timer_t *timer)
{
	const struct startup *startup = timer->data;
	uint64_t elapsed = uv_now(timer->loop) - startup->began;

	if (!startup_is_over(elapsed, daemon_progress(startup->daemon)))
		return;
	notify("READY=1");
	(void)uv_timer_stop(timer);
}

void startup_begin(struct startup *startup, uv_loop_t *loop, const struct daemon *daemon)
{
	startup->daemon = daemon;
	startup->began = uv_now(loop);
	(void)uv_timer_init(loop, &startup->timer);
	startup->timer.data = startup;
	uv_unref((uv_handle_t *)&startup->timer);
	(void)uv_timer_start(&startup->timer, on_time, LOOK, LOOK);
}

void startup_end(struct startup *startup)
{
	if (startup->daemon == NULL)
		return;
	startup->daemon = NULL;
	uv_close((uv_handle_t *)&startup->timer, NULL);
}
