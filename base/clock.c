/*
 * See clock.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/clock.h"

#include <time.h>

uint64_t clock_ms(void)
{
	struct timespec now = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
