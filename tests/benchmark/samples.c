/*
 * Tasks and their lines. See samples.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/benchmark/samples.h"

#include <inttypes.h>
#include <stdio.h>

int samples_parse(const char *text, struct samples_task *task)
{
	int used = 0;

	if (sscanf(text, "%zu:%zu:%zu%n", &task->count, &task->command, &task->response, &used) != 3)
		return 1;
	return text[used] != '\0' || task->count == 0 || task->command > SAMPLES_DATA_MAX ||
		task->response > SAMPLES_DATA_MAX;
}

void samples_print(const struct samples_task *task, const struct timing *timing)
{
	(void)printf("%zu %zu", task->command, task->response);
	for (size_t i = 0; i < timing->count; i++)
		(void)printf(" %" PRIu64, timing->us[i]);
	(void)printf("\n");
	(void)fflush(stdout);
}
