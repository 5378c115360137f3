/*
 * Who has the device, read off a folder that looks like sysfs.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gadget/usb/claim.h"

static char folder[] = "/tmp/test-claim-XXXXXX";

/* Below the folder; made in this order, and removed in the reverse. */
static const char *const folders[] = {
	"dummy_hcd.0", "dummy_hcd.0/usb3", "dummy_hcd.0/usb3/3-0:1.0", "dummy_hcd.0/usb3/3-1",
	"dummy_hcd.0/usb3/3-1/3-1:1.0", "dummy_hcd.1", "dummy_hcd.1/usb4", "dummy_hcd.1/usb4/4-0:1.0",
	"dummy_hcd.2", "dummy_hcd.2/usb5", "dummy_hcd.2/usb5/5-1", "dummy_hcd.2/usb5/5-1/5-1:1.0",
};

#define FOLDERS (sizeof(folders) / sizeof(folders[0]))

static void path_of(char path[256], const char *name)
{
	(void)snprintf(path, 256, "%s/%s", folder, name);
}

static void link_driver(const char *name)
{
	char path[256];

	path_of(path, name);
	assert_return_code(symlink(".", path), 0);
}

static void unlink_driver(const char *name)
{
	char path[256];

	path_of(path, name);
	assert_return_code(unlink(path), 0);
}

static int make_folders(void **state)
{
	char path[256];

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	for (size_t i = 0; i < FOLDERS; i++) {
		path_of(path, folders[i]);
		if (mkdir(path, 0700) != 0)
			return -1;
	}
	return 0;
}

static int remove_folders(void **state)
{
	char path[256];

	(void)state;
	for (size_t i = FOLDERS; i-- > 0;) {
		path_of(path, folders[i]);
		(void)rmdir(path);
	}
	return rmdir(folder);
}

/* The hub has its driver all the time, and so has another device. */
static void test_the_link_of_the_interface_counts(void **state)
{
	(void)state;
	link_driver("dummy_hcd.0/usb3/3-0:1.0/driver");
	link_driver("dummy_hcd.0/usb3/3-1/driver");
	link_driver("dummy_hcd.2/usb5/5-1/5-1:1.0/driver");
	assert_false(usb_claim_is_there(folder, "dummy_udc.0"));
	assert_true(usb_claim_is_there(folder, "dummy_udc.2"));
	link_driver("dummy_hcd.0/usb3/3-1/3-1:1.0/driver");
	assert_true(usb_claim_is_there(folder, "dummy_udc.0"));
	unlink_driver("dummy_hcd.0/usb3/3-1/3-1:1.0/driver");
	assert_false(usb_claim_is_there(folder, "dummy_udc.0"));
	unlink_driver("dummy_hcd.0/usb3/3-0:1.0/driver");
	unlink_driver("dummy_hcd.0/usb3/3-1/driver");
	unlink_driver("dummy_hcd.2/usb5/5-1/5-1:1.0/driver");
}

static void test_who_can_t_tell_says_yes(void **state)
{
	(void)state;
	assert_true(usb_claim_is_there(folder, "dummy_udc.1"));
	assert_true(usb_claim_is_there(folder, "dummy_udc.3"));
	assert_true(usb_claim_is_there(folder, "other_udc.0"));
	assert_true(usb_claim_is_there(folder, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_link_of_the_interface_counts),
		cmocka_unit_test(test_who_can_t_tell_says_yes),
	};

	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
