/*
 * How long calls took: collects durations, then tells minimum, median, 99th percentile and maximum.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

struct timing {
	uint64_t *us;
	size_t count;
	size_t capacity;
};

#define TIMING_NULL ((struct timing){ .us = NULL })

/* Monotonic time in microseconds. */
uint64_t timing_now_us(void);

/* Adds a duration. Fatal: -ENOMEM. */
int timing_add(struct timing *timing, uint64_t us);

/* Forgets the durations. */
void timing_clear(struct timing *timing);

/* May be called twice. */
void timing_deinit(struct timing *timing);

/* Writes "WHAT=N ms-min=... ms-median=... ms-p99=... ms-max=...", with what for WHAT. */
void timing_text(struct timing *timing, const char *what, char *text, size_t size);
