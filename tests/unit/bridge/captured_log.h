/*
 * The log of a test, read back from a pipe in the place of stderr.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "base/log.h"

/* From now on the log, of a program called "program", goes to the pipe. Returns 0 or -1. For cmocka. */
int captured_log_set_up(void **state);
int captured_log_tear_down(void **state);

/* What was written since the last time. */
const char *captured_log(void);
