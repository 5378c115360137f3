/*
 * What a reader in the guest is called: the strings and numbers of its USB device.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "gadget/config.h"
#include "gadget/usb/usb.h"

/*
 * The identity of the device that stands for the host's reader host_name in the guest named guest. The
 * serial number follows from the two names, so that it is the same after every restart; config may
 * replace it. ordinal (0, 1, ...) tells readers apart whose names are alike. Characters that a USB string in ASCII can't hold become '.'.
 */
struct usb_identity identity_make(const struct config_reader *config, const char *guest,
	const char *host_name, unsigned int ordinal);
