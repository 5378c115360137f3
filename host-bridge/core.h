/*
 * The core role: keeps the guests' sessions, and has the fronts carry their frames, the monitor and
 * the workers do the SCard calls. It does neither itself, and never blocks. The others may die at
 * any moment: what must not be lost, the sessions with the replies and who has which card, is here.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "host-bridge/config.h"

/*
 * Runs until SIGTERM, SIGINT or SIGHUP, or a fatal error. path is that of config. own is the bridge's key
 * if config is keyed, and is wiped when core has its copy. Returns the exit status of the process.
 */
int core_run(const struct bridge_config *config, const char *path, struct key_pair *own);
