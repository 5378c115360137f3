/*
 * APDUs and ATRs as text, "00 20 00 81", for tables.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "base/payload.h"

/* The bytes of text, written to bytes, which must have room for them. The view borrows from there. */
struct payload_view hex_bytes(const char *text, uint8_t *bytes);
