/*
 * What a measuring program is told to do, and how it says what it took.
 *
 * A task is an argument COUNT:COMMAND:RESPONSE: so many exchanges, each with so many bytes of data
 * in the command and in the response. For each task a line goes to standard output, the number of
 * microseconds of each exchange in their order:
 *
 *     COMMAND RESPONSE 3012 2987 ...
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "tests/pcsc/timing.h"

#define SAMPLES_DATA_MAX 65000 /* bytes, in either direction */

struct samples_task {
	size_t count;
	size_t command;
	size_t response;
};

/* Returns 0, or 1 for what is no task. */
int samples_parse(const char *text, struct samples_task *task);

/* Prints the line of a task. */
void samples_print(const struct samples_task *task, const struct timing *timing);
