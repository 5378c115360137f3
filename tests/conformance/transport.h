/*
 * A CCID reader on the bus, through libusb and nothing in between: the endpoints of its interface,
 * its descriptors, and the control pipe. Knows no message.
 *
 * Functions that return an int return 0 or an error of libusb, which is negative;
 * LIBUSB_ERROR_TIMEOUT and LIBUSB_ERROR_PIPE (a stall) are what a case may expect. Times are in
 * milliseconds.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <libusb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a bulk OUT may take: libccid's limit. */
#define TRANSPORT_OUT_TIMEOUT 5000

/* How long a control request may take before it counts as given up. */
#define TRANSPORT_CONTROL_TIMEOUT 3000

struct transport {
	libusb_context *context;
	libusb_device_handle *handle;
	struct libusb_device_descriptor device;
	struct libusb_config_descriptor *config;           /* the active one */
	const struct libusb_interface *interface;          /* in config */
	const struct libusb_interface_descriptor *setting; /* alternate setting 0 of it */
	uint8_t bulk_out;
	uint8_t bulk_in;
	uint8_t interrupt_in; /* 0: there is none */
	size_t packet_size;   /* wMaxPacketSize of bulk IN */
};

/* Which device: 0:0 takes the first one with an interface of class 0B. */
struct transport_choice {
	uint16_t idVendor;
	uint16_t idProduct;
};

/*
 * Opens the device and claims its CCID interface. On failure *why says what went wrong, for people.
 * transport_close() is due in either case.
 */
int transport_open(struct transport *transport, struct transport_choice choice, const char **why);

/* May be called twice. */
void transport_close(struct transport *transport);

/* Lets go of the device, and takes it up again: as between two programs. */
int transport_release(struct transport *transport);
int transport_reopen(struct transport *transport);

/* One transfer on bulk OUT; size 0 is an empty packet. LIBUSB_ERROR_IO if it was cut short. */
int transport_out(struct transport *transport, const uint8_t *bytes, size_t size);

/* One transfer on bulk IN, of any length up to capacity. */
int transport_in(struct transport *transport, uint8_t *bytes, size_t capacity, unsigned int timeout,
	size_t *size);

/* One transfer on interrupt IN. */
int transport_interrupt(struct transport *transport, uint8_t *bytes, size_t capacity,
	unsigned int timeout, size_t *size);

/* A request to the interface. The number of bytes that came, or an error of libusb. */
int transport_control_in(struct transport *transport, uint8_t bmRequestType, uint8_t bRequest,
	uint16_t wValue, uint8_t *bytes, uint16_t size);
int transport_control_out(struct transport *transport, uint8_t bmRequestType, uint8_t bRequest,
	uint16_t wValue);

/* USB 2.0, 9.4.10, 9.4.7, 9.4.1, and a reset of the port. */
int transport_set_interface(struct transport *transport);
int transport_set_configuration(struct transport *transport, bool through_unconfigured);
int transport_clear_halts(struct transport *transport);
int transport_reset(struct transport *transport);

/* A string descriptor in ASCII; empty if there is none. */
void transport_string(struct transport *transport, uint8_t index, char *text, size_t size);

/* The device's folder in sysfs, for power management. */
void transport_sysfs(struct transport *transport, char *path, size_t size);

/* A monotonic clock, and a pause. */
uint64_t transport_now(void);
void transport_pause(unsigned int ms);
