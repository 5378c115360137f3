/*
 * The clock of processes that have no event loop, which has its own.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdint.h>

/* ms of CLOCK_MONOTONIC: from an unknown beginning, and never backwards. */
uint64_t clock_ms(void);
