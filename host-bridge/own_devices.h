/*
 * Readers of this machine's own ccid-gadget: they are never shown to a guest. Where host and guest are
 * one machine, or a guest is a host to others, a reader would otherwise be made of itself.
 *
 * The kernel tells which USB devices ccid-gadget has made, by their manufacturer, and pcscd puts a
 * device's serial number into its reader's name.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>

#define OWN_DEVICES_FOLDER "/sys/bus/usb/devices"

/*
 * Whether a reader of this name is one of those. folder: OWN_DEVICES_FOLDER, or one like it. Without
 * such a folder there are none.
 */
bool own_device_has(const char *folder, const char *name);
