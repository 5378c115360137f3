/*
 * Bytes that can be verified one by one, and a hash for those that can't.
 *
 * pattern(seed) is an endless sequence in which each byte depends on its offset and on the seed, so
 * that a byte that is lost, doubled or swapped, a block of any size that is out of place, or an
 * answer that belongs to another command is found, and found at the right offset.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

/* Writes the first size bytes of pattern(seed). */
void pattern_fill(uint8_t *bytes, size_t size, uint32_t seed);

/* The offset of the first byte that differs from pattern(seed), or size if none does. */
size_t pattern_mismatch(const uint8_t *bytes, size_t size, uint32_t seed);

/* The 32-bit FNV-1a hash (Fowler, Noll, Vo); for comparing, not for security. */
uint32_t pattern_hash(const uint8_t *bytes, size_t size);
