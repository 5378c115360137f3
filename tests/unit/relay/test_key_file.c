/*
 * Key files: what is refused, with which words, and that nothing is ever lost.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "relay/key_file.h"

#define TEXT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" /* bytes 0 to 31 */

static char folder[] = "/tmp/test-key-file.XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int count_files(void)
{
	DIR *open = opendir(".");
	int count = 0;

	assert_non_null(open);
	for (struct dirent *entry = readdir(open); entry != NULL; entry = readdir(open))
		count += entry->d_name[0] != '.';
	(void)closedir(open);
	return count;
}

static int teardown(void **state)
{
	(void)state;
	return chdir("/") == 0 ? rmdir(folder) : -1;
}

static void put(const char *path, const char *text, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void refused(const char *path, const char *words)
{
	struct private_key key;
	char why[KEY_FILE_WHY_MAX] = "";

	memset(&key, 0xAA, sizeof(key));
	assert_int_equal(key_file_read(path, &key, why), KEY_FILE_REFUSED);
	if (strncmp(why, path, strlen(path)) != 0 || strstr(why, words) == NULL)
		fail_msg("'%s' doesn't say '%s'", why, words);
	assert_null(strstr(why, "AAEC")); /* nor what is in the file */
	assert_true(sodium_is_zero(key.bytes, sizeof(key.bytes)));
}

static void test_read(void **state)
{
	static const mode_t good[] = { 0600, 0400, 0700 };
	struct private_key key;
	char why[KEY_FILE_WHY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		put("key", TEXT "\n", 45, good[i]);
		assert_int_equal(key_file_read("key", &key, why), 0);
		assert_int_equal(key.bytes[31], 31);
		(void)unlink("key");
	}
	put("key", TEXT, 44, 0600); /* without the end of its line */
	assert_int_equal(key_file_read("key", &key, why), 0);
	(void)unlink("key");
}

static void test_mode(void **state)
{
	static const mode_t bad[] = { 0640, 0620, 0610, 0604, 0602, 0601, 0644, 0666, 0777 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put("key", TEXT "\n", 45, bad[i]);
		refused("key", "others may read or write it");
		(void)unlink("key");
	}
}

static void test_owner(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	put("key", TEXT "\n", 45, 0600);
	assert_int_equal(chown("key", 65534, 65534), 0);
	refused("key", "belongs to another user");
	(void)unlink("key");
}

static void test_type(void **state)
{
	(void)state;
	refused("key", "'genkey' makes a key there");
	assert_int_equal(mkdir("key", 0700), 0);
	refused("key", "regular file");
	(void)rmdir("key");
	assert_int_equal(mkfifo("key", 0600), 0);
	refused("key", "regular file");
	(void)unlink("key");
	refused("/dev/null", "regular file");
}

static void test_content(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} bad[] = {
		{ "", 0 },
		{ "\n", 1 },
		{ TEXT, 43 },
		{ TEXT "\n\n", 46 },
		{ TEXT " \n", 46 },
		{ " " TEXT "\n", 46 },
		{ TEXT "\nmore", 49 },
		{ TEXT "\0", 45 },
		{ TEXT "\0\n", 46 },
		{ "-----BEGIN PRIVATE KEY-----\n", 28 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put("key", bad[i].text, bad[i].size, 0600);
		refused("key", "it holds no key");
		(void)unlink("key");
	}
}

/* ---- making ---- */

static int silently(int (*what)(const char *command), const char *command, char *out, size_t size)
{
	int saved = dup(STDOUT_FILENO), file = open(".out", O_RDWR | O_CREAT | O_TRUNC, 0600);
	ssize_t length;
	int r;

	(void)fflush(stdout);
	assert_true(saved >= 0 && file >= 0 && dup2(file, STDOUT_FILENO) >= 0);
	r = what(command);
	(void)fflush(stdout);
	(void)dup2(saved, STDOUT_FILENO);
	length = pread(file, out, size - 1, 0);
	out[length > 0 ? length : 0] = '\0';
	(void)close(saved);
	(void)close(file);
	(void)unlink(".out");
	return r;
}

static int on_key(const char *command)
{
	return key_command("test", command, "key");
}

static void test_commands(void **state)
{
	struct private_key key;
	struct public_key public;
	struct stat status;
	char made[128], shown[128], why[KEY_FILE_WHY_MAX], expected[KEY_TEXT_SIZE + 1];

	(void)state;
	(void)umask(0);
	assert_int_equal(silently(on_key, "pubkey", shown, sizeof(shown)), EX_NOINPUT);
	assert_int_equal(silently(on_key, "genkey", made, sizeof(made)), EX_OK);
	assert_int_equal(stat("key", &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0600);
	assert_int_equal(status.st_nlink, 1);
	assert_int_equal(count_files(), 1);
	assert_int_equal(key_file_read("key", &key, why), 0);
	key_public(&key, &public);
	key_public_to_text(&public, expected);
	strcat(expected, "\n");
	assert_string_equal(made, expected);
	assert_int_equal(silently(on_key, "pubkey", shown, sizeof(shown)), EX_OK);
	assert_string_equal(shown, expected);
	/* Never over one that is there, whatever it is. */
	assert_int_equal(silently(on_key, "genkey", made, sizeof(made)), EX_CANTCREAT);
	assert_string_equal(made, "");
	assert_int_equal(silently(on_key, "pubkey", shown, sizeof(shown)), EX_OK);
	assert_string_equal(shown, expected);
	(void)unlink("key");
	assert_int_equal(symlink("nowhere", "key"), 0);
	assert_int_equal(silently(on_key, "genkey", made, sizeof(made)), EX_CANTCREAT);
	assert_int_equal(access("nowhere", F_OK), -1);
	(void)unlink("key");
	assert_int_equal(count_files(), 0);
}

static void test_two_keys_differ(void **state)
{
	char one[128], other[128];

	(void)state;
	assert_int_equal(silently(on_key, "genkey", one, sizeof(one)), EX_OK);
	(void)unlink("key");
	assert_int_equal(silently(on_key, "genkey", other, sizeof(other)), EX_OK);
	(void)unlink("key");
	assert_string_not_equal(one, other);
}

/* A file that can't grow stands for a full disk. */
static void test_full_disk(void **state)
{
	const struct private_key key = { { 1 } };
	struct rlimit before, small;
	char why[KEY_FILE_WHY_MAX] = "";
	int r;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 20;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	r = key_file_make("key", &key, why);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, KEY_FILE_REFUSED);
	assert_string_equal(why, "key: no key was made: File too large");
	assert_int_equal(count_files(), 0);
}

static void test_no_folder(void **state)
{
	const struct private_key key = { { 1 } };
	char why[KEY_FILE_WHY_MAX];

	(void)state;
	assert_int_equal(key_file_make("missing/key", &key, why), KEY_FILE_REFUSED);
	assert_string_equal(why, "missing/key: no key was made: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_two_keys_differ),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_no_folder),
	};

	return sodium_init() < 0 ? 2 : cmocka_run_group_tests(tests, setup, teardown);
}
