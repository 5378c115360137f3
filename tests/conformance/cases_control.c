/*
 * The control pipe: CCID 1.1, 5.3, and what is none of its requests.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/conformance/suite.h"

/* Answered or stalled, but soon: libccid waits 3 s for each when it opens a reader. */
#define SOON 2000

static bool is_soon(struct tester *t, uint64_t start, const char *what)
{
	uint64_t took = transport_now() - start;

	return tester_check(t, took <= SOON, "%s took %u ms", what, (unsigned int)took);
}

/*
 * 5.3.2, 5.3.3: a list of four bytes per value, as many as the descriptor says. One that says 0
 * need not know the request.
 */
static bool list(struct tester *t, uint8_t bRequest, size_t count)
{
	uint8_t bytes[1024];
	uint64_t start = transport_now();
	int r = transport_control_in(&t->transport, REQUEST_TYPE_IN, bRequest, 0, bytes,
		sizeof(bytes));

	if (!is_soon(t, start, "the request"))
		return false;
	if (count == 0 && r == LIBUSB_ERROR_PIPE)
		return true;
	return tester_check(t, r >= 0, "%s", libusb_error_name(r)) &&
		tester_check(t, r % 4 == 0 && (size_t)r >= 4 * count, "%d bytes for %zu values", r,
			count);
}

static bool clock_frequencies(struct tester *t)
{
	return list(t, REQUEST_GET_CLOCK_FREQUENCIES, t->descriptor.bNumClockSupported);
}

static bool data_rates(struct tester *t)
{
	return list(t, REQUEST_GET_DATA_RATES, t->descriptor.bNumDataRatesSupported);
}

/* The default clock and rate of the descriptor are in the lists, and not in each other's. */
static bool lists_have_the_defaults(struct tester *t)
{
	uint8_t bytes[4] = { 0 };
	uint32_t value;
	int r = transport_control_in(&t->transport, REQUEST_TYPE_IN, REQUEST_GET_CLOCK_FREQUENCIES,
		0, bytes, sizeof(bytes));

	value = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
	if (!tester_check(t, r != 4 || value <= t->descriptor.dwMaximumClock,
		    "clock %u kHz", value))
		return false;
	r = transport_control_in(&t->transport, REQUEST_TYPE_IN, REQUEST_GET_DATA_RATES, 0, bytes,
		sizeof(bytes));
	value = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
	return tester_check(t, r != 4 || (value >= t->descriptor.dwDataRate / 64 &&
		value <= t->descriptor.dwMaxDataRate), "%u bit/s", value);
}

/* USB 2.0, 9.3.5: no more than wLength bytes. */
static bool short_request(struct tester *t)
{
	uint8_t bytes[4];
	int r = transport_control_in(&t->transport, REQUEST_TYPE_IN, REQUEST_GET_CLOCK_FREQUENCIES,
		0, bytes, 2);

	return tester_check(t, r == 2 || r == LIBUSB_ERROR_PIPE, "%d", r);
}

struct refused {
	uint8_t bmRequestType;
	uint8_t bRequest;
};

static int make_request(struct tester *t, const struct refused *request, uint64_t *start)
{
	uint8_t bytes[8];

	*start = transport_now();
	if ((request->bmRequestType & LIBUSB_ENDPOINT_IN) != 0)
		return transport_control_in(&t->transport, request->bmRequestType, request->bRequest,
			0, bytes, sizeof(bytes));
	return transport_control_out(&t->transport, request->bmRequestType, request->bRequest, 0);
}

/*
 * USB 2.0, 9.2.7: what a device doesn't know it stalls, and the next request is a new one.
 *
 * dummy_hcd can lose a stall, so that the host waits until its time is over, whatever the device does:
 * dummy_set_halt_and_wedge() sets ep->halted without dum->lock, in the word in which dummy_timer()
 * changes already_seen on another processor (dummy_hcd.c, struct dummy_ep: "unsigned halted:1; ...
 * already_seen:1"). In a guest with two processors 2 of 30,600 were lost, in one with a single processor none
 * of 98,940. So a request that times out is made once more.
 */
static bool refused(struct tester *t)
{
	const struct refused *request = t->argument;
	uint64_t start;
	int r = make_request(t, request, &start);

	if (r == LIBUSB_ERROR_TIMEOUT)
		r = make_request(t, request, &start);
	return tester_check(t, r == LIBUSB_ERROR_PIPE, "%s, expected a stall",
			r >= 0 ? "accepted" : libusb_error_name(r)) &&
		is_soon(t, start, "the stall");
}

