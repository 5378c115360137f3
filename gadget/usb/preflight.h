/*
 * What has to be there before a gadget can be made.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

/*
 * Checks the rights, configfs and libcomposite, in the order in which one needs the other. Loads
 * libcomposite and usb_f_fs if need be. Returns 0, USB_NOT_ROOT, USB_NO_CONFIGFS or USB_NO_GADGETS;
 * fatal: -errno. Whether there is FunctionFS shows only when a function is made.
 */
int usb_preflight(void);
