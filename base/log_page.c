/*
 * A sealed memfd. See log_page.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/log_page.h"

#include "base/error.h"

#ifdef __linux__

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux 6.3 has it, and from then on says so in its log of each program that doesn't use it. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define NAME "ccid-log-level" /* in /proc/PID/maps */
#define SIZE sizeof(atomic_int)
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE)

static int page_create(void)
{
	int fd = memfd_create(NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	/* An older kernel doesn't know the flag. */
	return fd < 0 && errno == EINVAL ? memfd_create(NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

static int page_map(int fd, int protection, void **page)
{
	*page = mmap(NULL, SIZE, protection, MAP_SHARED, fd, 0);
	return *page != MAP_FAILED ? 0 : error_from_errno();
}

int log_page_make(int *fd, atomic_int **level)
{
	void *page;
	int r;

	*fd = page_create();
	if (*fd < 0)
		return error_from_errno();
	r = ftruncate(*fd, SIZE) == 0 ? 0 : error_from_errno();
	if (r == 0)
		r = page_map(*fd, PROT_READ | PROT_WRITE, &page);
	if (r == 0 && fcntl(*fd, F_ADD_SEALS, SEALS) != 0) {
		r = error_from_errno();
		log_page_leave(page);
	}
	if (r == 0) {
		*level = page;
		return 0;
	}
	(void)close(*fd);
	*fd = -1;
	return r;
}

/* Its size can't change any more, so that no look at the page fails. */
static int page_verify(int fd)
{
	struct stat file;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 && errno == EBADF)
		return LOG_PAGE_NONE;
	if (seals < 0 || (seals & SEALS) != SEALS)
		return LOG_PAGE_UNKNOWN;
	if (fstat(fd, &file) != 0)
		return error_from_errno();
	return file.st_size == SIZE ? 0 : LOG_PAGE_UNKNOWN;
}

int log_page_map(int fd, const atomic_int **level)
{
	void *page;
	int r = page_verify(fd);

	if (r == 0)
		r = page_map(fd, PROT_READ, &page);
	if (r == 0)
		*level = page;
	return r;
}

void log_page_leave(atomic_int *level)
{
	(void)munmap(level, SIZE);
}

#else

int log_page_make(int *fd, atomic_int **level)
{
	*fd = -1;
	*level = NULL;
	return -ENOSYS;
}

int log_page_map(int fd, const atomic_int **level)
{
	(void)fd;
	(void)level;
	return LOG_PAGE_NONE;
}

void log_page_leave(atomic_int *level)
{
	(void)level;
}

#endif
