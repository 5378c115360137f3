/*
 * A folder of a test's own, in which its daemon has its control socket and its commands have their files.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>

/* The folder, and the path of the socket in it, which whoever listens there makes and removes. */
extern char folder_path[];
extern char folder_socket[64];

/* For the group of a program's tests. SIGPIPE is ignored from then on, as it is in each program of ours. */
int folder_set_up(void **state);

/* Fails if there is anything left in it; cmocka says so, but doesn't have it in its exit status. */
int folder_tear_down(void **state);

/* Bytes of this file, in whatever folder; 0 if there is none. */
size_t file_size(const char *name);
