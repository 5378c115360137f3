/*
 * The durations are kept one by one and sorted when they are asked about.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/pcsc/timing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t timing_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int timing_add(struct timing *timing, uint64_t us)
{
	size_t capacity = timing->capacity == 0 ? 1024 : 2 * timing->capacity;
	uint64_t *grown;

	if (timing->count == timing->capacity) {
		grown = reallocarray(timing->us, capacity, sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		timing->us = grown;
		timing->capacity = capacity;
	}
	timing->us[timing->count++] = us;
	return 0;
}

void timing_clear(struct timing *timing)
{
	timing->count = 0;
}

void timing_deinit(struct timing *timing)
{
	free(timing->us);
	*timing = TIMING_NULL;
}

static int timing_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The smallest duration that percent of all don't exceed, in milliseconds. */
static double timing_percentile(const struct timing *timing, size_t percent)
{
	size_t rank = (timing->count * percent + 99) / 100;

	return (double)timing->us[rank == 0 ? 0 : rank - 1] / 1000.0;
}

void timing_text(struct timing *timing, const char *what, char *text, size_t size)
{
	if (timing->count == 0) {
		(void)snprintf(text, size, "%s=0", what);
		return;
	}
	qsort(timing->us, timing->count, sizeof(timing->us[0]), timing_compare);
	(void)snprintf(text, size, "%s=%zu ms-min=%.3f ms-median=%.3f ms-p99=%.3f ms-max=%.3f",
		       what, timing->count, timing_percentile(timing, 0),
		       timing_percentile(timing, 50), timing_percentile(timing, 99),
		       timing_percentile(timing, 100));
}
