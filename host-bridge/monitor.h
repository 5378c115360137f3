/*
 * The monitor role: tells core which readers there are and what is in them, whenever that changes,
 * by WIRE_READERS messages. It holds no card; it may be killed at any time and loses nothing.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

/* Reports over the pipe fd until it ends. Returns the exit status of the process. */
int monitor_run(int fd);
