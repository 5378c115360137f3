/*
 * libusb at work. See transport.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/conformance/transport.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define CLASS_SMART_CARD 0x0B
#define CLASS_VENDOR 0xFF
#define CLASS_DESCRIPTOR_SIZE 54

/* ---- finding the interface ---- */

/* Class 0B; or, as libccid has it, vendor-specific with a class descriptor of the right size. */
static bool transport_is_reader(const struct libusb_interface *interface)
{
	const struct libusb_interface_descriptor *setting;

	if (interface->num_altsetting == 0)
		return false;
	setting = &interface->altsetting[0];
	return setting->bInterfaceClass == CLASS_SMART_CARD ||
		(setting->bInterfaceClass == CLASS_VENDOR &&
			setting->extra_length == CLASS_DESCRIPTOR_SIZE);
}

static void transport_note_endpoint(struct transport *transport,
	const struct libusb_endpoint_descriptor *endpoint)
{
	bool in = (endpoint->bEndpointAddress & LIBUSB_ENDPOINT_IN) != 0;

	switch (endpoint->bmAttributes & LIBUSB_TRANSFER_TYPE_MASK) {
	case LIBUSB_TRANSFER_TYPE_BULK:
		*(in ? &transport->bulk_in : &transport->bulk_out) = endpoint->bEndpointAddress;
		transport->packet_size = endpoint->wMaxPacketSize & 0x7FF;
		break;
	case LIBUSB_TRANSFER_TYPE_INTERRUPT:
		if (in)
			transport->interrupt_in = endpoint->bEndpointAddress;
		break;
	default:
		break;
	}
}

/* Finds the reader's interface in the active configuration of this device. */
static bool transport_read_descriptors(struct transport *transport, libusb_device *device)
{
	if (libusb_get_active_config_descriptor(device, &transport->config) != 0)
		return false;
	for (int i = 0; i < transport->config->bNumInterfaces; i++) {
		const struct libusb_interface *interface = &transport->config->interface[i];

		if (!transport_is_reader(interface))
			continue;
		transport->interface = interface;
		transport->setting = &interface->altsetting[0];
		for (int j = 0; j < transport->setting->bNumEndpoints; j++)
			transport_note_endpoint(transport, &transport->setting->endpoint[j]);
		return transport->bulk_in != 0 && transport->bulk_out != 0;
	}
	libusb_free_config_descriptor(transport->config);
	transport->config = NULL;
	return false;
}

static bool transport_is_chosen(struct transport *transport, libusb_device *device,
	struct transport_choice choice)
{
	if (libusb_get_device_descriptor(device, &transport->device) != 0)
		return false;
	if (choice.idVendor != 0 && (transport->device.idVendor != choice.idVendor ||
		transport->device.idProduct != choice.idProduct))
		return false;
	return transport_read_descriptors(transport, device);
}

/* ---- opening and closing ---- */

static int transport_claim(struct transport *transport)
{
	return libusb_claim_interface(transport->handle, transport->setting->bInterfaceNumber);
}

int transport_open(struct transport *transport, struct transport_choice choice, const char **why)
{
	libusb_device **list = NULL;
	libusb_device *found = NULL;
	ssize_t n;
	int r = libusb_init(&transport->context);

	*why = "libusb can't be used";
	if (r != 0)
		return r;
	n = libusb_get_device_list(transport->context, &list);
	for (ssize_t i = 0; i < n && found == NULL; i++) {
		if (transport_is_chosen(transport, list[i], choice))
			found = list[i];
	}
	*why = "there is no such reader on the bus";
	r = LIBUSB_ERROR_NOT_FOUND;
	if (found != NULL) {
		*why = "the reader can't be opened, or another program (pcscd?) has it";
		r = libusb_open(found, &transport->handle);
		if (r == 0)
			r = transport_claim(transport);
	}
	if (n >= 0)
		libusb_free_device_list(list, 1);
	return r;
}

void transport_close(struct transport *transport)
{
	if (transport->handle != NULL)
		libusb_close(transport->handle);
	if (transport->config != NULL)
		libusb_free_config_descriptor(transport->config);
	if (transport->context != NULL)
		libusb_exit(transport->context);
	memset(transport, 0, sizeof(*transport));
}

int transport_release(struct transport *transport)
{
	int r = libusb_release_interface(transport->handle, transport->setting->bInterfaceNumber);

	libusb_close(transport->handle);
	transport->handle = NULL;
	return r;
}

