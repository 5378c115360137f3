/*
 * What `doctor` of both daemons says of the private key.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "base/checkup.h"

/* A line about the key in file, which the daemon of this name would read; the key itself is not kept. */
void key_checkup(struct checkup *checkup, const char *program, const char *file);
