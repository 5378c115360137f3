/*
 * The mount, by the system calls that do not need a folder: fsopen(2), fsconfig(2), fsmount(2), all
 * of Linux 5.2. See mount.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/mount.h"

#include <sys/mount.h>
#include <unistd.h>

#include "base/error.h"
#include "gadget/usb/retry.h"

void usb_mount_autoload(void)
{
	int context = fsopen("functionfs", FSOPEN_CLOEXEC);

	if (context >= 0)
		(void)close(context);
}

static int usb_mount_once(const char *instance, int *fd)
{
	int result = -EIO;
	int context;

	context = fsopen("functionfs", FSOPEN_CLOEXEC);
	if (context < 0)
		return errno == EPERM ? USB_MOUNT_DENIED : error_from_errno();
	if (fsconfig(context, FSCONFIG_SET_STRING, "source", instance, 0) != 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) {
		result = error_from_errno();
		goto out;
	}
	*fd = fsmount(context, FSMOUNT_CLOEXEC,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	result = *fd >= 0 ? 0 : error_from_errno();
out:
	(void)close(context);
	return result;
}

int usb_mount(const char *instance, int *fd)
{
	int result = usb_mount_once(instance, fd);

	for (int i = 0; result == -EBUSY && i < USB_RETRY_COUNT; i++) {
		usb_retry_pause();
		result = usb_mount_once(instance, fd);
	}
	return result;
}