int transport_reopen(struct transport *transport)
{
	libusb_device **list = NULL;
	ssize_t n = libusb_get_device_list(transport->context, &list);
	int r = LIBUSB_ERROR_NOT_FOUND;

	for (ssize_t i = 0; i < n && r == LIBUSB_ERROR_NOT_FOUND; i++) {
		struct libusb_device_descriptor device;

		if (libusb_get_device_descriptor(list[i], &device) == 0 &&
			device.idVendor == transport->device.idVendor &&
			device.idProduct == transport->device.idProduct)
			r = libusb_open(list[i], &transport->handle);
	}
	if (n >= 0)
		libusb_free_device_list(list, 1);
	return r == 0 ? transport_claim(transport) : r;
}

/* ---- transfers ---- */

int transport_out(struct transport *transport, const uint8_t *bytes, size_t size)
{
	int n = 0;
	/* libusb takes a pointer to bytes that it doesn't change. */
	int r = libusb_bulk_transfer(transport->handle, transport->bulk_out,
		(unsigned char *)(uintptr_t)bytes, (int)size, &n, TRANSPORT_OUT_TIMEOUT);

	if (r == 0 && (size_t)n != size)
		r = LIBUSB_ERROR_IO;
	return r;
}

/* What came before a timeout is delivered. */
static int transport_delivered(int r, int n, size_t *size)
{
	*size = (size_t)n;
	return r == LIBUSB_ERROR_TIMEOUT && n > 0 ? 0 : r;
}

int transport_in(struct transport *transport, uint8_t *bytes, size_t capacity, unsigned int timeout,
	size_t *size)
{
	int n = 0;
	int r = libusb_bulk_transfer(transport->handle, transport->bulk_in, bytes, (int)capacity,
		&n, timeout);

	return transport_delivered(r, n, size);
}

int transport_interrupt(struct transport *transport, uint8_t *bytes, size_t capacity,
	unsigned int timeout, size_t *size)
{
	int n = 0;
	int r = libusb_interrupt_transfer(transport->handle, transport->interrupt_in, bytes,
		(int)capacity, &n, timeout);

	return transport_delivered(r, n, size);
}

int transport_control_in(struct transport *transport, uint8_t bmRequestType, uint8_t bRequest,
	uint16_t wValue, uint8_t *bytes, uint16_t size)
{
	return libusb_control_transfer(transport->handle, bmRequestType, bRequest, wValue,
		transport->setting->bInterfaceNumber, bytes, size, TRANSPORT_CONTROL_TIMEOUT);
}

int transport_control_out(struct transport *transport, uint8_t bmRequestType, uint8_t bRequest,
	uint16_t wValue)
{
	return libusb_control_transfer(transport->handle, bmRequestType, bRequest, wValue,
		transport->setting->bInterfaceNumber, NULL, 0, TRANSPORT_CONTROL_TIMEOUT);
}

/* ---- the device's life ---- */

int transport_set_interface(struct transport *transport)
{
	return libusb_set_interface_alt_setting(transport->handle,
		transport->setting->bInterfaceNumber, 0);
}

int transport_set_configuration(struct transport *transport, bool through_unconfigured)
{
	int value = transport->config->bConfigurationValue;
	int r = libusb_release_interface(transport->handle, transport->setting->bInterfaceNumber);

	if (r == 0 && through_unconfigured)
		r = libusb_set_configuration(transport->handle, -1);
	if (r == 0)
		r = libusb_set_configuration(transport->handle, value);
	return r == 0 ? transport_claim(transport) : r;
}

int transport_clear_halts(struct transport *transport)
{
	int r = libusb_clear_halt(transport->handle, transport->bulk_out);

	if (r == 0)
		r = libusb_clear_halt(transport->handle, transport->bulk_in);
	if (r == 0 && transport->interrupt_in != 0)
		r = libusb_clear_halt(transport->handle, transport->interrupt_in);
	return r;
}

int transport_reset(struct transport *transport)
{
	return libusb_reset_device(transport->handle);
}

void transport_string(struct transport *transport, uint8_t index, char *text, size_t size)
{
	int r = index == 0 ? 0 : libusb_get_string_descriptor_ascii(transport->handle, index,
		(unsigned char *)text, (int)size);

	if (r <= 0)
		text[0] = '\0';
}

void transport_sysfs(struct transport *transport, char *path, size_t size)
{
	libusb_device *device = libusb_get_device(transport->handle);
	uint8_t ports[8];
	int depth = libusb_get_port_numbers(device, ports, sizeof(ports));
	size_t used;

	(void)snprintf(path, size, "/sys/bus/usb/devices/%d", libusb_get_bus_number(device));
	for (int i = 0; i < depth; i++) {
		used = strlen(path);
		(void)snprintf(path + used, size - used, "%c%d", i == 0 ? '-' : '.', ports[i]);
	}
}

uint64_t transport_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void transport_pause(unsigned int ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&pause, NULL);
}
