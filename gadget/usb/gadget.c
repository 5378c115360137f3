/*
 * The gadget in configfs. See gadget.h.
 *
 * Deviations that shaped this file: usbg_init() reads every gadget of the machine and fails on the
 * first function type that it does not know (0.2.0: printer, uvc, ...); the kernel answers EBUSY to
 * everything that goes wrong with a bind, so a free UDC is recognised before, in sysfs; and a NULL
 * UDC in usbg_enable_gadget() means the first of the alphabet, which may be real hardware.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/gadget.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <usbg/usbg.h>

#include "base/error.h"
#include "base/log.h"
#include "gadget/usb/retry.h"

#define USB_CONFIGURATION 1     /* bConfigurationValue */
#define USB_BUS_POWERED 0x80    /* USB 2.0, 9.6.3: bit 7 is set always */
#define USB_POWER 100           /* mA */
#define USB_VERSION 0x0200      /* bcdUSB */
#define USB_DUMMY_UDC "dummy_udc."
#define USB_READ_RETRIES 10

/* A libusbgx result as one of ours. */
static int usb_gadget_error(const char *name, const char *step, int r)
{
	if (r == USBG_SUCCESS)
		return 0;
	log_debug(name, "%s: %s", step, usbg_strerror(r));
	switch (r) {
	case USBG_ERROR_NO_MEM:
		return -ENOMEM;
	case USBG_ERROR_NO_ACCESS:
		return -EACCES;
	case USBG_ERROR_BUSY:
		return -EBUSY;
	default:
		return -EIO;
	}
}

/*
 * Reads configfs. Tried again for a while, because another process that makes or removes its gadget
 * at this moment looks like a broken one.
 */
static int usb_gadget_read(struct usb_gadget *gadget, const char *name)
{
	int r = usbg_init(USB_CONFIGFS, &gadget->state);

	for (int i = 0; r != USBG_SUCCESS && i < USB_READ_RETRIES; i++) {
		if (r == USBG_ERROR_NOT_SUPPORTED)
			break;
		usb_retry_pause();
		r = usbg_init(USB_CONFIGFS, &gadget->state);
	}
	if (r != USBG_SUCCESS)
		gadget->state = NULL;
	if (r == USBG_ERROR_NOT_SUPPORTED)
		return USB_FOREIGN_GADGET;
	return usb_gadget_error(name, "reading configfs", r);
}

/* Whether a gadget has no function but the one that we give it, as far as we got with it. */
static bool usb_gadget_is_ours(usbg_gadget *found, const char *name)
{
	usbg_function *function;

	usbg_for_each_function(function, found) {
		if (usbg_get_function_type(function) != USBG_F_FFS ||
		    strcmp(usbg_get_function_instance(function), name) != 0)
			return false;
	}
	return true;
}

/* Removes what a dead process left. It is unbound first: see the deadlocks in mount.h. */
static int usb_gadget_clean(struct usb_gadget *gadget, const char *name)
{
	usbg_gadget *found = usbg_get_gadget(gadget->state, name);
	int r;

	if (found == NULL)
		return 0;
	if (!usb_gadget_is_ours(found, name))
		return USB_NAME_TAKEN;
	log_info(name, "removing the gadget that an earlier process left");
	(void)usbg_disable_gadget(found); /* fails when it is not bound, which is as good */
	r = usbg_rm_gadget(found, USBG_RM_RECURSE);
	if (r != USBG_SUCCESS)
		return usb_gadget_error(name, "removing the old gadget", r);
	usbg_cleanup(gadget->state);
	return usb_gadget_read(gadget, name);
}

/* Whether no gadget driver at all has the UDC, be it of configfs or not. */
static bool usb_gadget_udc_is_free(const char *udc)
{
	char path[128];
	char driver;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/sys/class/udc/%s/function", udc);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, &driver, sizeof(driver));
	(void)close(fd);
	return n == 0;
}

/* Whether the settings allow a UDC: the one that they name, or any dummy. */
static bool usb_gadget_udc_is_wanted(const struct usb_settings *settings, const char *udc)
{
	if (settings->udc[0] != '\0')
		return strcmp(udc, settings->udc) == 0;
	return strncmp(udc, USB_DUMMY_UDC, strlen(USB_DUMMY_UDC)) == 0;
}

/* Whether one that is wanted can be had: nobody has it, and it is not kept for somebody else. */
static bool usb_gadget_udc_is_to_be_had(const struct usb_settings *settings, const char *udc)
{
	unsigned long number = strtoul(udc + strlen(USB_DUMMY_UDC), NULL, 10);

	if (settings->udc[0] == '\0' && number < USB_PORTS_MAX &&
	    (settings->reserved_udcs >> number & 1) != 0)
		return false;
	return usb_gadget_udc_is_free(udc);
}

/* The preferred UDC, if it is there and can be had; else NULL. */
static usbg_udc *usb_gadget_preferred_udc(const struct usb_gadget *gadget, const struct usb_settings *settings)
{
	char name[64];
	usbg_udc *udc;

	(void)snprintf(name, sizeof(name), USB_DUMMY_UDC "%u", settings->preferred_udc);
	udc = usbg_get_udc(gadget->state, name);
	if (udc == NULL || !usb_gadget_udc_is_wanted(settings, name))
		return NULL;
	return usb_gadget_udc_is_to_be_had(settings, name) ? udc : NULL;
}

