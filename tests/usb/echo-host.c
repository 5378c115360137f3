/*
 * usb-echo-host: the driver of usb-echo. Runs the named checks, or all, and says of each whether it
 * went well. Whatever a check asserts is read off the USB bus.
 *
 *     usb-echo-host [CHECK...]
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <libusb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cursor.h"
#include "tests/usb/echo.h"

#define HOST_TIMEOUT 5000 /* ms, as libccid's for a write */
#define HOST_SHORT 2065 /* bytes */
#define HOST_MOMENT 300 /* ms */
#define HOST_TIMES 20
#define HOST_BUFFER (2 * ECHO_MESSAGE_MAX)

struct host {
	libusb_context *context;
	libusb_device_handle *handle;
	uint8_t bulk_out;
	uint8_t bulk_in;
	uint8_t interrupt_in; /* 0: there is none */
	size_t packet_size;
	uint8_t sequence;
	uint8_t sent[HOST_BUFFER];
	uint8_t got[HOST_BUFFER];
};

/* Says what failed, and where it stood. Always false. */
static bool host_fail(const char *what, size_t where, int r)
{
	printf("  %s at %zu: %d %s\n", what, where, r, r < 0 ? libusb_error_name(r) : "");
	return false;
}

/* Finds the endpoints, whose addresses the kernel chose. */
static bool host_read_descriptors(struct host *host)
{
	struct libusb_config_descriptor *config = NULL;
	const struct libusb_interface_descriptor *interface;

	if (libusb_get_active_config_descriptor(libusb_get_device(host->handle), &config) != 0)
		return false;
	interface = &config->interface[0].altsetting[0];
	host->interrupt_in = 0;
	for (int i = 0; i < interface->bNumEndpoints; i++) {
		const struct libusb_endpoint_descriptor *endpoint = &interface->endpoint[i];

		if ((endpoint->bmAttributes & 3) == LIBUSB_TRANSFER_TYPE_INTERRUPT)
			host->interrupt_in = endpoint->bEndpointAddress;
		else if ((endpoint->bEndpointAddress & LIBUSB_ENDPOINT_IN) != 0)
			host->bulk_in = endpoint->bEndpointAddress;
		else
			host->bulk_out = endpoint->bEndpointAddress;
		if ((endpoint->bmAttributes & 3) == LIBUSB_TRANSFER_TYPE_BULK)
			host->packet_size = endpoint->wMaxPacketSize;
	}
	libusb_free_config_descriptor(config);
	return true;
}

/* Opens the device as soon as it is there, within ten seconds. */
static bool host_open(struct host *host)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	int r = LIBUSB_ERROR_NO_DEVICE;

	for (int i = 0; i < 500; i++) {
		host->handle = libusb_open_device_with_vid_pid(host->context, ECHO_VENDOR,
			ECHO_PRODUCT);
		if (host->handle != NULL) {
			r = libusb_claim_interface(host->handle, 0);
			if (r == 0)
				return host_read_descriptors(host);
			libusb_close(host->handle);
			host->handle = NULL;
		}
		(void)nanosleep(&pause, NULL);
	}
	return host_fail("opening", 0, r);
}

/* Fills the next message of size bytes; claimed is the total that its header promises. */
static void host_fill(struct host *host, enum echo_type type, size_t size, size_t claimed)
{
	struct cursor_out out = cursor_out(host->sent, sizeof(host->sent));

	out_u8(&out, (uint8_t)type);
	out_le32(&out, (uint32_t)(claimed - ECHO_HEADER));
	out_u8(&out, 0);
	out_u8(&out, ++host->sequence);
	out_zeros(&out, 3);
	for (size_t i = out.size; i < size; i++)
		host->sent[i] = (uint8_t)(i * 7 + host->sequence);
}

static bool host_write(struct host *host, size_t size)
{
	int n = 0;
	int r = libusb_bulk_transfer(host->handle, host->bulk_out, host->sent, (int)size, &n,
		HOST_TIMEOUT);

	return (r == 0 && (size_t)n == size) || host_fail("write", size, r);
}

