/*
 * The daemons of a guest that a newer one has replaced: what they still say is late, or comes from a
 * second machine. The few are remembered that were heard last; zeros are an empty list.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RETIRED_MAX 8

struct retired {
	uint64_t boots[RETIRED_MAX]; /* the last heard of in front; 0 for none */
};

bool retired_has(const struct retired *retired, uint64_t guest_boot);

/* Puts guest_boot in front of the list; the one that was not heard of for longest is forgotten. */
void retired_add(struct retired *retired, uint64_t guest_boot);

/* It is none of them any more. */
void retired_remove(struct retired *retired, uint64_t guest_boot);
