/*
 * Which process owns a gadget's name. The gadget itself can't tell: it outlives the process that
 * made it. A lock on a file is dropped by the kernel whatever the process dies of.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#define USB_FOLDER "/run/ccid-gadget"

enum {
	USB_LOCK_HELD = 1, /* by another process, which lives, or by another device of this one */
};

/*
 * Takes the lock of a gadget's name; *fd holds it until it is closed. The file stays behind, empty.
 * Returns 0 or USB_LOCK_HELD; fatal: -errno.
 *
 * To be called before any file of the gadget is opened: a dying process's files are released from
 * the highest descriptor down, so whoever gets the lock after a kill -9 knows that FunctionFS has
 * already been left.
 */
int usb_lock_take(const char *name, int *fd);