/* Reads a message, which must be the first size bytes of the last one sent. */
static bool host_read(struct host *host, size_t size)
{
	int n = 0;
	int r = libusb_bulk_transfer(host->handle, host->bulk_in, host->got, HOST_BUFFER, &n,
		HOST_TIMEOUT);

	if (r != 0)
		return host_fail("read", size, r);
	if ((size_t)n != size)
		return host_fail("read's length", size, n);
	return memcmp(host->sent, host->got, size) == 0 || host_fail("read's content", size, n);
}

static bool host_read_notification(struct host *host)
{
	uint8_t bytes[8];
	int n = 0;
	int r;

	if (host->interrupt_in == 0)
		return true;
	r = libusb_interrupt_transfer(host->handle, host->interrupt_in, bytes, sizeof(bytes), &n,
		HOST_TIMEOUT);
	return (r == 0 && n == ECHO_NOTIFICATION) || host_fail("notification", (size_t)n, r);
}

static bool host_exchange(struct host *host, enum echo_type type, size_t size)
{
	host_fill(host, type, size, size);
	return host_write(host, size) && host_read(host, size) && host_read_notification(host);
}

static bool host_check_lengths(struct host *host)
{
	for (size_t size = ECHO_HEADER; size <= 1600; size++) {
		if (!host_exchange(host, ECHO_PLAIN, size))
			return false;
	}
	return true;
}

static bool host_check_large(struct host *host)
{
	static const size_t sizes[] = { 2047, 2048, 2049, 2065, 4095, 4096, 4097, 8192, 16384,
		32767, 32768, 32769, 33279, 33280, 33281, 53248, 53249, 65023, 65024, 65025, 65535,
		65536, 65537, 65550, ECHO_MESSAGE_MAX };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (!host_exchange(host, ECHO_PLAIN, sizes[i]))
			return false;
	}
	return true;
}

/* A driver that does end a transfer of whole packets with an empty one. */
static bool host_check_empty_packets(struct host *host)
{
	for (size_t packets = 1; packets <= 8; packets++) {
		size_t size = packets * host->packet_size;

		host_fill(host, ECHO_PLAIN, size, size);
		if (!host_write(host, size) || !host_write(host, 0) || !host_read(host, size) ||
		    !host_read_notification(host))
			return false;
	}
	return true;
}

/* A message that ends before its length says so is handed over as it is; the next is a new one. */
static bool host_check_truncated(struct host *host)
{
	static const size_t sizes[] = { 10, 100, 511, 513, 1000, 1023 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		host_fill(host, ECHO_PLAIN, sizes[i], sizes[i] + 500);
		if (!host_write(host, sizes[i]) || !host_read(host, sizes[i]) ||
		    !host_read_notification(host) || !host_exchange(host, ECHO_PLAIN, 20))
			return false;
	}
	return true;
}

/* A message larger than the device takes: its first packet is handed over, the rest is read. */
static bool host_check_too_large(struct host *host)
{
	host_fill(host, ECHO_PLAIN, 100000, 100000);
	return host_write(host, 100000) && host_read(host, host->packet_size) &&
		host_read_notification(host) && host_exchange(host, ECHO_PLAIN, 600);
}

/* A message that needs a long transfer waits for it, and is whole then. */
static bool host_check_needs(struct host *host)
{
	static const size_t sizes[] = { 2066, 4096, 30000, 65000 };
	int n = 0;
	int r;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		host_fill(host, ECHO_NEEDS, sizes[i], sizes[i]);
		if (!host_write(host, sizes[i]))
			return false;
		r = libusb_bulk_transfer(host->handle, host->bulk_in, host->got, HOST_SHORT, &n, HOST_MOMENT);
		if (r != LIBUSB_ERROR_TIMEOUT || n != 0)
			return host_fail("a transfer that is too short", sizes[i], r);
		if (!host_read(host, sizes[i]) || !host_read_notification(host))
			return false;
	}
	return true;
}

/*
 * What the device took back before anybody read never arrives. The notification says that it is
 * done with that; without an interrupt endpoint nothing does.
 */
static bool host_check_cancel(struct host *host)
{
	for (int i = 0; i < HOST_TIMES && host->interrupt_in != 0; i++) {
		host_fill(host, ECHO_CANCEL, 300, 300);
		if (!host_write(host, 300) || !host_read_notification(host) ||
		    !host_read(host, 300))
			return false;
	}
	return true;
}

