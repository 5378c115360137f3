/*
 * Where the bridge keeps what has to outlive it until the host is started anew.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>

#include "host-bridge/config.h"
#include "host-bridge/endpoint.h"

#define RUN_FILE_SUFFIX_MAX 16
#define RUN_FILE_MAX (ENDPOINT_PATH_MAX + RUN_FILE_SUFFIX_MAX)

/* The path of a file: beside the first socket, in a folder that is ours, as far as there is a socket. */
void run_file_path(const struct bridge_config *config, const char *suffix, char *path, size_t size);
