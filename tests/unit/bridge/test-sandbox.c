/*
 * What a front that was taken over can't do any more, to core above all, which may be the same user; and
 * what it still must be able to do. Each attempt is made by a process of its own, behind the filter.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/harden.h"
#include "host-bridge/sandbox.h"

static int ends[2];

static long attempt_open(void)
{
	return open("/dev/null", O_RDONLY);
}

static long attempt_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long attempt_program(void)
{
	char *const words[] = { NULL };

	return execve("/bin/true", words, words);
}

static long attempt_kill(void)
{
	return kill(getppid(), 0);
}

static long attempt_signal_thread(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static long attempt_own(void)
{
	return fcntl(ends[0], F_SETOWN, getpid());
}

static long attempt_own_by_ioctl(void)
{
	int process = getpid();

	return ioctl(ends[0], FIOSETOWN, &process);
}

static long attempt_memory(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { &byte, 1 };

	return process_vm_readv(getppid(), &here, 1, &there, 1, 0);
}

static long use_flags(void)
{
	return fcntl(ends[0], F_GETFL);
}

static long use_count(void)
{
	int waiting;

	return ioctl(ends[0], FIONREAD, &waiting);
}

static long use_own_signal(void)
{
	return syscall(SYS_tgkill, getpid(), gettid(), 0);
}

static long use_socket(void)
{
	return send(ends[0], "x", 1, MSG_NOSIGNAL);
}

static const struct {
	const char *what;
	long (*attempt)(void);
	bool works;
} rows[] = {
	{ "a file", attempt_open, false },
	{ "a connection", attempt_socket, false },
	{ "another program", attempt_program, false },
	{ "a signal to core", attempt_kill, false },
	{ "a signal to a thread of core", attempt_signal_thread, false },
	{ "signals by a descriptor", attempt_own, false },
	{ "signals by a descriptor, otherwise", attempt_own_by_ioctl, false },
	{ "core's memory", attempt_memory, false },
	{ "flags of a descriptor", use_flags, true },
	{ "how much is waiting", use_count, true },
	{ "a signal to itself", use_own_signal, true },
	{ "its sockets", use_socket, true },
};

/* Exit status: 0 when the attempt works, its errno when not. */
static int status_of(long (*attempt)(void))
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0) {
		if (sandbox_filter() != 0)
			_exit(255);
		_exit(attempt() >= 0 ? 0 : errno);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_attempts(void **state)
{
	(void)state;
	if (harden_is_traceable())
		return; /* such a build has no filter */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("%s\n", rows[i].what);
		assert_int_equal(status_of(rows[i].attempt), rows[i].works ? 0 : ENOSYS);
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* nanomsg aborts, and that must end the process at once. */
static void test_abort(void **state)
{
	pid_t child = fork();
	int status = 0;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		harden_process();
		(void)sandbox_filter();
		abort();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_abort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
