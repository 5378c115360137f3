/*
 * A histogram of durations. See latency.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/latency.h"

#define STEP_BITS 3 /* LATENCY_STEPS is 2 to the power of this */

static size_t bucket_of(uint64_t us)
{
	unsigned int exponent;
	size_t bucket;

	if (us < LATENCY_STEPS)
		return (size_t)us;
	exponent = 63 - (unsigned int)__builtin_clzll(us);
	bucket = (size_t)(exponent - STEP_BITS + 1) * LATENCY_STEPS +
		((us >> (exponent - STEP_BITS)) & (LATENCY_STEPS - 1));
	return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* The longest duration that is in a bucket. */
static uint64_t bucket_end(size_t bucket)
{
	size_t octave = bucket / LATENCY_STEPS;
	uint64_t step = bucket % LATENCY_STEPS;

	if (octave == 0)
		return step;
	return ((LATENCY_STEPS + step + 1) << (octave - 1)) - 1;
}

void latency_add(struct latency *latency, uint64_t us)
{
	if (latency->count == 0 || us < latency->min)
		latency->min = us;
	if (us > latency->max)
		latency->max = us;
	latency->count++;
	latency->sum += us;
	latency->buckets[bucket_of(us)]++;
}

uint64_t latency_mean(const struct latency *latency)
{
	return latency->count > 0 ? latency->sum / latency->count : 0;
}

uint64_t latency_quantile(const struct latency *latency, unsigned int percent)
{
	uint64_t rank = (latency->count * percent + 99) / 100, seen = 0;
	size_t bucket = 0;

	if (latency->count == 0)
		return 0;
	while (bucket < LATENCY_BUCKETS - 1 && seen + latency->buckets[bucket] < rank)
		seen += latency->buckets[bucket++];
	/* The last bucket has no end. */
	if (bucket == LATENCY_BUCKETS - 1 || bucket_end(bucket) > latency->max)
		return latency->max;
	return bucket_end(bucket);
}
