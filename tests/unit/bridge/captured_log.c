/*
 * See captured_log.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/unit/bridge/captured_log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int saved_stderr;
static int lines;

int captured_log_set_up(void **state)
{
	int ends[2];

	(void)state;
	saved_stderr = dup(STDERR_FILENO);
	if (pipe2(ends, O_NONBLOCK) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
		return -1;
	(void)close(ends[1]);
	(void)fcntl(ends[0], F_SETPIPE_SZ, 1024 * 1024);
	lines = ends[0];
	unsetenv("JOURNAL_STREAM");
	log_init("program", LOG_LEVEL_INFO);
	return 0;
}

int captured_log_tear_down(void **state)
{
	(void)state;
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(lines);
	return 0;
}

const char *captured_log(void)
{
	static char text[128 * 1024];
	ssize_t size = read(lines, text, sizeof text - 1);

	text[size > 0 ? size : 0] = '\0';
	return text;
}
