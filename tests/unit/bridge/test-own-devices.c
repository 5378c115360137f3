/*
 * Readers of this machine's own ccid-gadget, in a folder like that of sysfs.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "host-bridge/own_devices.h"

static char folder[] = "/tmp/test-own-devices-XXXXXX";

static const struct {
	const char *device;
	const char *manufacturer; /* NULL: it has none */
	const char *serial;
} devices[] = {
	{ "usb1", "Linux 6.1.0 dummy_hcd", "dummy_hcd.0" },
	{ "1-1", "ccid-relay", "A4DBE8EFC26D" },
	{ "1-1:1.0", NULL, NULL },
	{ "2-1", "Gemalto", "5D5C1F" },
	{ "3-1", "ccid-relay", NULL },
	{ "4-1", "ccid-relay 2", "0001" },
};

static const struct {
	const char *name;
	bool own;
} readers[] = {
	{ "VMware Virtual USB CCID [Virtual PCD 0] (A4DBE8EFC26D) 00 00", true },
	{ "VMware Virtual USB CCID [Virtual PCD 0] (A4DBE8EFC26E) 00 00", false },
	{ "Gemalto PC Twin Reader (5D5C1F) 01 00", false },
	{ "Some Reader (0001) 02 00", false },
	{ "Virtual PCD 00 00", false },
	{ "", false },
};

static void write_value(size_t i, const char *attribute, const char *value)
{
	char path[200];
	FILE *file;

	if (value == NULL)
		return;
	(void)snprintf(path, sizeof path, "%s/%s/%s", folder, devices[i].device, attribute);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, "%s\n", value) > 0);
	assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
	char path[200];

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, devices[i].device);
		assert_int_equal(mkdir(path, 0700), 0);
		write_value(i, "manufacturer", devices[i].manufacturer);
		write_value(i, "serial", devices[i].serial);
	}
	return 0;
}

static int remove_folder(void **state)
{
	char command[200];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -r '%s'", folder);
	return system(command);
}

static void test_readers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
		if (own_device_has(folder, readers[i].name) != readers[i].own)
			fail_msg("'%s'", readers[i].name);
	}
}

/* A machine without USB. */
static void test_no_folder(void **state)
{
	(void)state;
	assert_false(own_device_has("/nowhere", readers[0].name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readers),
		cmocka_unit_test(test_no_folder),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
