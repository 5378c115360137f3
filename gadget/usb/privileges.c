/*
 * setresuid(2), capset(2), prctl(2). See privileges.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

#define CAPABILITIES_MAX 64

struct capabilities {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static void capabilities_add(struct capabilities *set, unsigned int capability)
{
	set->data[CAP_TO_INDEX(capability)].permitted |= CAP_TO_MASK(capability);
	set->data[CAP_TO_INDEX(capability)].effective |= CAP_TO_MASK(capability);
}

/* What no program started from here could get back. Those that the kernel doesn't know say EINVAL. */
static void capabilities_unbind(const struct capabilities *keep)
{
	for (unsigned int i = 0; i < CAPABILITIES_MAX; i++) {
		if ((keep->data[CAP_TO_INDEX(i)].permitted & CAP_TO_MASK(i)) == 0)
			(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	}
}

static int capabilities_set(struct capabilities *set)
{
	struct capabilities now = { .header = set->header };

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_capset, &set->header, set->data) != 0 ||
	    syscall(SYS_capget, &now.header, now.data) != 0)
		return error_from_errno();
	return memcmp(now.data, set->data, sizeof(now.data)) == 0 ? 0 : -EPERM;
}

int privileges_keep(const unsigned int *capabilities, size_t count)
{
	struct capabilities set = { .header = { .version = _LINUX_CAPABILITY_VERSION_3 } };

	for (size_t i = 0; i < count; i++)
		capabilities_add(&set, capabilities[i]);
	capabilities_unbind(&set);
	return capabilities_set(&set);
}

int privileges_drop(uid_t user, gid_t group)
{
	struct capabilities none = { .header = { .version = _LINUX_CAPABILITY_VERSION_3 } };
	uid_t real, effective, saved;

	capabilities_unbind(&none);
	if (setgroups(0, NULL) != 0 || setresgid(group, group, group) != 0 ||
	    setresuid(user, user, user) != 0 || getresuid(&real, &effective, &saved) != 0)
		return error_from_errno();
	if (real != user || effective != user || saved != user)
		return -EPERM;
	return capabilities_set(&none);
}
