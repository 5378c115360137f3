/*
 * The table. See report.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/conformance/report.h"

#include <stdio.h>

static const char *const report_words[REPORT_RESULTS] = {
	[REPORT_OK] = "ok",
	[REPORT_FAILED] = "FAILED",
	[REPORT_SKIPPED] = "skipped",
};

bool report_init(struct report *report, bool as_json)
{
	*report = (struct report){ .cases = NULL };
	if (!as_json)
		return true;
	report->cases = json_array();
	return report->cases != NULL;
}

void report_case(struct report *report, const char *section, const char *name,
	enum report_result result, const char *why, uint64_t ms)
{
	report->counts[result]++;
	if (report->cases != NULL) {
		(void)json_array_append_new(report->cases, json_pack("{ss ss ss ss sI}",
			"section", section, "case", name, "result", report_words[result], "why",
			why, "ms", (json_int_t)ms));
		return;
	}
	printf("%-10s %-74s %s%s%s\n", section, name, report_words[result],
		why[0] == '\0' ? "" : ": ", why);
	(void)fflush(stdout);
}

void report_finish(struct report *report, const char *about)
{
	const unsigned int *n = report->counts;
	json_t *all;

	if (report->cases == NULL) {
		printf("%s: %u ok, %u failed, %u skipped\n", about, n[REPORT_OK], n[REPORT_FAILED],
			n[REPORT_SKIPPED]);
		return;
	}
	all = json_pack("{ss si si si so}", "reader", about, "ok", (int)n[REPORT_OK], "failed",
		(int)n[REPORT_FAILED], "skipped", (int)n[REPORT_SKIPPED], "cases", report->cases);
	(void)json_dumpf(all, stdout, JSON_INDENT(1));
	printf("\n");
	json_decref(all);
	report->cases = NULL;
}
