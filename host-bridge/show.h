/*
 * The bridge's answers as text for a terminal. What is missing in an answer is shown as if it were
 * nothing: the daemon may be of another version than the command.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdio.h>

#include "control/json.h"

/* The answer to CONTROL_READERS. */
void bridge_show_readers(const json_t *answer, FILE *out);

/* The answer to CONTROL_STATUS. */
void bridge_show_status(const json_t *answer, FILE *out);
