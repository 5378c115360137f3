/*
 * What the log says of a device that can't be made.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "gadget/plug_problem.h"
#include "gadget/usb/usb.h"

static const struct {
	int outcome;
	const char *udc;
	size_t readers;
	size_t ports;
	const char *says; /* a part of the line */
} cases[] = {
	{ -ENOSPC, "", 1, 1, "the USB device can't be made: No space left on device" },
	{ USB_NO_CONFIGFS, "", 1, 1, "configfs is not mounted" },
	{ USB_UDC_BUSY, "dummy_udc.3", 9, 4, "the virtual USB port dummy_udc.3 is in use; waiting" },
	/* As many as there are readers, or one more than there is: somebody else has one. */
	{ USB_UDC_BUSY, "", 3, 1, "options dummy_hcd num=3'" },
	{ USB_UDC_BUSY, "", 2, 2, "options dummy_hcd num=3'" },
	{ USB_UDC_BUSY, "", 32, 4, "options dummy_hcd num=32' (32 at most) into "
		"/etc/modprobe.d/dummy_hcd.conf, and type 'rmmod dummy_hcd' and 'modprobe dummy_hcd'" },
	/* No more can be had. */
	{ USB_UDC_BUSY, "", 33, 4, "dummy_hcd can't make more than 32" },
	{ USB_UDC_BUSY, "", 1, 32, "dummy_hcd can't make more than 32" },
};

static void test_lines(void **state)
{
	char text[PLUG_PROBLEM_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		plug_problem_text(text, sizeof(text), cases[i].outcome, cases[i].udc,
			cases[i].readers, cases[i].ports);
		print_message("%s\n", text);
		assert_non_null(strstr(text, cases[i].says));
		assert_null(strchr(text, '\n'));
		assert_true(strlen(text) + 1 < sizeof(text)); /* nothing was cut off */
	}
}

static void test_every_outcome_has_a_line(void **state)
{
	char text[PLUG_PROBLEM_MAX];

	(void)state;
	for (int outcome = USB_NOT_ROOT; outcome <= USB_NOT_ENABLED; outcome++) {
		plug_problem_text(text, sizeof(text), outcome, "", 1, 1);
		assert_null(strstr(text, "unknown"));
		assert_true(strlen(text) > 0 && strlen(text) + 1 < sizeof(text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_every_outcome_has_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
