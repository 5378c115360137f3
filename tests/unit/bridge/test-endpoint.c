/*
 * What must be true of the file system before a socket is made there, and how the socket that
 * another user has made gets there.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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

/* base and a path below it, in one of many buffers. */
static const char *below(const char *prefix, const char *path)
{
	static char texts[64][256]; /* a claim borrows one of them */
	static unsigned int next;
	char *text = texts[next++ % 64];

	(void)snprintf(text, sizeof texts[0], "%s%s%s", prefix, base, path);
	return text;
}

static const struct endpoint_maker ourselves;

static void claim_it(struct endpoint_claim *claim, const char *path,
	const struct endpoint_maker *maker)
{
	char why[512] = "";

	if (endpoint_claim(claim, below("ipc://", path), maker, why, sizeof why) != 0)
		fail_msg("%s", why);
}

/* The reason is expected as before, then a path below base, then after. */
static void expect(const char *path, int result, const char *before, const char *reason_path,
	const char *after)
{
	struct endpoint_claim claim = { .endpoint = NULL };
	char why[512] = "";
	char expected[512] = "";

	if (result != 0)
		(void)snprintf(expected, sizeof expected, "%s%s%s", before, below("", reason_path),
			after);
	assert_int_equal(endpoint_claim(&claim, below("ipc://", path), &ourselves, why, sizeof why),
		result);
	assert_string_equal(why, expected);
	endpoint_release(&claim);
	assert_null(claim.endpoint);
	endpoint_release(&claim);
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

static bool is_there(const char *path)
{
	struct stat status;

	return lstat(below("", path), &status) == 0;
}

/* Somebody who listens and is no bridge of ours is left alone, his socket too. */
static void test_sockets(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(mkdir(below("", "/s"), 0700), 0);
	make_socket("/s/alive", 1, &fd);
	expect("/s/alive", ENDPOINT_BUSY, "another ccid-bridge is listening on ", "/s/alive", "");
	assert_true(is_there("/s/alive"));
	close(fd);
	expect("/s/alive", 0, "", "", "");
	assert_true(is_there("/s/alive"));
	assert_false(is_there("/s/.alive.front"));
	assert_int_equal(unlink(below("", "/s/alive")), 0);
}

/* What is not a socket is neither replaced nor removed. */
static void test_file(void **state)
{
	int fd = open(below("", "/file"), O_CREAT | O_WRONLY, 0600);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	expect("/file", ENDPOINT_BAD, "", "/file", " exists and is not a socket");
	assert_true(is_there("/file"));
	expect("/file/a.sock", ENDPOINT_BAD, "", "/file", " is not a folder");
}

/* One bridge at a time, also while its front is dead and nobody listens; the next one after it. */
static void test_one_at_a_time(void **state)
{
	struct endpoint_claim first = { .endpoint = NULL };

	(void)state;
	assert_int_equal(mkdir(below("", "/one"), 0700), 0);
	claim_it(&first, "/one/a.sock", &ourselves);
	expect("/one/a.sock", ENDPOINT_BUSY, "another ccid-bridge is listening on ", "/one/a.sock",
		"");
	assert_true(is_there("/one/.a.sock.front/in"));
	endpoint_release(&first);
	expect("/one/a.sock", 0, "", "", "");
	assert_false(is_there("/one/.a.sock.front"));
}

/* The front makes its socket where nobody finds it; then it is ours, and goes with us. */
static void test_publish(void **state)
{
	const struct endpoint_maker other = {
		.other = geteuid() == 0, .user = geteuid() == 0 ? 65534 : geteuid(), .group = 65534,
	};
	struct endpoint_claim claim = { .endpoint = NULL };
	struct stat status;
	char why[512] = "";
	int folder = -1, fd;

	(void)state;
	assert_int_equal(mkdir(below("", "/p"), 0700), 0);
	claim_it(&claim, "/p/a.sock", &other);
	assert_int_equal(stat(below("", "/p/.a.sock.front"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(endpoint_open_folder(&claim, &folder, why, sizeof why), 0);
		close(folder);
		make_socket("/p/.a.sock.front/in/socket", 1, &fd);
		assert_int_equal(lchown(below("", "/p/.a.sock.front/in/socket"), other.user,
			geteuid() == 0 ? 65534 : getegid()), 0);
		assert_int_equal(endpoint_publish(&claim, &other, why, sizeof why), 0);
		assert_int_equal(stat(below("", "/p/a.sock"), &status), 0);
		assert_true(S_ISSOCK(status.st_mode));
		assert_int_equal(status.st_mode & 07777, 0600);
		assert_int_equal(status.st_uid, geteuid());
		assert_false(is_there("/p/.a.sock.front/in/socket"));
		close(fd);
	}
	endpoint_release(&claim);
	assert_false(is_there("/p/a.sock"));
	assert_false(is_there("/p/.a.sock.front"));
}

/* A front that was taken over can't have another socket, or a file, put in the place of its own. */
static void test_publish_nonsense(void **state)
{
	const struct endpoint_maker other = {
		.other = geteuid() == 0, .user = 65534, .group = 65534,
	};
	struct endpoint_claim claim = { .endpoint = NULL };
	const char *made = "/n/.a.sock.front/in/socket";
	char why[512] = "";
	int fd;

	(void)state;
	assert_int_equal(mkdir(below("", "/n"), 0700), 0);
	claim_it(&claim, "/n/a.sock", &other);
	assert_int_equal(endpoint_publish(&claim, &other, why, sizeof why), ENDPOINT_BAD);
	assert_non_null(strstr(why, "No such file"));
	assert_int_equal(symlink("/run/pcscd/pcscd.comm", below("", made)), 0);
	assert_int_equal(endpoint_publish(&claim, &other, why, sizeof why), ENDPOINT_BAD);
	assert_non_null(strstr(why, "is not the front's socket"));
	make_socket(made, 1, &fd);
	if (other.other)
		assert_int_equal(endpoint_publish(&claim, &other, why, sizeof why), ENDPOINT_BAD);
	close(fd);
	assert_false(is_there("/n/a.sock"));
	endpoint_release(&claim);
	assert_false(is_there("/n/.a.sock.front"));
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
	(void)rmdir(below("", "/one"));
	(void)rmdir(below("", "/p"));
	(void)rmdir(below("", "/n"));
	return rmdir(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_makes_folder),
		cmocka_unit_test(test_folder_of_others),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_publish),
		cmocka_unit_test(test_publish_nonsense),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
