/*
 * What the gadget tells over its control socket: its places, the readers that stand at them, and the
 * connection to the bridge.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <uv.h>

#include "control/server.h"
#include "control/status.h"
#include "gadget/daemon.h"
#include "trace/tracers.h"

struct report {
	const struct daemon *daemon;   /* borrowed */
	struct control_daemon self;
	struct tracers tracers;        /* what is traced now; until the loop has ended */
	struct control_server *server; /* NULL: there is none */
};

#define REPORT_TRACES(version) ((struct tracers){ .program = "ccid-gadget " version, \
	.interface = "CCID, as on the virtual USB", .bus = 1 })

/*
 * Serves the socket, which is taken over. config is the configuration's path, and borrowed. What goes wrong is logged, and costs only the
 * answers.
 */
void report_start(struct report *report, uv_loop_t *loop, struct control_socket *socket,
	const char *config, const struct daemon *daemon);

/* Closes and removes the socket; before the daemon is stopped. May be called twice. */
void report_stop(struct report *report);
