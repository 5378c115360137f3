/*
 * What a service manager is told: sd_notify(3) without libsystemd, which is one datagram. Without a
 * manager that listens (NOTIFY_SOCKET), nothing happens.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdint.h>

/*
 * Sends lines such as "READY=1", "STOPPING=1", "STATUS=text", "WATCHDOG=1". What can't be sent is
 * lost: the manager has its own limits of time.
 */
void notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * ms in which the manager wants to hear WATCHDOG=1 from this process, or 0 if it doesn't. Whoever
 * sends it twice as often is on the safe side.
 */
uint64_t notify_watchdog(void);
