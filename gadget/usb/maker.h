/*
 * The maker: the process that makes gadgets, because only root may. It is forked before the daemon
 * gives up its rights (privileges.h), and is all that is left of root after that.
 *
 *     daemon   ccid-gadget itself: the network, all parsing, all that is exchanged with cards; an
 *              ordinary user without capabilities
 *     maker    configfs, the mount of FunctionFS, ep0 up to the strings; then it passes the open
 *              files to the daemon and closes its own. It reads nothing but requests of a fixed size
 *              (maker_record.h), has never had a key, and no byte of a card comes near it.
 *
 * The daemon can't open ep0 by itself, not even again, and so can't get near the kernel's deadlock
 * (mount.h). Each request is answered before the next; the daemon waits for it, as it would for the
 * kernel.
 *
 * When the daemon ends, in whatever way, the maker unbinds and removes what there still is, and ends
 * too: its socket has a lower number than the gadget's files, and so is released after them. When the
 * maker ends first, the daemon is told by usb_maker_fd(), and has to end: closing its files is enough
 * to unplug, and the next start removes what is left in configfs.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <sys/types.h>

#include "gadget/usb/usb.h"

struct usb_maker;

/* What a gadget is used by. */
struct usb_files {
	int ep0;
	int out;
	int in;
	int notify; /* -1: there is no interrupt endpoint */
};

#define USB_FILES_NULL ((struct usb_files){ .ep0 = -1, .out = -1, .in = -1, .notify = -1 })

/* What the maker lets the daemon have. Copied by the fork. */
struct usb_maker_rules {
	const char *prefix; /* that all names of gadgets have */
	uid_t user;         /* that the daemon is going to be */
	gid_t group;
	/*
	 * NULL, or the path of the unix socket that leads to the bridge, if it is in USB_FOLDER: when
	 * root has put it there, it is handed over to that user.
	 */
	const char *socket;
	const char *control; /* path of the daemon's control socket, removed in the end; NULL: none */
};

/*
 * Forks it; to be called as root, without threads, before any secret is in the memory. Fatal: -errno.
 */
int usb_maker_start(struct usb_maker **maker, const struct usb_maker_rules *rules);

/* Becomes readable when the maker has ended, and only then. To be polled, not read. */
int usb_maker_fd(const struct usb_maker *maker);

/*
 * Makes a gadget that is not bound yet, and its files; bell is the eventfd that the kernel rings for
 * events of ep0. Returns 0 or one of enum usb_outcome; fatal: -errno, -EPIPE without a maker.
 */
int usb_maker_make(struct usb_maker *maker, const struct usb_settings *settings, int bell,
	struct usb_files *files);

/* Plugs it in; udc, of 64 bytes, is where. Returns as usb_gadget_bind(); fatal: -EPIPE, too. */
int usb_maker_bind(struct usb_maker *maker, const char *name, char *udc);

/* Unplugs it. It need not exist. */
void usb_maker_unbind(struct usb_maker *maker, const char *name);

/* Removes it; its files must be closed. It need not exist. */
void usb_maker_remove(struct usb_maker *maker, const char *name);

/* Ends the maker and waits for its end; returns NULL. May be called with NULL. */
struct usb_maker *usb_maker_free(struct usb_maker *maker);
