/*
 * The checks before anything is made, so that each thing that may be missing gets a name of its
 * own: later the kernel would answer EBUSY, or libusbgx "not found", to nearly all of them. See
 * preflight.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/preflight.h"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "gadget/usb/gadget.h"
#include "gadget/usb/mount.h"
#include "gadget/usb/usb.h"

#define USB_GADGETS USB_CONFIGFS "/usb_gadget" /* made by libcomposite */

#ifndef CONFIGFS_MAGIC
#define CONFIGFS_MAGIC 0x62656570 /* not in Linux's public headers: fs/configfs/mount.c */
#endif

int usb_preflight(void)
{
	struct statfs about;

	if (geteuid() != 0)
		return USB_NOT_ROOT;
	if (access(USB_GADGETS, F_OK) != 0)
		usb_mount_autoload();
	/* The folder is made by configfs, which libcomposite would have loaded. */
	if (statfs(USB_CONFIGFS, &about) != 0)
		return errno == ENOENT ? USB_NO_GADGETS : error_from_errno();
	if (about.f_type != CONFIGFS_MAGIC)
		return USB_NO_CONFIGFS;
	return access(USB_GADGETS, F_OK) == 0 ? 0 : USB_NO_GADGETS;
}