static bool host_check_set_interface(struct host *host)
{
	int r;

	for (int i = 0; i < HOST_TIMES; i++) {
		r = libusb_set_interface_alt_setting(host->handle, 0, 0);
		if (r != 0)
			return host_fail("set interface", (size_t)i, r);
		if (!host_exchange(host, ECHO_PLAIN, 300))
			return false;
	}
	return true;
}

/* An answer that nobody fetched is not delivered to whoever comes after SET_INTERFACE. */
static bool host_check_unread(struct host *host)
{
	for (int i = 0; i < HOST_TIMES; i++) {
		host_fill(host, ECHO_PLAIN, 30000, 30000);
		if (!host_write(host, 30000))
			return false;
		if (libusb_set_interface_alt_setting(host->handle, 0, 0) != 0)
			return host_fail("set interface", (size_t)i, 0);
		if (!host_exchange(host, ECHO_PLAIN, 40))
			return false;
	}
	return true;
}

/*
 * Nor is it to whoever sends the next message and reads at once, though it is short enough for the
 * controller's FIFO; and of its notifications only the newest is there.
 */
static bool host_check_unread_next(struct host *host)
{
	static const size_t sizes[] = { 10, 20, 64, 65, 300, 30000 };
	const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * HOST_TIMES / 4; i++) {
		size_t size = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];

		host_fill(host, ECHO_PLAIN, size, size);
		if (!host_write(host, size))
			return false;
		(void)nanosleep(&pause, NULL);
		if (!host_exchange(host, ECHO_PLAIN, i % 2 == 0 ? 15 : 600))
			return host_fail("unread", size, 0);
	}
	return true;
}

static bool host_check_clear_halt(struct host *host)
{
	for (int i = 0; i < HOST_TIMES; i++) {
		if (libusb_clear_halt(host->handle, host->bulk_out) != 0 ||
		    libusb_clear_halt(host->handle, host->bulk_in) != 0)
			return host_fail("clear halt", (size_t)i, 0);
		if (!host_exchange(host, ECHO_PLAIN, 300))
			return false;
	}
	return true;
}

static bool host_check_reset(struct host *host)
{
	int r;

	for (int i = 0; i < HOST_TIMES; i++) {
		r = libusb_reset_device(host->handle);
		if (r != 0)
			return host_fail("reset", (size_t)i, r);
		if (!host_exchange(host, ECHO_PLAIN, 300))
			return false;
	}
	return true;
}

static bool host_check_set_configuration(struct host *host)
{
	int r;

	for (int i = 0; i < HOST_TIMES; i++) {
		(void)libusb_release_interface(host->handle, 0);
		r = libusb_set_configuration(host->handle, i % 2 == 0 ? -1 : 1);
		if (r == 0 && i % 2 == 0)
			r = libusb_set_configuration(host->handle, 1);
		if (r == 0)
			r = libusb_claim_interface(host->handle, 0);
		if (r != 0)
			return host_fail("set configuration", (size_t)i, r);
		if (!host_exchange(host, ECHO_PLAIN, 300))
			return false;
	}
	return true;
}

static int host_control_in(struct host *host, enum echo_request request, uint8_t *bytes,
	uint16_t size, unsigned timeout)
{
	return libusb_control_transfer(host->handle,
		LIBUSB_ENDPOINT_IN | LIBUSB_REQUEST_TYPE_CLASS | LIBUSB_RECIPIENT_INTERFACE,
		(uint8_t)request, 0, 0, bytes, size, timeout);
}

static int host_control_out(struct host *host, enum echo_request request, uint8_t *bytes,
	uint16_t size)
{
	return libusb_control_transfer(host->handle,
		LIBUSB_ENDPOINT_OUT | LIBUSB_REQUEST_TYPE_CLASS | LIBUSB_RECIPIENT_INTERFACE,
		(uint8_t)request, 0, 0, bytes, size, HOST_TIMEOUT);
}

