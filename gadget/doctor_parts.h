/*
 * The parts of `ccid-gadget doctor`: each looks at one layer and prints a line for each thing in it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "base/checkup.h"
#include "gadget/config.h"

/* The kernel: modules, configfs, virtual ports for the readers of config (NULL: there is none). */
void doctor_kernel(struct checkup *checkup, const struct config *config);

/* The drivers in this machine: udev, pcscd, and that libccid knows the devices of config. */
void doctor_drivers(struct checkup *checkup, const struct config *config);

/* The way to the bridge. */
void doctor_bridge(struct checkup *checkup, const struct config *config);
