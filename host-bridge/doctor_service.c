/*
 * Whether pcscd lets the service in. pcscd since 2.0 asks polkit, which allows root everything, and the
 * service's user only what a rule says; so root's doctor must ask as that user. See doctor_parts.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host-bridge/doctor_parts.h"

#define SERVICE_USER "ccid-bridge" /* that of ccid-bridge.service and of the rule */
#define ANSWER_LIMIT 10            /* s that pcscd has for an answer */

enum {
	SERVICE_ALLOWED,
	SERVICE_REFUSED,
	SERVICE_UNKNOWN,
};

/* In a process of its own, whose exit status it is. */
static int ask(const struct passwd *user, const struct pcsc_functions *pcsc)
{
	SCARDCONTEXT context;
	LONG r;

	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(ANSWER_LIMIT);
	if (initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
		setuid(user->pw_uid) != 0)
		return SERVICE_UNKNOWN;
	r = pcsc->establish_context(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
	if (r == SCARD_S_SUCCESS)
		(void)pcsc->release_context(context);
	if (r == SCARD_S_SUCCESS)
		return SERVICE_ALLOWED;
	return r == SCARD_W_SECURITY_VIOLATION ? SERVICE_REFUSED : SERVICE_UNKNOWN;
}

static int ask_as(const struct passwd *user, const struct pcsc_functions *pcsc)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(ask(user, pcsc));
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return SERVICE_UNKNOWN;
	return WEXITSTATUS(status);
}

void doctor_service(struct checkup *checkup, const struct pcsc_functions *pcsc)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam(SERVICE_USER) : NULL;

	/* Only root can ask as another, and there may be no service on this machine. */
	if (user == NULL)
		return;
	(void)fflush(checkup->out);
	switch (ask_as(user, pcsc)) {
	case SERVICE_ALLOWED:
		checkup_ok(checkup, "service", "pcscd lets user " SERVICE_USER " in");
		break;
	case SERVICE_REFUSED:
		if (access(POLKIT_RULE, R_OK) != 0)
			checkup_problem(checkup, "service", "apt install --reinstall ccid-bridge",
				"pcscd refuses user " SERVICE_USER ": polkit's rule for it, "
				POLKIT_RULE ", is missing");
		else
			checkup_problem(checkup, "service", "systemctl status polkit; journalctl -b -u pcscd",
				"pcscd refuses user " SERVICE_USER ", though polkit's rule for it, "
				POLKIT_RULE ", is there: polkit doesn't run, or another rule is before it");
		break;
	default:
		checkup_unknown(checkup, "service", "pcscd has not answered user " SERVICE_USER);
		break;
	}
}
