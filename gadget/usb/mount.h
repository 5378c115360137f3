/*
 * FunctionFS, mounted where nobody else can reach it.
 *
 * The mount is never attached to any folder: it exists only as a file descriptor of this process.
 * So no other process can open its ep0, which is what the kernel's deadlock needs ("functionfs: fix
 * the open/removal races", in 6.1.192 and 6.12.115: an open of ep0 during another process's last
 * close hangs both for ever), there is nothing to clean up after a kill -9, and no mount namespace
 * to enter before the first thread is made. The option no_disconnect, the other way into a
 * deadlock, is never given.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

enum {
	USB_MOUNT_DENIED = 1, /* the process may not mount */
};

/*
 * Makes the kernel load usb_f_fs, and with it libcomposite and configfs, which nothing else loads
 * by itself. There is no answer: the filesystem exists only while a gadget has a function of its
 * kind, so asking for it fails either way (and the kernel wonders in its log, once, that it is
 * still missing).
 */
void usb_mount_autoload(void);

/*
 * Mounts the FunctionFS instance of that name; *fd is the mount's root, for openat(). It may be
 * closed as soon as the files are open: they keep the mount. While a dead process's mount of the
 * same instance is being taken down, waits, at most a second. Returns 0 or USB_MOUNT_DENIED; fatal:
 * -errno.
 */
int usb_mount(const char *instance, int *fd);
