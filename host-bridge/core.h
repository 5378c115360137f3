/*
 * The core role: listens for guests, keeps their sessions, and has the monitor and the workers do
 * the SCard calls. It makes none itself, and never blocks.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "host-bridge/config.h"

/*
 * Runs until SIGTERM, SIGINT or SIGHUP, or a fatal error. log_level is the name of the level that
 * the children get. Returns the exit status of the process.
 */
int core_run(const struct bridge_config *config, const char *log_level);
