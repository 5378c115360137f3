/*
 * Patterns for reader names, the same on both sides.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Length of a reader's name without the index that pcscd puts behind it: a space, two hexadecimal
 * digits, a space, two hexadecimal digits. Without such an index, the length of the name.
 */
size_t pattern_base_length(const char *name);

/* The slot in that index, as pcscd writes it ("00"); an empty string without an index. */
const char *pattern_slot(const char *name);

/*
 * Whether two names differ at most in the number that pcscd gives a reader when it comes: "R 00 01"
 * and "R 02 01", but not the slot, which is the second number. The same reader may have had both.
 */
bool pattern_names_alike(const char *one, const char *other);

/*
 * Whether pattern matches the whole name; fnmatch(3)'s rules. The pattern may leave out the index, so
 * that it goes on matching when pcscd renumbers its readers. A pattern that is the name letter by
 * letter matches too: names often hold brackets, which fnmatch takes for a set of characters.
 */
bool pattern_matches(const char *pattern, const char *name);
