/*
 * Bytes written as hexadecimal text with spaces where it reads better, for the tables of the tests.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Returns the number of bytes; capacity is trusted to be enough. */
static inline size_t test_hex(const char *text, uint8_t *bytes)
{
	unsigned int byte;
	size_t size = 0;
	int used;

	while (sscanf(text, " %2x%n", &byte, &used) == 1) {
		bytes[size++] = (uint8_t)byte;
		text += used;
	}
	return size;
}
