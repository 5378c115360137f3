/*
 * When a message may be put on bulk IN: what is seen of the host, and what is done then.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/usb/demand.h"
#include "gadget/usb/offer.h"

#define OLD (10 * USB_OFFER_FRESH)

static const struct {
	const char *name;
	struct usb_offer_view view;
	enum usb_offer_step step;
} rows[] = {
	{ "a driver waits for the answer to its command",
		{ .demand = true, .out_is_armed = true, .age = 100 }, USB_OFFER_WRITE },
	{ "not yet",
		{ .demand = false, .out_is_armed = true, .age = 100 }, USB_OFFER_LATER },
	{ "a while after the command: is it the same driver?",
		{ .demand = true, .out_is_armed = true, .age = OLD }, USB_OFFER_RECALL },
	{ "it is: nothing has come",
		{ .demand = true, .out_is_armed = false, .age = OLD }, USB_OFFER_WRITE },
	{ "nobody asks, a while after the command",
		{ .demand = false, .out_is_armed = true, .age = OLD }, USB_OFFER_LATER },
	{ "nobody asks any more",
		{ .demand = false, .out_is_armed = false, .age = OLD }, USB_OFFER_LATER },
	{ "another command is half sent",
		{ .demand = true, .out_is_armed = true, .out_is_inside = true, .age = 100 },
		USB_OFFER_LATER },
};

static void test_steps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct usb_offer offer = USB_OFFER_NULL;
		uint64_t wait = 0;

		print_message("    %s\n", rows[i].name);
		assert_int_equal(usb_offer_look(&offer, &rows[i].view, &wait), rows[i].step);
		assert_int_equal(wait > 0, rows[i].step == USB_OFFER_LATER);
	}
}

/* Soon at first, then ten times a second, and at last never again: after about ten seconds. */
static void test_patience(void **state)
{
	const struct usb_offer_view nobody = { .out_is_armed = true, .age = OLD };
	struct usb_offer offer = USB_OFFER_NULL;
	uint64_t wait = 0, last = 0, all = 0;

	(void)state;
	while (usb_offer_look(&offer, &nobody, &wait) == USB_OFFER_LATER) {
		assert_true(wait >= USB_OFFER_FIRST && wait <= USB_OFFER_LONGEST);
		assert_true(wait >= last);
		last = wait;
		all += wait;
	}
	assert_int_equal(last, USB_OFFER_LONGEST);
	assert_in_range(all, 9 * 1000 * 1000, 11 * 1000 * 1000);
}

/* A notification has time: less than one look a second in the end. */
static void test_notification(void **state)
{
	(void)state;
	assert_int_equal(usb_offer_wait(0, USB_OFFER_LONGEST_NOTIFICATION), USB_OFFER_FIRST);
	assert_int_equal(usb_offer_wait(1, USB_OFFER_LONGEST_NOTIFICATION), 2 * USB_OFFER_FIRST);
	assert_int_equal(usb_offer_wait(1000000, USB_OFFER_LONGEST_NOTIFICATION),
		USB_OFFER_LONGEST_NOTIFICATION);
}

static void test_demand(void **state)
{
	static const struct {
		const char *text;
		size_t bulk, interrupt;
	} files[] = {
		{ "", 0, 0 },
		{ "urb/000000006d6bb1f6 hs ep1in-bulk len 0/65556\n", 65556, 0 },
		{ "urb/000000006d6bb1f6 hs ep5in-int len 0/8\n", 0, 8 },
		{ "urb/000000006d6bb1f6 hs ep2out-bulk len 0/10\n", 0, 0 },
		{ "urb/000000006d6bb1f6 hs ep0 len 0/4\n", 0, 0 },
		{ "urb/000000006d6bb1f6 hs ep5in-int len 0/8\n"
		  "urb/00000000aa6bb1f6 fs ep1in-bulk len 10/64\n", 64, 8 },
		/* Longer ones are made of several transfers; the first is served first. */
		{ "urb/000000006d6bb1f6 hs ep1in-bulk len 0/16384\n"
		  "urb/00000000aa6bb1f6 hs ep1in-bulk len 0/2065\n", 16384, 0 },
		/* The page has an end. */
		{ "urb/000000006d6bb1f6 hs ep1in-bu", 0, 0 },
		{ "urb/000000006d6bb1f6 hs ep1in-bulk len 0", USB_DEMAND_UNKNOWN, 0 },
		{ "urb/000000006d6bb1f6 hs ep1in-bulk ", USB_DEMAND_UNKNOWN, 0 },
		{ "urb/000000006d6bb1f6 hs ep1in-bulk len 0/", USB_DEMAND_UNKNOWN, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(usb_demand_in(files[i].text, USB_DEMAND_BULK), files[i].bulk);
		assert_int_equal(usb_demand_in(files[i].text, USB_DEMAND_INTERRUPT),
			files[i].interrupt);
	}
}

/* A controller that doesn't show it: what is to be sent is sent. */
static void test_another_controller(void **state)
{
	struct usb_demand demand = USB_DEMAND_NULL;

	(void)state;
	usb_demand_open(&demand, "fe980000.usb");
	assert_true(usb_demand_size(&demand, USB_DEMAND_BULK) == USB_DEMAND_UNKNOWN);
	usb_demand_deinit(&demand);
	usb_demand_deinit(&demand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_notification),
		cmocka_unit_test(test_demand),
		cmocka_unit_test(test_another_controller),
	};

	return cmocka_run_group_tests_name("usb offer", tests, NULL, NULL);
}
