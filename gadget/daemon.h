/*
 * The daemon: the readers of the configuration and the connection to the bridge, joined.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <uv.h>

#include "gadget/config.h"
#include "gadget/connection.h"
#include "gadget/places.h"
#include "gadget/reader.h"

struct daemon;
struct usb_maker;
struct tracer;
struct tracers;

/*
 * Starts everything on the loop. maker, config and tracers must outlive it. Returns 0, or 1 when something can't be used
 * (which is logged). Fatal: negative. stopped is called once, when the daemon can't go on by itself.
 */
int daemon_start(struct daemon **daemon, uv_loop_t *loop, struct usb_maker *maker,
	const struct config *config, struct tracers *tracers, void (*stopped)(void *owner), void *owner);

/* Whether readers and connection do what is due: for a watchdog. */
bool daemon_is_well(const struct daemon *daemon);

/* How far it has come since its start. */
enum daemon_progress {
	DAEMON_WAITS,   /* the bridge has not said which readers there are */
	DAEMON_PLUGS,   /* it has; the kernel has not found the device of each yet */
	DAEMON_SETTLED, /* it has, or there can be none now: no virtual port is free, for example */
};

enum daemon_progress daemon_progress(const struct daemon *daemon);

/*
 * Unplugs everything, says goodbye and frees; the loop then has nothing left to wait for. Returns
 * NULL; may be called with NULL.
 */
struct daemon *daemon_stop(struct daemon *daemon);

/* For a display: all is the daemon's, and may be another after the loop has run. */
const struct places *daemon_places(const struct daemon *daemon);
const struct connection *daemon_connection(const struct daemon *daemon);

/* The reader that stands at place i, or did; NULL if none ever has. */
const struct reader *daemon_reader(const struct daemon *daemon, size_t i);

/* Tells a trace that has begun of the devices that there are. */
void daemon_tell(const struct daemon *daemon, struct tracer *tracer);
