/*
 * The level of the log as a page of memory that several processes have: one writes it, the others only
 * read it, and can't do more with the descriptor that they were given.
 *
 * The kernel sees to that (memfd_create(2)): the page is sealed when its writer has mapped it, so that
 * nobody maps it for writing any more, writes it, or makes it shorter under those who look at it. Where
 * there are no such seals there is no such page.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdatomic.h>

/* Makes a page, whose descriptor is close-on-exec and the caller's. Returns 0. Fatal: -errno. */
int log_page_make(int *fd, atomic_int **level);

enum {
	LOG_PAGE_NONE = 1,    /* there is no such descriptor */
	LOG_PAGE_UNKNOWN = 2, /* it is something else */
};

/*
 * Maps the page of another process, for reading, until this one ends; fd stays the caller's. Returns 0,
 * LOG_PAGE_NONE or LOG_PAGE_UNKNOWN. Fatal: -errno.
 */
int log_page_map(int fd, const atomic_int **level);

/* Unmaps what log_page_make() has mapped. The page is left to those who have it. */
void log_page_leave(atomic_int *level);
