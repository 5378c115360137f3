/*
 * What every process that holds payloads does first.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

/*
 * No core dumps, no tracing by others of the same user: this memory holds PINs. SIGPIPE is ignored.
 */
void harden_process(void);
