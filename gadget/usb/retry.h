/*
 * The kernel takes down what a dead process left (about 50 ms after a kill -9), and says EBUSY
 * until then. Nothing announces the end of it, so whoever needs it asks again, at most for a
 * second.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <time.h>

#define USB_RETRY_COUNT 100

static inline void usb_retry_pause(void)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

	(void)nanosleep(&pause, NULL);
}
