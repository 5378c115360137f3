/*
 * `ccid-bridge doctor`: looks at each thing that the bridge depends on, and says what is wrong and what
 * to type. It changes nothing, opens no card, and works with and without a daemon that runs.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

/* Looks at all that a bridge with the configuration in file would need. Returns the exit status. */
int doctor_run(const char *file);
