/*
 * The front's sandbox. See sandbox.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/capability.h>
#include <malloc.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "base/harden.h"

/* Descriptors, and how many of them must be free. A guest takes one. */
#define DESCRIPTORS_MAX 512
#define DESCRIPTORS_SPARE 16

/*
 * nanomsg keeps 70 KiB for each peer that stays in the middle of a message, so 512 take 36 MB; a
 * peer that vanishes during the handshake costs 4 kB for ever. The rest is the thread's stack of 8
 * MB.
 */
#define DATA_MAX (64ul * 1024 * 1024)
#define ADDRESS_SPACE_MAX (256ul * 1024 * 1024)

/* glibc has an enum for it, and clang takes none for another. */
#ifdef __GLIBC__
typedef __rlimit_resource_t limited;
#else
typedef int limited;
#endif

static void set_limit(limited resource, rlim_t value)
{
	struct rlimit limit = { value, value };
	struct rlimit before;

	if (getrlimit(resource, &before) == 0 && before.rlim_max < value)
		limit.rlim_cur = limit.rlim_max = before.rlim_max;
	(void)setrlimit(resource, &limit);
}

#ifdef __linux__

static void drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0, 0, 0 } };

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	(void)syscall(SYS_capset, &header, none);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void sandbox_limit(int first_unused)
{
	drop_privileges();
	(void)syscall(SYS_close_range, (unsigned int)first_unused, ~0u, 0u);
	set_limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
	if (harden_is_traceable())
		return;
	/* One for both threads: each further one would reserve 128 MB of addresses. */
	(void)mallopt(M_ARENA_MAX, 1);
	set_limit(RLIMIT_DATA, DATA_MAX);
	set_limit(RLIMIT_AS, ADDRESS_SPACE_MAX);
}

/* What nanomsg's two threads, malloc, the log and abort() use, in Debian 12 and 13. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(shutdown), SCMP_SYS(close),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64),
	SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
	SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(sched_yield),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday),
	SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64),
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall), SCMP_SYS(rseq), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* A call with this value as one of its arguments (0 is the first). Returns as libseccomp. */
static int allow_if(scmp_filter_ctx filter, int call, unsigned int argument, scmp_datum_t value)
{
	const struct scmp_arg_cmp is = {
		.arg = argument,
		.op = SCMP_CMP_EQ,
		.datum_a = value,
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &is);
}

/*
 * What is allowed in part: where the front is no user of its own, core must be out of reach of its
 * signals, and so of what has a descriptor send signals (F_SETOWN, FIOSETOWN). Returns as libseccomp.
 */
static int allow_some(scmp_filter_ctx filter)
{
	static const scmp_datum_t commands[] = {
		F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
	};
	int r = allow_if(filter, SCMP_SYS(tgkill), 0, (scmp_datum_t)getpid());

	for (size_t i = 0; i < sizeof commands / sizeof commands[0] && r == 0; i++) {
		r = allow_if(filter, SCMP_SYS(fcntl), 1, commands[i]);
		if (r == 0)
			r = allow_if(filter, SCMP_SYS(fcntl64), 1, commands[i]);
	}
	return r == 0 ? allow_if(filter, SCMP_SYS(ioctl), 1, FIONREAD) : r;
}

int sandbox_filter(void)
{
	scmp_filter_ctx filter;
	int r = 0;

	if (harden_is_traceable())
		return 0;
	/* As on a kernel that is too old for the call: libc can do without. */
	filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (filter == NULL)
		return -ENOMEM;
	/* nanomsg's thread runs already. */
	r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0] && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (r == 0)
		r = allow_some(filter);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

#else

void sandbox_limit(int first_unused)
{
	(void)first_unused;
	set_limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
}

int sandbox_filter(void)
{
	return 0;
}

#endif

/* The lowest free number is the number of those in use, as we leave no holes for long. */
bool sandbox_is_full(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return true;
	(void)close(fd);
	return fd >= DESCRIPTORS_MAX - DESCRIPTORS_SPARE;
}
