/*
 * Whether any driver has the device at this moment.
 *
 * A driver that ends, or is killed, lets go of the interface, and nothing of that goes over the bus: the
 * device is as configured as before, with the card as powered as before. pcscd ends like that on SIGTERM
 * (1.9.9: "Direct suicide"), as soon as some program has a card open. But with dummy_hcd host and
 * device are one machine, whose sysfs shows who has an interface: the link "driver" leads to usbfs for
 * programs such as pcscd. Without a claim usbfs carries no bulk transfer, so that every
 * driver has one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>

#define USB_CLAIM_DEVICES "/sys/devices/platform"

/*
 * Whether a driver has claimed the interface of the device at this UDC, "dummy_udc.0". True, too, if
 * nobody can tell: with another kind of UDC, and while the host has not configured the device.
 * devices: USB_CLAIM_DEVICES.
 */
bool usb_claim_is_there(const char *devices, const char *udc);
