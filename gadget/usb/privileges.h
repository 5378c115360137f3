/*
 * Rights that a process gives up, for good.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <sys/types.h>

/*
 * Becomes that user and group, without any other group, without capabilities, and with no way to get
 * any (PR_SET_NO_NEW_PRIVS). All of it is looked at afterwards: a right that could not be given up is
 * an error. Fatal: -errno.
 */
int privileges_drop(uid_t user, gid_t group);

/*
 * Stays the user that it is, with these capabilities (of linux/capability.h) and no other. Fatal:
 * -errno.
 */
int privileges_keep(const unsigned int *capabilities, size_t count);
