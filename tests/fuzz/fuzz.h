/*
 * What libFuzzer calls, declared for the compiler's sake.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

/* Plays one input; a finding ends the process. Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
