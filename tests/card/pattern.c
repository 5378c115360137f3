/*
 * The pattern is a multiplicative mix of seed and offset; see pattern.h for what it is good for.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/pattern.h"

/* Two odd constants with well-spread bits (the golden ratio, a prime of xxHash) do the mixing. */
static uint8_t pattern_byte(uint32_t seed, uint32_t offset)
{
	uint32_t x = (seed + 1) * 0x9E3779B1u + offset * 0x85EBCA77u;

	x ^= x >> 15;
	x *= 0x9E3779B1u;
	return (uint8_t)(x >> 24);
}

void pattern_fill(uint8_t *bytes, size_t size, uint32_t seed)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = pattern_byte(seed, (uint32_t)i);
}

size_t pattern_mismatch(const uint8_t *bytes, size_t size, uint32_t seed)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != pattern_byte(seed, (uint32_t)i))
			return i;
	}
	return size;
}

uint32_t pattern_hash(const uint8_t *bytes, size_t size)
{
	uint32_t hash = 0x811C9DC5u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 0x01000193u;
	return hash;
}
