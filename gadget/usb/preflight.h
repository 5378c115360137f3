/*
 * What has to be there before a gadget can be made.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

/*
 * Checks the rights, FunctionFS and configfs, in the order in which one needs the other. Loads
 * libcomposite and usb_f_fs as a side effect. Returns 0, USB_NOT_ROOT, USB_NO_CONFIGFS, USB_NO_GADGETS
 * or USB_NO_FUNCTIONFS; fatal: -errno.
 */
int usb_preflight(void);
