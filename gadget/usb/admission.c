/*
 * inotify(7) and fchownat(2). See admission.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/admission.h"

#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "gadget/usb/lock.h"

/* Who may write there could put something else in the socket's place. */
static int folder_open(int *folder, gid_t group)
{
	struct stat status;
	int fd;

	if (mkdir(USB_FOLDER, 0700) != 0 && errno != EEXIST)
		return error_from_errno();
	fd = open(USB_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_from_errno();
	*folder = fd;
	if (fstat(fd, &status) != 0)
		return error_from_errno();
	if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return -EPERM;
	if (fchown(fd, (uid_t)-1, group) != 0 || fchmod(fd, 0710) != 0)
		return error_from_errno();
	return 0;
}

static int watch_open(int *watch)
{
	*watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (*watch < 0 ||
	    inotify_add_watch(*watch, USB_FOLDER, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
		return error_from_errno();
	return 0;
}

/* Only root's own: what belongs to another user is that one's affair. */
static void hand_over(const struct usb_admission *admission)
{
	struct stat status;

	if (fstatat(admission->folder, admission->name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISSOCK(status.st_mode) || status.st_uid != 0)
		return;
	if (fchownat(admission->folder, admission->name, admission->user, (gid_t)-1,
			AT_SYMLINK_NOFOLLOW) != 0)
		log_error("usb", "can't hand over " USB_FOLDER "/%s: %s", admission->name,
			strerror(errno));
}

void usb_admission_init(struct usb_admission *admission, const struct usb_maker_rules *rules)
{
	const size_t length = strlen(USB_FOLDER "/");
	int r = 0;

	*admission = (struct usb_admission){ .folder = -1, .watch = -1, .user = rules->user };
	if (rules->socket == NULL || rules->user == 0 ||
	    strncmp(rules->socket, USB_FOLDER "/", length) != 0 ||
	    strchr(rules->socket + length, '/') != NULL)
		return;
	admission->name = rules->socket + length;
	r = folder_open(&admission->folder, rules->group);
	if (r == 0)
		r = watch_open(&admission->watch);
	if (r == 0) {
		hand_over(admission);
		return;
	}
	log_error("usb", "can't look after " USB_FOLDER ": %s", strerror(-r));
	usb_admission_deinit(admission);
}

int usb_admission_fd(const struct usb_admission *admission)
{
	return admission->watch;
}

void usb_admission_look(struct usb_admission *admission)
{
	char events[4096];

	/* Which file it was about is not asked: there is one to look at. */
	while (read(admission->watch, events, sizeof(events)) > 0)
		;
	hand_over(admission);
}

void usb_admission_deinit(struct usb_admission *admission)
{
	if (admission->folder >= 0)
		(void)close(admission->folder);
	if (admission->watch >= 0)
		(void)close(admission->watch);
	admission->folder = -1;
	admission->watch = -1;
}
