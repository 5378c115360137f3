/*
 * The socket that leads to the bridge, when it is the end of a tunnel that root has put into
 * USB_FOLDER, as ssh does, with a mode that lets in nobody but root: it is handed over to the user
 * that the daemon runs as, as soon as it is there. Nobody else gets in by that: the folder stays
 * root's, and its group may pass through it only.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "gadget/usb/maker.h"

struct usb_admission {
	int folder;
	int watch;        /* -1: there is no such socket to wait for */
	const char *name; /* of the socket in the folder */
	uid_t user;
};

/* Makes the folder if need be, and hands over what is there. What can't be done is logged. */
void usb_admission_init(struct usb_admission *admission, const struct usb_maker_rules *rules);

/* Readable when something has changed in the folder; or -1. */
int usb_admission_fd(const struct usb_admission *admission);

/* Looks at what has changed. */
void usb_admission_look(struct usb_admission *admission);

/* May be called twice. */
void usb_admission_deinit(struct usb_admission *admission);
