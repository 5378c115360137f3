/*
 * One level of the log for several processes: those that were forked and those that inherited the
 * descriptor follow it, can't set it in any way, and are not led astray by what is no such page.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/log_page.h"

/* ---- followers ---- */

struct follower {
	pid_t process;
	int socket;
	int lines; /* what it logs */
};

/* Answers each byte with its level, until there are no more; and has something to say at debug. */
static void follow(int socket)
{
	char byte;

	while (read(socket, &byte, 1) == 1) {
		log_debug("follower", "a line");
		byte = (char)log_get_level();
		if (write(socket, &byte, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static struct follower start(void)
{
	struct follower follower;
	int ends[2], lines[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(pipe2(lines, O_NONBLOCK), 0);
	follower.process = fork();
	assert_true(follower.process >= 0);
	if (follower.process == 0) {
		(void)close(ends[0]);
		(void)dup2(lines[1], STDERR_FILENO);
		log_follow(log_shared());
		follow(ends[1]);
	}
	(void)close(ends[1]);
	(void)close(lines[1]);
	follower.socket = ends[0];
	follower.lines = lines[0];
	return follower;
}

/* Its level, by which it has logged, or not. */
static enum log_level level_of(const struct follower *follower)
{
	static const char line[] = "program: debug: follower: a line\n";
	char byte = 0, text[sizeof line] = "";

	assert_int_equal(write(follower->socket, &byte, 1), 1);
	assert_int_equal(read(follower->socket, &byte, 1), 1);
	if (byte == LOG_LEVEL_DEBUG) {
		assert_int_equal(read(follower->lines, text, sizeof text), sizeof line - 1);
		assert_string_equal(text, line);
	}
	assert_int_equal(read(follower->lines, text, sizeof text), -1);
	return (enum log_level)byte;
}

static int status_of(pid_t process)
{
	int status = 0;

	assert_int_equal(waitpid(process, &status, 0), process);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static void test_follow(void **state)
{
	struct follower first, second;

	(void)state;
	log_set_level(LOG_LEVEL_INFO);
	first = start();
	assert_int_equal(level_of(&first), LOG_LEVEL_INFO);
	log_set_level(LOG_LEVEL_DEBUG);
	assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
	assert_int_equal(level_of(&first), LOG_LEVEL_DEBUG);
	second = start();
	assert_int_equal(level_of(&second), LOG_LEVEL_DEBUG);
	log_set_level(LOG_LEVEL_ERROR);
	assert_int_equal(level_of(&first), LOG_LEVEL_ERROR);
	assert_int_equal(level_of(&second), LOG_LEVEL_ERROR);
	(void)close(first.socket);
	(void)close(second.socket);
	assert_int_equal(status_of(first.process), 0);
	assert_int_equal(status_of(second.process), 0);
}

/* In a process of its own, whose exit status is the line that failed. */
#define SEE(true_thing)                        \
	do {                                   \
		if (!(true_thing))             \
			_exit(__LINE__ % 255); \
	} while (0)

static void see_what_is_mapped(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	int pages = 0;

	SEE(maps != NULL);
	while (fgets(line, sizeof line, maps) != NULL) {
		if (strstr(line, "ccid-log-level") == NULL)
			continue;
		SEE(strstr(line, " r--s ") != NULL);
		pages++;
	}
	(void)fclose(maps);
	SEE(pages == 1);
}

/* What a fork leaves is a page that can only be read, and no descriptor. */
static void test_nothing_is_left(void **state)
{
	pid_t process = fork();

	(void)state;
	assert_true(process >= 0);
	if (process == 0) {
		int fd = log_shared();

		SEE(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
		log_follow(fd);
		SEE(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
		SEE(log_shared() == -1);
		see_what_is_mapped();
		log_set_level(LOG_LEVEL_WARNING);
		_exit(0);
	}
	log_set_level(LOG_LEVEL_DEBUG);
	assert_int_equal(status_of(process), 0);
	assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
}

/* ---- attempts to set it ---- */

static long attempt_write(int fd)
{
	return write(fd, "\0\0\0\0", 4);
}

static long attempt_shorten(int fd)
{
	return ftruncate(fd, 0);
}

static long attempt_lengthen(int fd)
{
	return ftruncate(fd, 8192);
}

static long attempt_hole(int fd)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4);
}

static long attempt_map(int fd)
{
	return mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED ? 0 : -1;
}

static long attempt_protect(int fd)
{
	const atomic_int *level = NULL;

	return log_page_map(fd, &level) != 0
		? 0 : mprotect((void *)(uintptr_t)level, 4, PROT_READ | PROT_WRITE);
}

static long attempt_open(int fd)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return attempt_write(open(path, O_RDWR | O_CLOEXEC));
}

static long attempt_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_GROW);
}

static void test_attempts(void **state)
{
	static const struct {
		const char *what;
		long (*attempt)(int fd);
	} rows[] = {
		{ "written", attempt_write }, { "shorter", attempt_shorten }, { "longer", attempt_lengthen },
		{ "a hole", attempt_hole }, { "mapped for writing", attempt_map },
		{ "mapped, then made writable", attempt_protect }, { "opened again", attempt_open },
		{ "seals", attempt_seal },
	};

	(void)state;
	log_set_level(LOG_LEVEL_DEBUG);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("%s\n", rows[i].what);
		assert_true(rows[i].attempt(log_shared()) < 0);
		assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
	}
	log_set_level(LOG_LEVEL_INFO);
	assert_int_equal(log_get_level(), LOG_LEVEL_INFO);
}

/* ---- what is no page ---- */

static int no_descriptor(void)
{
	return 999;
}

static int no_memory(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	(void)close(ends[1]);
	return ends[0];
}

static int memory(off_t size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static int not_sealed(void)
{
	return memory(4, 0);
}

static int may_shrink(void)
{
	return memory(4, F_SEAL_SEAL | F_SEAL_GROW | F_SEAL_FUTURE_WRITE);
}

static int may_be_written(void)
{
	return memory(4, F_SEAL_SEAL | F_SEAL_GROW | F_SEAL_SHRINK);
}

static int empty(void)
{
	return memory(0, F_SEAL_SEAL | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE);
}

/* The level stays, and is said to stay in one line, unless there was nothing to follow at all. */
static void test_no_page(void **state)
{
	static const struct {
		const char *what;
		int (*make)(void);
		bool said;
	} rows[] = {
		{ "no descriptor", no_descriptor, false }, { "no memory", no_memory, true },
		{ "not sealed", not_sealed, true }, { "may shrink", may_shrink, true },
		{ "may be written", may_be_written, true }, { "empty", empty, true },
	};
	static const char saying[] = "program: warning: log: 'log-level' does not reach this process, which "
		"keeps the level debug: what it inherited is no level\n";

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int lines[2];
		char text[512] = "";
		pid_t process;

		print_message("%s\n", rows[i].what);
		assert_int_equal(pipe2(lines, O_NONBLOCK), 0);
		process = fork();
		assert_true(process >= 0);
		if (process == 0) {
			int fd = rows[i].make();

			(void)dup2(lines[1], STDERR_FILENO);
			log_set_level(LOG_LEVEL_DEBUG);
			log_follow(fd);
			SEE(log_get_level() == LOG_LEVEL_DEBUG);
			log_set_level(LOG_LEVEL_ERROR);
			SEE(log_get_level() == LOG_LEVEL_ERROR);
			SEE(fcntl(fd, F_GETFD) < 0);
			_exit(0);
		}
		assert_int_equal(status_of(process), 0);
		assert_int_equal(read(lines[0], text, sizeof text - 1),
			rows[i].said ? (ssize_t)strlen(saying) : -1);
		assert_string_equal(text, rows[i].said ? saying : "");
		(void)close(lines[0]);
		(void)close(lines[1]);
	}
}

/* Whoever has the page may be taken over. */
static void test_odd_numbers(void **state)
{
	atomic_int *level = NULL;
	struct follower follower;
	int fd = -1;

	(void)state;
	assert_int_equal(log_page_make(&fd, &level), 0);
	follower.process = fork();
	assert_true(follower.process >= 0);
	if (follower.process == 0) {
		log_follow(fd);
		atomic_store(level, 77);
		SEE(log_get_level() == LOG_LEVEL_DEBUG);
		atomic_store(level, -1);
		SEE(log_get_level() == LOG_LEVEL_ERROR);
		atomic_store(level, LOG_LEVEL_WARNING);
		SEE(log_get_level() == LOG_LEVEL_WARNING);
		_exit(0);
	}
	assert_int_equal(status_of(follower.process), 0);
	log_page_leave(level);
	(void)close(fd);
}

/* As before the tests: not shared yet. */
static void test_alone(void **state)
{
	(void)state;
	assert_int_equal(log_shared(), -1);
	log_set_level(LOG_LEVEL_WARNING);
	log_share();
	assert_true(log_shared() >= 0);
	assert_int_equal(log_get_level(), LOG_LEVEL_WARNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_nothing_is_left),
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_no_page),
		cmocka_unit_test(test_odd_numbers),
	};

	unsetenv("JOURNAL_STREAM");
	log_init("program", LOG_LEVEL_INFO);
	return cmocka_run_group_tests_name("base-log-page", tests, NULL, NULL);
}
