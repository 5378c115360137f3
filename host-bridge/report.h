/*
 * What the bridge tells over its control socket: the host's readers, and who has which.
 *
 * Without a guest the bridge knows nothing of the readers, and leaves pcscd alone (host_readers.h); so
 * whoever asks for them is one who wants them, and waits until they are known.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "control/server.h"
#include "control/status.h"
#include "host-bridge/call_trace.h"
#include "host-bridge/config.h"
#include "host-bridge/guest.h"
#include "host-bridge/host_readers.h"

/* All but the server is set by the owner; what is pointed to is borrowed. */
struct bridge_report {
	const struct bridge_config *config;
	struct control_daemon self;
	const struct front_keeper *fronts;  /* as many as endpoints in config */
	struct bridge_guest *const *guests; /* as many as in config */
	const struct host_readers *readers;
	struct call_traces traces;          /* what is traced now; until the loop has ended */
	struct control_server *server;      /* NULL: there is none */
};

/* Opens the socket of config; what goes wrong is logged, and costs nothing but the answers. */
void bridge_report_start(struct bridge_report *report, uv_loop_t *loop);

/* Whether somebody waits to be told of the readers. */
bool bridge_report_wants_readers(const struct bridge_report *report);

/* The readers are not what they were. */
void bridge_report_again(struct bridge_report *report);

/* Closes and removes the socket. May be called twice. */
void bridge_report_stop(struct bridge_report *report);