/* The first free UDC after a given one (NULL: of all). Returns 0, USB_NO_UDC or USB_UDC_BUSY. */
static int usb_gadget_find_udc(struct usb_gadget *gadget, const struct usb_settings *settings,
	usbg_udc **udc)
{
	int result = USB_NO_UDC;
	usbg_udc *next = *udc == NULL ? usbg_get_first_udc(gadget->state) : usbg_get_next_udc(*udc);

	if (*udc != NULL)
		result = USB_UDC_BUSY;
	for (; next != NULL; next = usbg_get_next_udc(next)) {
		const char *name = usbg_get_udc_name(next);

		if (!usb_gadget_udc_is_wanted(settings, name))
			continue;
		if (usb_gadget_udc_is_to_be_had(settings, name)) {
			*udc = next;
			return 0;
		}
		result = USB_UDC_BUSY;
	}
	return result;
}

/* The device's own descriptor and strings. */
static int usb_gadget_make_device(struct usb_gadget *gadget, const struct usb_settings *settings)
{
	struct usb_identity identity = settings->identity; /* libusbgx takes no const strings */
	struct usbg_gadget_attrs attributes = {
		.bcdUSB = USB_VERSION,
		.bMaxPacketSize0 = 64,
		.idVendor = identity.idVendor,
		.idProduct = identity.idProduct,
		.bcdDevice = identity.bcdDevice,
	};
	struct usbg_gadget_strs strings = {
		.manufacturer = identity.manufacturer,
		.product = identity.product,
		.serial = identity.serial,
	};

	return usb_gadget_error(settings->name, "making the gadget",
		usbg_create_gadget(gadget->state, settings->name, &attributes, &strings,
			&gadget->gadget));
}

/* The FunctionFS function, whose instance name is the source to mount. */
static int usb_gadget_make_function(struct usb_gadget *gadget, const char *name,
	usbg_function **function)
{
	int r = usbg_create_function(gadget->gadget, USBG_F_FFS, name, NULL, function);

	for (int i = 0; r == USBG_ERROR_BUSY && i < USB_RETRY_COUNT; i++) {
		usb_retry_pause();
		r = usbg_create_function(gadget->gadget, USBG_F_FFS, name, NULL, function);
	}
	/* configfs asks for the module, and says ENOENT when there is none. */
	if (r == USBG_ERROR_NOT_FOUND)
		return USB_NO_FUNCTIONFS;
	return usb_gadget_error(name, "making the FunctionFS function", r);
}

static int usb_gadget_make(struct usb_gadget *gadget, const struct usb_settings *settings)
{
	struct usbg_config_attrs attributes = {
		.bmAttributes = USB_BUS_POWERED,
		.bMaxPower = USB_POWER,
	};
	const char *name = settings->name;
	usbg_function *function = NULL;
	usbg_config *config = NULL;
	int r;

	r = usb_gadget_make_device(gadget, settings);
	if (r == 0)
		r = usb_gadget_make_function(gadget, name, &function);
	if (r == 0)
		r = usb_gadget_error(name, "making the configuration",
			usbg_create_config(gadget->gadget, USB_CONFIGURATION, "c", &attributes,
				NULL, &config));
	if (r == 0)
		r = usb_gadget_error(name, "adding the function",
			usbg_add_config_function(config, name, function));
	return r;
}

int usb_gadget_init(struct usb_gadget *gadget, const struct usb_settings *settings)
{
	usbg_udc *udc = NULL;
	int r;

	*gadget = USB_GADGET_NULL;
	r = usb_gadget_read(gadget, settings->name);
	if (r == 0)
		r = usb_gadget_clean(gadget, settings->name);
	if (r == 0)
		r = usb_gadget_find_udc(gadget, settings, &udc);
	if (r == 0)
		r = usb_gadget_make(gadget, settings);
	return r;
}

/* Returns 0, USB_UDC_BUSY if somebody else was faster, or -errno. */
static int usb_gadget_bind_to(struct usb_gadget *gadget, const struct usb_settings *settings,
	usbg_udc *udc)
{
	const char *name = usbg_get_udc_name(udc);
	int r = usb_gadget_error(settings->name, "binding", usbg_enable_gadget(gadget->gadget, udc));

	if (r == 0) {
		(void)snprintf(gadget->udc, sizeof(gadget->udc), "%s", name);
		log_info(settings->name, "plugged into %s", gadget->udc);
		return 0;
	}
	if (!usb_gadget_udc_is_free(name))
		return USB_UDC_BUSY;
	/* Free, and still refused: the kernel's reason is in its log only. */
	log_error(settings->name, "the kernel refuses to bind to %s: see dmesg", name);
	return r;
}

int usb_gadget_bind(struct usb_gadget *gadget, const struct usb_settings *settings)
{
	usbg_udc *udc = usb_gadget_preferred_udc(gadget, settings);
	int r = udc != NULL ? usb_gadget_bind_to(gadget, settings, udc) : USB_UDC_BUSY;

	udc = NULL;
	while (r == USB_UDC_BUSY) {
		r = usb_gadget_find_udc(gadget, settings, &udc);
		if (r != 0)
			break;
		r = usb_gadget_bind_to(gadget, settings, udc);
	}
	return r;
}

void usb_gadget_unbind(struct usb_gadget *gadget)
{
	/* It fails when the gadget is not bound, which is as good. */
	if (gadget->gadget != NULL)
		(void)usbg_disable_gadget(gadget->gadget);
}

void usb_gadget_deinit(struct usb_gadget *gadget)
{
	if (gadget->gadget != NULL)
		(void)usbg_rm_gadget(gadget->gadget, USBG_RM_RECURSE);
	if (gadget->state != NULL)
		usbg_cleanup(gadget->state);
	*gadget = USB_GADGET_NULL;
}
