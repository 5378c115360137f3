/*
 * The maker's own side: a loop that does what the requests say. See maker.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "gadget/usb/maker.h"

/* Serves the daemon at the other end of socket until that has ended; the exit status. */
int usb_maker_run(int socket, const struct usb_maker_rules *rules);
