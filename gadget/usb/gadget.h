/*
 * The gadget in configfs, made with libusbgx: one configuration with one FunctionFS function, and
 * the dummy UDC that it is bound to. It outlives the process, so making one starts with removing
 * what a dead process left.
 *
 * libusbgx says each error on stderr, in its own words; what the administrator needs is in the
 * result.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "gadget/usb/usb.h"

#define USB_CONFIGFS "/sys/kernel/config"

struct usbg_state;
struct usbg_gadget;

struct usb_gadget {
	struct usbg_state *state;
	struct usbg_gadget *gadget; /* NULL: there is none in configfs */
	char udc[64];               /* which it is bound to */
};

#define USB_GADGET_NULL ((struct usb_gadget){ .state = NULL })

/*
 * Makes the gadget, not bound yet; the caller holds the lock of its name. Returns 0,
 * USB_NO_FUNCTIONFS, USB_NO_UDC, USB_UDC_BUSY, USB_FOREIGN_GADGET or USB_NAME_TAKEN (something that
 * is not ours has the name); fatal: -errno. After any of these usb_gadget_deinit() is due.
 */
int usb_gadget_init(struct usb_gadget *gadget, const struct usb_settings *settings);

/*
 * Binds it to the UDC of the settings, to the preferred one, or to the first that is free: the device is
 * plugged in. FunctionFS must have its descriptors by now. Returns 0, USB_NO_UDC or USB_UDC_BUSY;
 * fatal: -errno.
 */
int usb_gadget_bind(struct usb_gadget *gadget, const struct usb_settings *settings);

/* Unplugs the device; may be called when it is not bound. */
void usb_gadget_unbind(struct usb_gadget *gadget);

/* Removes the gadget, which must be unbound and without open files; may be called twice. */
void usb_gadget_deinit(struct usb_gadget *gadget);
