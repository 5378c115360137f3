/*
 * Hardening of a process. See harden.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/harden.h"

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

/* LeakSanitizer has to trace the process; a build for tests holds no real PIN. gcc, then clang. */
#ifdef __SANITIZE_ADDRESS__
#define MAY_BE_TRACED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MAY_BE_TRACED true
#endif
#endif
#ifndef MAY_BE_TRACED
#define MAY_BE_TRACED false
#endif

void harden_process(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGPIPE, SIG_IGN);
#ifdef __linux__
	if (!harden_is_traceable())
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

bool harden_is_traceable(void)
{
	return MAY_BE_TRACED;
}
