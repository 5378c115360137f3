/*
 * flock() on a file under /run, which is empty after each boot, as configfs is. See lock.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "gadget/usb/usb.h"

int usb_lock_take(const char *name, int *fd)
{
	char path[sizeof(USB_FOLDER "/.lock") + USB_NAME_MAX];
	int result = -EIO;
	int file;

	if (mkdir(USB_FOLDER, 0700) != 0 && errno != EEXIST)
		return error_from_errno();
	(void)snprintf(path, sizeof(path), USB_FOLDER "/%s.lock", name);
	file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return error_from_errno();
	if (flock(file, LOCK_EX | LOCK_NB) == 0) {
		*fd = file;
		return 0;
	}
	result = errno == EWOULDBLOCK ? USB_LOCK_HELD : error_from_errno();
	(void)close(file);
	return result;
}
