/*
 * What must be true of the file system before a socket is made there.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host-bridge/endpoint.h"

static char base[] = "/tmp/test-endpoint-XXXXXX";

/* base and a path below it, in one of a few buffers. */
static const char *below(const char *prefix, const char *path)
{
	static char texts[4][256];
	static unsigned int next;
	char *text = texts[next++ % 4];

	(void)snprintf(text, sizeof texts[0], "%s%s%s", prefix, base, path);
	return text;
}

/* The reason is expected as before, then a path below base, then after. */
static void expect(const char *path, int result, const char *before, const char *reason_path,
	const char *after)
{
	char why[512] = "";
	char expected[512] = "";

	if (result != 0)
		(void)snprintf(expected, sizeof expected, "%s%s%s", before, below("", reason_path),
			after);
	assert_int_equal(endpoint_prepare(below("ipc://", path), why, sizeof why), result);
	assert_string_equal(why, expected);
}

/* A bound socket; listening or dead. */
static void make_socket(const char *path, int alive, int *fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", below("", path));
	*fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(*fd >= 0);
	assert_int_equal(bind(*fd, (const struct sockaddr *)&address, sizeof address), 0);
	if (alive)
		assert_int_equal(listen(*fd, 1), 0);
}

static void test_makes_folder(void **state)
{
	struct stat status;

	(void)state;
	(void)umask(0);
	expect("/new/a.sock", 0, "", "", "");
	assert_int_equal(stat(below("", "/new"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	expect("/new/a.sock", 0, "", "", "");
	expect("/none/new/a.sock", ENDPOINT_BAD,
		"can't make the folder ", "/none/new", ": No such file or directory");
}

static void test_folder_of_others(void **state)
{
	(void)state;
	assert_int_equal(mkdir(below("", "/open"), 0700), 0);
	assert_int_equal(chmod(below("", "/open"), 0755), 0);
	expect("/open/a.sock", 0, "", "", "");
	assert_int_equal(chmod(below("", "/open"), 0775), 0);
	expect("/open/a.sock", ENDPOINT_BAD, "others can write to the folder ", "/open",
		", and could put a false socket there; use a folder of its own, with mode 0700");
	assert_int_equal(chmod(below("", "/open"), 01777), 0);
	expect("/open/a.sock", ENDPOINT_BAD, "others can write to the folder ", "/open",
		", and could put a false socket there; use a folder of its own, with mode 0700");
	if (geteuid() != 0)
		return;
	assert_int_equal(chmod(below("", "/open"), 0700), 0);
	assert_int_equal(chown(below("", "/open"), 12345, 0), 0);
	expect("/open/a.sock", ENDPOINT_BAD, "the folder ", "/open",
		" belongs to another user, who could put a false socket there");
}

static void test_sockets(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(mkdir(below("", "/s"), 0700), 0);
	make_socket("/s/alive", 1, &fd);
	expect("/s/alive", ENDPOINT_BUSY, "another ccid-bridge is listening on ", "/s/alive", "");
	close(fd);
	expect("/s/alive", 0, "", "", "");
	endpoint_remove(below("ipc://", "/s/alive"));
	assert_int_equal(access(below("", "/s/alive"), F_OK), -1);
	endpoint_remove(below("ipc://", "/s/alive"));
}

/* What is not a socket is neither replaced nor removed. */
static void test_file(void **state)
{
	int fd = open(below("", "/file"), O_CREAT | O_WRONLY, 0600);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	expect("/file", ENDPOINT_BAD, "", "/file", " exists and is not a socket");
	endpoint_remove(below("ipc://", "/file"));
	assert_int_equal(access(below("", "/file"), F_OK), 0);
	expect("/file/a.sock", ENDPOINT_BAD, "", "/file", " is not a folder");
}

static int make_base(void **state)
{
	(void)state;
	return mkdtemp(base) != NULL ? 0 : -1;
}

static int remove_base(void **state)
{
	(void)state;
	(void)unlink(below("", "/file"));
	(void)rmdir(below("", "/new"));
	(void)rmdir(below("", "/open"));
	(void)rmdir(below("", "/s"));
	return rmdir(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_makes_folder),
		cmocka_unit_test(test_folder_of_others),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
