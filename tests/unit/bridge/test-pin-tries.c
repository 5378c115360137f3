/*
 * The guard's memory across the death of a bridge, and what may be found in its place.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host-bridge/pin_tries.h"

static char folder[] = "/tmp/test-pin-tries-XXXXXX";
static char path[64];
static struct pin_tries tries;

static const uint8_t atr[] = { 0x3B, 0x80, 0x01, 0x81 };
static const uint8_t verify[] = { 0x00, 0x20, 0x00, 0x81, 0x04, '1', '2', '3', '4' };

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/tries", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static void open_tries(void)
{
	char why[512] = "";

	if (pin_tries_open(&tries, path, why, sizeof why) != 0)
		fail_msg("%s", why);
}

/* A guest uses one try of a PIN that has three, and loses its answer. */
static void use_a_try(void)
{
	struct pin_handle handle = PIN_HANDLE_CLOSED;
	struct pin_command command;

	pin_command_read((struct payload_view){ verify, sizeof verify }, &command);
	pin_guard_open(tries.guard, &handle, 1, 1, (struct payload_view){ atr, sizeof atr });
	pin_guard_sent(&handle, &command);
}

static unsigned int left(void)
{
	struct pin_handle handle = PIN_HANDLE_CLOSED;
	struct pin_command command;

	pin_command_read((struct payload_view){ verify, sizeof verify }, &command);
	pin_guard_open(tries.guard, &handle, 1, 1, (struct payload_view){ atr, sizeof atr });
	return pin_guard_left(&handle, &command);
}

/* A bridge that is killed: nothing is written or closed in an orderly way. */
static void die_after_a_try(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		open_tries();
		use_a_try();
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_survives_kill(void **state)
{
	unsigned int before;
	struct stat status;
	char why[512];
	struct pin_tries other;

	(void)state;
	open_tries();
	before = left();
	assert_int_equal(pin_tries_open(&other, path, why, sizeof why), PIN_TRIES_BAD);
	assert_non_null(strstr(why, "another ccid-bridge keeps it"));
	pin_tries_close(&tries);
	die_after_a_try();
	open_tries();
	assert_int_equal(left(), before - 1);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	pin_tries_close(&tries);
	pin_tries_close(&tries);
	open_tries();
	assert_int_equal(left(), before - 1);
	pin_tries_close(&tries);
	(void)unlink(path);
}

static void test_rubbish_is_empty(void **state)
{
	unsigned int fresh;
	FILE *file;

	(void)state;
	open_tries();
	fresh = left();
	pin_tries_close(&tries);
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 100000; i++)
		(void)fputc(rand() & 0xFF, file);
	(void)fclose(file);
	open_tries();
	assert_int_equal(left(), fresh);
	pin_tries_close(&tries);
	(void)unlink(path);
}

static void test_not_a_file(void **state)
{
	char why[512] = "";

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(pin_tries_open(&tries, path, why, sizeof why), PIN_TRIES_BAD);
	assert_non_null(strstr(why, "no file of ours"));
	(void)unlink(path);
}

static void test_forgetful(void **state)
{
	(void)state;
	assert_int_equal(pin_tries_forgetful(&tries), 0);
	use_a_try();
	pin_tries_close(&tries);
	assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_survives_kill),
		cmocka_unit_test(test_rubbish_is_empty),
		cmocka_unit_test(test_not_a_file),
		cmocka_unit_test(test_forgetful),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
