/*
 * The file of tries: a head, and the guard's memory as it is. See pin_tries.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/pin_tries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "ccid-bridge tries 1\n"

struct pin_tries_file {
	char head[24];
	uint64_t size; /* of the whole, and so of the layout */
	struct pin_guard guard;
};

/* Returns 0 or an errno. */
static int open_file(struct pin_tries *tries)
{
	struct stat status;
	int r;

	tries->fd = open(tries->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (tries->fd < 0 || fstat(tries->fd, &status) != 0)
		return errno;
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid())
		return EEXIST;
	if (flock(tries->fd, LOCK_EX | LOCK_NB) != 0)
		return EBUSY;
	r = posix_fallocate(tries->fd, 0, (off_t)sizeof *tries->file);
	if (r != 0 && status.st_size == 0)
		(void)unlink(tries->path);
	return r;
}

/* Returns 0 or an errno. */
static int map_file(struct pin_tries *tries)
{
	static const char head[sizeof tries->file->head] = HEAD;
	void *file = mmap(NULL, sizeof *tries->file, PROT_READ | PROT_WRITE, MAP_SHARED, tries->fd, 0);

	if (file == MAP_FAILED)
		return errno;
	tries->file = file;
	tries->guard = &tries->file->guard;
	if (memcmp(tries->file->head, head, sizeof head) != 0 ||
	    tries->file->size != sizeof *tries->file) {
		memset(tries->file, 0, sizeof *tries->file);
		memcpy(tries->file->head, head, sizeof head);
		tries->file->size = sizeof *tries->file;
	}
	pin_guard_recall(tries->guard);
	return 0;
}

int pin_tries_forgetful(struct pin_tries *tries)
{
	*tries = PIN_TRIES_NULL;
	tries->guard = calloc(1, sizeof *tries->guard);
	return tries->guard != NULL ? 0 : -ENOMEM;
}

int pin_tries_open(struct pin_tries *tries, const char *path, char *why, size_t why_size)
{
	int r;

	*tries = PIN_TRIES_NULL;
	tries->path = strdup(path);
	if (tries->path == NULL)
		return -ENOMEM;
	r = open_file(tries);
	if (r == 0)
		r = map_file(tries);
	if (r == 0)
		return 0;
	(void)snprintf(why, why_size, "the memory of the PIN guard %s can't be kept: %s", path,
		r == EEXIST ? "it is no file of ours" :
		r == EBUSY ? "another ccid-bridge keeps it" : strerror(r));
	pin_tries_close(tries);
	return PIN_TRIES_BAD;
}

static bool is_empty(const struct pin_guard *guard)
{
	for (size_t i = 0; i < PIN_GUARD_CARDS; i++) {
		if (guard->cards[i].atr_size[0] != 0)
			return false;
	}
	return true;
}

void pin_tries_close(struct pin_tries *tries)
{
	if (tries->file == NULL) {
		free(tries->guard);
	} else {
		if (is_empty(tries->guard))
			(void)unlink(tries->path);
		(void)munmap(tries->file, sizeof *tries->file);
	}
	if (tries->fd >= 0)
		(void)close(tries->fd);
	free(tries->path);
	*tries = PIN_TRIES_NULL;
}
