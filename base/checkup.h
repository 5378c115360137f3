/*
 * What `doctor` prints: a line for each thing that was looked at, and below it, where it is not as it
 * should be, what to type.
 *
 *     ok       what was looked at: what was found
 *     problem  what was looked at: what is wrong
 *                  type: what sets it right
 *     unknown  what was looked at: why it can't be told
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdio.h>

struct checkup {
	FILE *out;         /* where the lines go; borrowed */
	unsigned int problems;
};

/* All is well with it. */
void checkup_ok(struct checkup *checkup, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* It can't be told, for example because only root may look. Not a problem. */
void checkup_unknown(struct checkup *checkup, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Something is wrong with it. remedy is what to type, or NULL where no command sets it right. */
void checkup_problem(struct checkup *checkup, const char *what, const char *remedy,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Prints the sum. Returns the exit status: 0, or 1 if there was a problem. */
int checkup_end(struct checkup *checkup);
