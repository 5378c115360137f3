/*
 * The table: one line per case as soon as it is over, and all of it as JSON at the end if that was
 * asked for.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum report_result {
	REPORT_OK,
	REPORT_FAILED,
	REPORT_SKIPPED,
	REPORT_RESULTS,
};

struct report {
	json_t *cases; /* NULL: as text */
	unsigned int counts[REPORT_RESULTS];
};

/* Returns false without memory. */
bool report_init(struct report *report, bool as_json);

/* One case. why may be empty; ms is how long it took. */
void report_case(struct report *report, const char *section, const char *name,
	enum report_result result, const char *why, uint64_t ms);

/* The last line, or the JSON object; about names the reader. */
void report_finish(struct report *report, const char *about);
