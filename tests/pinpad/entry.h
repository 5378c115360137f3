/*
 * The structures of PC/SC 2.02, part 10, as text: every field by its name, in the order in which
 * they stand, numbers in hexadecimal. Taken apart by pcsc-lite's own header, not by ours.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTRY_TEXT_MAX 2048

/* Bytes as capital digits, cut to what fits. */
void entry_hex(char *text, size_t size, const uint8_t *bytes, size_t count);

/*
 * A PIN_VERIFY_STRUCTURE or PIN_MODIFY_STRUCTURE of count bytes. Returns false, and text says so,
 * if ulDataLength is not what follows.
 */
bool entry_describe_verify(char *text, size_t size, const uint8_t *bytes, size_t count);
bool entry_describe_modify(char *text, size_t size, const uint8_t *bytes, size_t count);
