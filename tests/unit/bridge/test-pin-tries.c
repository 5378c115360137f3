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

/* Sets n bytes of the file at an offset. */
static void overwrite(long offset, const void *bytes, size_t n)
{
	FILE *file = fopen(path, "r+");

	assert_non_null(file);
	assert_int_equal(fseek(file, offset, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

/* A file of another version, whose fields are elsewhere, is forgotten; one of this version isn't. */
static void test_another_layout(void **state)
{
	static const struct {
		long offset;
		const char *byte;
		bool forgotten;
	} rows[] = {
		{ 100, "", false },
		{ 18, "2", true },    /* of the head, "ccid-bridge tries 1" */
		{ 24, "\x55", true }, /* of the size, which follows */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		die_after_a_try();
		overwrite(rows[i].offset, rows[i].byte, strlen(rows[i].byte));
		open_tries();
		assert_int_equal(left(), rows[i].forgotten ? PIN_COUNT_ASSUMED : PIN_COUNT_ASSUMED - 1);
		pin_tries_close(&tries);
		assert_int_equal(unlink(path), 0);
	}
}

/* What was open or in flight when the bridge was killed is neither any more. */
static void test_is_recalled(void **state)
{
	(void)state;
	die_after_a_try();
	open_tries();
	for (size_t i = 0; i < PIN_GUARD_CARDS; i++)
		assert_int_equal(tries.guard->cards[i].handles, 0);
	pin_tries_close(&tries);
	assert_int_equal(unlink(path), 0);
}

/* Nothing is left behind of a bridge that has guarded nothing. */
static void test_an_empty_one_goes(void **state)
{
	(void)state;
	open_tries();
	assert_int_equal(access(path, F_OK), 0);
	pin_tries_close(&tries);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void assert_not_ours(void)
{
	char why[512] = "";

	assert_int_equal(pin_tries_open(&tries, path, why, sizeof why), PIN_TRIES_BAD);
	assert_null(tries.guard);
	assert_int_equal(tries.fd, -1);
}

/* What somebody else has put there. */
static void test_not_ours(void **state)
{
	char target[80];
	FILE *file;

	(void)state;
	(void)snprintf(target, sizeof target, "%s.other", path);
	file = fopen(target, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_not_ours();
	assert_int_equal(unlink(path), 0);
	/* Only root can give a file away. */
	if (chown(target, 65534, 65534) == 0 && geteuid() != 65534) {
		assert_int_equal(rename(target, path), 0);
		assert_not_ours();
	}
	(void)unlink(path);
	(void)unlink(target);
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
		cmocka_unit_test(test_another_layout),
		cmocka_unit_test(test_is_recalled),
		cmocka_unit_test(test_an_empty_one_goes),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_not_a_file),
		cmocka_unit_test(test_forgetful),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