static bool host_check_control(struct host *host)
{
	uint8_t bytes[16] = { 0 };
	int r;

	for (int i = 0; i < HOST_TIMES; i++) {
		r = host_control_in(host, ECHO_REQUEST_DATA, bytes, sizeof(bytes), HOST_TIMEOUT);
		if (r != ECHO_DATA_SIZE || memcmp(bytes, ECHO_DATA, ECHO_DATA_SIZE) != 0)
			return host_fail("request with an answer", (size_t)i, r);
		r = host_control_in(host, ECHO_REQUEST_DATA, bytes, 2, HOST_TIMEOUT);
		if (r != 2)
			return host_fail("answer cut to wLength", (size_t)i, r);
		r = host_control_out(host, ECHO_REQUEST_OK, NULL, 0);
		if (r != 0)
			return host_fail("request without data", (size_t)i, r);
		r = host_control_in(host, ECHO_REQUEST_STALL, bytes, sizeof(bytes), HOST_TIMEOUT);
		if (r != LIBUSB_ERROR_PIPE)
			return host_fail("stall of a request with an answer", (size_t)i, r);
		r = host_control_out(host, ECHO_REQUEST_STALL, NULL, 0);
		if (r != LIBUSB_ERROR_PIPE)
			return host_fail("stall of a request without data", (size_t)i, r);
		r = host_control_out(host, ECHO_REQUEST_OK, bytes, sizeof(bytes));
		if (r != LIBUSB_ERROR_PIPE)
			return host_fail("stall of a request that brings data", (size_t)i, r);
	}
	return host_exchange(host, ECHO_PLAIN, 100);
}

/* The host gives up a request before the answer: the answer hangs, and nothing else does. */
static bool host_check_given_up(struct host *host)
{
	uint8_t bytes[16];
	int r = host_control_in(host, ECHO_REQUEST_SLOW, bytes, sizeof(bytes), 200);

	if (r != LIBUSB_ERROR_TIMEOUT)
		return host_fail("request given up", 0, r);
	if (!host_exchange(host, ECHO_PLAIN, 600))
		return false;
	r = host_control_in(host, ECHO_REQUEST_DATA, bytes, sizeof(bytes), HOST_TIMEOUT);
	return r == ECHO_DATA_SIZE ? true : host_fail("request after that", 0, r);
}

/* Leaves an answer hanging, for whoever ends the device then. */
static bool host_check_leave_hanging(struct host *host)
{
	uint8_t bytes[16];
	int r = host_control_in(host, ECHO_REQUEST_SLOW, bytes, sizeof(bytes), 200);

	if (r != LIBUSB_ERROR_TIMEOUT)
		return host_fail("request given up", 0, r);
	return host_exchange(host, ECHO_PLAIN, 600);
}

static bool host_check_once(struct host *host)
{
	return host_exchange(host, ECHO_PLAIN, 1000);
}

static const struct {
	const char *name;
	bool (*run)(struct host *host);
	bool by_name_only;
} host_checks[] = {
	{ "once", host_check_once, false },
	{ "lengths", host_check_lengths, false },
	{ "large", host_check_large, false },
	{ "empty-packets", host_check_empty_packets, false },
	{ "truncated", host_check_truncated, false },
	{ "too-large", host_check_too_large, false },
	{ "needs", host_check_needs, false },
	{ "cancel", host_check_cancel, false },
	{ "control", host_check_control, false },
	{ "given-up", host_check_given_up, false },
	{ "set-interface", host_check_set_interface, false },
	{ "unread", host_check_unread, false },
	{ "unread-next", host_check_unread_next, false },
	{ "clear-halt", host_check_clear_halt, false },
	{ "reset", host_check_reset, false },
	{ "set-configuration", host_check_set_configuration, false },
	{ "leave-hanging", host_check_leave_hanging, true },
};

static bool host_is_wanted(const char *name, bool by_name_only, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return true;
	}
	return argc == 1 && !by_name_only;
}

int main(int argc, char **argv)
{
	static struct host host;
	int failed = 0, passed = 0;

	if (libusb_init(&host.context) != 0 || !host_open(&host))
		return 1;
	for (size_t i = 0; i < sizeof(host_checks) / sizeof(host_checks[0]); i++) {
		bool ok;

		if (!host_is_wanted(host_checks[i].name, host_checks[i].by_name_only, argc, argv))
			continue;
		ok = host_checks[i].run(&host);
		printf("%s %s\n", ok ? "ok    " : "FAILED", host_checks[i].name);
		(void)fflush(stdout);
		*(ok ? &passed : &failed) += 1;
	}
	libusb_close(host.handle);
	libusb_exit(host.context);
	printf("%d passed, %d failed\n", passed, failed);
	return failed == 0 && passed > 0 ? 0 : 1;
}
