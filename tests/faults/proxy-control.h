/*
 * The proxy's control socket: a line with a command, a line "ok ..." or "error: ..." back. card-ctl
 * speaks to it as well.
 *
 *     pass               a good link again: no rules, nothing held, nothing frozen, all admitted
 *     cut                connections are closed; new ones are taken
 *     shut               connections are closed, and new ones at once, until "pass"
 *     freeze             nothing moves, and nobody is told, until "pass"
 *     delay MS           for each frame, in both directions
 *     dribble            one byte at a time
 *     drop|duplicate|reorder N     every N-th frame of each direction
 *     hold up            the next transmit, and all behind it, stays on its way to the bridge
 *     hold down          the same for the answer to the newest transmit
 *     release            what was held goes on, over a newer connection if the old one is gone
 *     discard            what was held is lost
 *     state              "ok state=open connections=1 up=passing up-queued=0 ..."
 *     quit
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "tests/faults/proxy.h"

#define PROXY_CONTROL_LINE_MAX 128
#define PROXY_CONTROL_REPLY_MAX 256

struct proxy_control {
	uv_pipe_t listener;
	struct proxy *proxy;
	void (*quit)(void *context);
	void *context;
};

int proxy_control_init(struct proxy_control *control, const char *path, struct proxy *proxy,
	void (*quit)(void *context), void *context);
void proxy_control_close(struct proxy_control *control);
