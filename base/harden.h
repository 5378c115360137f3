/*
 * What every process that holds payloads does first.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>

/*
 * No core dumps, no tracing by others of the same user: this memory holds PINs. SIGPIPE is ignored.
 */
void harden_process(void);

/* Whether this build has a sanitizer, which must trace us and needs memory without bound. */
bool harden_is_traceable(void);
