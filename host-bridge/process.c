/*
 * The start of a child. See process.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/log.h"

/* Whether fd is a stream socket between two processes of this machine. */
static int is_channel(int fd)
{
	struct sockaddr_storage address;
	socklen_t address_size = sizeof address;
	int type;
	socklen_t type_size = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 && type == SOCK_STREAM &&
		getpeername(fd, (struct sockaddr *)&address, &address_size) == 0 &&
		address.ss_family == AF_UNIX;
}

int process_adopt(const char *name)
{
	if (!is_channel(PROCESS_CHANNEL))
		return PROCESS_NO_CHANNEL;
	(void)fcntl(PROCESS_CHANNEL, F_SETFD, FD_CLOEXEC);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
#ifdef __linux__
	/* Started through /proc/self/exe, it would be called "exe". */
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
#else
	(void)name;
#endif
	log_follow(PROCESS_LEVEL);
	return 0;
}

void process_die_with_parent(void)
{
#ifdef __linux__
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
#endif
}

const char *process_self(char *text, size_t size)
{
#ifdef __linux__
	/* Also after an upgrade has replaced the file: both ends of a pipe are of one version. */
	(void)text;
	(void)size;
	return "/proc/self/exe";
#else
	return uv_exepath(text, &size) == 0 ? text : "";
#endif
}
