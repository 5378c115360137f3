/*
 * How long things took: count, least, mean and most exactly, and quantiles from a histogram of fixed size
 * whose buckets grow with the duration. A quantile is the upper end of its bucket, so it is never too
 * low, and too high by an eighth at most.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

/* Eight buckets for each power of two, up to 2^36 us, 19 hours; what took longer is in the last one. */
#define LATENCY_STEPS 8
#define LATENCY_OCTAVES 34
#define LATENCY_BUCKETS (LATENCY_STEPS * LATENCY_OCTAVES)

/* All zeroes: nothing has been measured. Durations are in us. */
struct latency {
	uint64_t count;
	uint64_t sum;
	uint64_t min;
	uint64_t max;
	uint64_t buckets[LATENCY_BUCKETS];
};

/* Something took us. */
void latency_add(struct latency *latency, uint64_t us);

/* The mean, rounded down; 0 if nothing has been measured. */
uint64_t latency_mean(const struct latency *latency);

/*
 * What at least percent of 100 did not exceed, as exactly as said above; 0 if nothing has been measured.
 * percent is from 1 to 100.
 */
uint64_t latency_quantile(const struct latency *latency, unsigned int percent);
