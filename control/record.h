/*
 * The command's end of a trace: asks a daemon for one, and writes it into a file until it is told to
 * stop (SIGINT, SIGTERM), or the daemon ends.
 *
 * The file is new, its owner's only, and always ends between two packets: each is written whole.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>

struct control_recording {
	const char *program; /* whose daemon is asked: its name, for what is said */
	const char *path;    /* of its control socket; empty: it has none, as the configuration says */
	const char *file;    /* that is made; "-": standard output; NULL: none was given */
	bool with_data;
};

/* Does all that, and says on stderr what there is to say. Returns the exit status. */
int control_record(const struct control_recording *recording);