/* All numbers that chapter 5.3 doesn't have. */
static bool all_refused(struct tester *t)
{
	for (unsigned int i = 0; i <= 0xFF; i++) {
		const struct refused out = { REQUEST_TYPE_OUT, (uint8_t)i },
				     in = { REQUEST_TYPE_IN, (uint8_t)i };

		if (i >= REQUEST_ABORT && i <= REQUEST_GET_DATA_RATES)
			continue;
		t->argument = &out;
		if (!refused(t))
			return false;
		t->argument = &in;
		if (!refused(t))
			return false;
	}
	return tester_status(t);
}

/* A request brings data that the reader doesn't know: stalled, and none of it stays in its way. */
static bool data_refused(struct tester *t)
{
	uint8_t bytes[64] = { 0 };
	int r = libusb_control_transfer(t->transport.handle, REQUEST_TYPE_OUT, 0x55, 0,
		t->transport.setting->bInterfaceNumber, bytes, sizeof(bytes),
		TRANSPORT_CONTROL_TIMEOUT);

	return tester_check(t, r == LIBUSB_ERROR_PIPE, "%s, expected a stall",
			r >= 0 ? "accepted" : libusb_error_name(r)) &&
		tester_status(t) && clock_frequencies(t);
}

/* USB 2.0, 9.4.5: GET_STATUS of interface and endpoints is two bytes. */
static bool standard_requests(struct tester *t)
{
	uint8_t bytes[2];
	int r = transport_control_in(&t->transport, 0x81, LIBUSB_REQUEST_GET_STATUS, 0, bytes, 2);

	if (!tester_check(t, r == 2, "GET_STATUS of the interface: %d", r))
		return false;
	r = libusb_control_transfer(t->transport.handle, 0x82, LIBUSB_REQUEST_GET_STATUS, 0,
		t->transport.bulk_in, bytes, 2, TRANSPORT_CONTROL_TIMEOUT);
	if (!tester_check(t, r == 2 && bytes[0] == 0, "GET_STATUS of bulk IN: %d", r))
		return false;
	r = transport_control_in(&t->transport, 0x81, LIBUSB_REQUEST_GET_INTERFACE, 0, bytes, 1);
	return tester_check(t, r == 1 && bytes[0] == 0, "GET_INTERFACE: %d", r);
}

static const struct refused abort_in = { REQUEST_TYPE_IN, REQUEST_ABORT },
			    clocks_out = { REQUEST_TYPE_OUT, REQUEST_GET_CLOCK_FREQUENCIES },
			    rates_out = { REQUEST_TYPE_OUT, REQUEST_GET_DATA_RATES },
			    vendor_in = { 0xC1, REQUEST_GET_CLOCK_FREQUENCIES },
			    vendor_out = { 0x41, REQUEST_ABORT };

const struct suite_case control_cases[] = {
	{ "5.3.2", "GET_CLOCK_FREQUENCIES: four bytes each, or a stall", 0, START_ANY,
		clock_frequencies, NULL },
	{ "5.3.3", "GET_DATA_RATES: four bytes each, or a stall", 0, START_ANY, data_rates, NULL },
	{ "5.3", "clocks are clocks and rates are rates", 0, START_ANY, lists_have_the_defaults,
		NULL },
	{ "USB 9.3.5", "a request for fewer bytes gets fewer", 0, START_ANY, short_request, NULL },
	{ "5.3.1", "ABORT towards the host stalls", 0, START_ANY, refused, &abort_in },
	{ "5.3.2", "GET_CLOCK_FREQUENCIES towards the reader stalls", 0, START_ANY, refused,
		&clocks_out },
	{ "5.3.3", "GET_DATA_RATES towards the reader stalls", 0, START_ANY, refused, &rates_out },
	{ "USB 9.2.7", "a vendor's request towards the host stalls", 0, START_ANY, refused,
		&vendor_in },
	{ "USB 9.2.7", "a vendor's request towards the reader stalls", 0, START_ANY, refused,
		&vendor_out },
	{ "USB 9.2.7", "all other class requests stall at once, in both directions", 0, START_ANY,
		all_refused, NULL },
	{ "USB 9.2.7", "an unknown request with data stalls", 0, START_ANY, data_refused, NULL },
	{ "USB 9.4", "GET_STATUS, GET_INTERFACE", 0, START_ANY, standard_requests, NULL },
	{ .name = NULL },
};
