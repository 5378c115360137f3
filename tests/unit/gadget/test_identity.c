/*
 * The names of a reader in the guest.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/identity.h"

static const struct config_reader plain = { .vendor = 0x0E0F, .product = 0x0004 };

static void test_the_name_loses_its_index_and_what_is_not_ascii(void **state)
{
	struct usb_identity identity = identity_make(&plain, "vm", "Z\xC3\xBCri\tReader 00 01", 0);

	(void)state;
	assert_string_equal(identity.interface, "Z..ri.Reader");
	assert_int_equal(identity.idVendor, 0x0E0F);
	assert_int_equal(identity.idProduct, 0x0004);
}

static void test_a_long_name_is_cut(void **state)
{
	char name[128];
	struct usb_identity identity;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	identity = identity_make(&plain, "vm", name, 0);
	assert_int_equal(strlen(identity.interface), 64);
}

/* Renumbering by pcscd changes nothing; another guest or another reader has another number. */
static void test_the_serial_number_follows_from_the_names(void **state)
{
	struct usb_identity one = identity_make(&plain, "vm1", "Reader 00 00", 0);
	struct usb_identity again = identity_make(&plain, "vm1", "Reader 01 00", 0);
	struct usb_identity guest = identity_make(&plain, "vm2", "Reader 00 00", 0);
	struct usb_identity other = identity_make(&plain, "vm1", "Readers 00 00", 0);
	struct usb_identity slot = identity_make(&plain, "vm1", "Reader 00 01", 0);
	struct usb_identity twin = identity_make(&plain, "vm1", "Reader 01 00", 1);

	(void)state;
	assert_int_equal(strlen(one.serial), 12);
	assert_string_equal(one.serial, again.serial);
	assert_string_not_equal(one.serial, guest.serial);
	assert_string_not_equal(one.serial, other.serial);
	assert_string_not_equal(one.serial, slot.serial);
	assert_string_not_equal(one.serial, twin.serial);
}

static void test_the_file_may_give_a_serial_number(void **state)
{
	struct config_reader config = plain;
	struct usb_identity identity;

	(void)state;
	strcpy(config.serial, "A1");
	identity = identity_make(&config, "vm", "Reader 00 00", 0);
	assert_string_equal(identity.serial, "A1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_name_loses_its_index_and_what_is_not_ascii),
		cmocka_unit_test(test_a_long_name_is_cut),
		cmocka_unit_test(test_the_serial_number_follows_from_the_names),
		cmocka_unit_test(test_the_file_may_give_a_serial_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
