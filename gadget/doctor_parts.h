/*
 * The parts of `ccid-gadget doctor`: each looks at one layer and prints a line for each thing in it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/checkup.h"
#include "gadget/config.h"

/* The kernel: modules, configfs, virtual ports for the readers of config (NULL: there is none). */
void doctor_kernel(struct checkup *checkup, const struct config *config);

#define DOCTOR_REMEDY_MAX 256

/* What to type for that many virtual ports, or the usual four if these are more. */
void doctor_more_ports(char remedy[static DOCTOR_REMEDY_MAX], size_t wanted);

/* The drivers in this machine: udev, pcscd, and that libccid knows the devices of config. */
void doctor_drivers(struct checkup *checkup, const struct config *config);

/* The way to the bridge, and, with keys, whether it answers to ours. Returns whether all was well with it. */
bool doctor_bridge(struct checkup *checkup, const struct config *config);

/* What a daemon that runs has reached: its session, and readers that match. */
void doctor_daemon(struct checkup *checkup, const struct config *config);
