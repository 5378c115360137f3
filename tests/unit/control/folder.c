/*
 * See folder.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/unit/control/folder.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char folder_path[] = "/tmp/control-XXXXXX";
char folder_socket[64];

int folder_set_up(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(folder_path) == NULL)
		return -1;
	(void)snprintf(folder_socket, sizeof folder_socket, "%s/control.sock", folder_path);
	return 0;
}

int folder_tear_down(void **state)
{
	bool left = unlink(folder_socket) == 0;

	(void)state;
	return rmdir(folder_path) != 0 || left ? -1 : 0;
}

size_t file_size(const char *name)
{
	struct stat status;

	return stat(name, &status) == 0 ? (size_t)status.st_size : 0;
}
