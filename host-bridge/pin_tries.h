/*
 * The PIN guard's memory in a file, mapped into core: what a guest has used of a card's tries is known
 * to the next bridge, too, however this one ended. A verification is in it before it is sent.
 *
 * The file lies in a run folder, and is gone when the host is started anew, as is all that is no more
 * than a memory. It holds no PIN: ATRs, references, counters. Its room is taken when it is opened.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>

#include "host-bridge/pin_guard.h"

struct pin_tries {
	int fd;
	char *path;
	struct pin_tries_file *file;
	struct pin_guard *guard; /* within the file, or in memory alone */
};

/* What pin_tries_close() may be called on. */
#define PIN_TRIES_NULL ((struct pin_tries){ .fd = -1 })

enum {
	PIN_TRIES_BAD = 1, /* why says what is wrong */
};

/* Without a file. Fatal: -ENOMEM. */
int pin_tries_forgetful(struct pin_tries *tries);

/*
 * Opens the file, makes it if it is missing, and recalls what it holds; one of another layout counts as
 * empty. Returns 0 or PIN_TRIES_BAD; then why, of why_size bytes, is set. Fatal: -ENOMEM.
 */
int pin_tries_open(struct pin_tries *tries, const char *path, char *why, size_t why_size);

/* Closes. The file stays, unless it holds nothing. May be called twice. */
void pin_tries_close(struct pin_tries *tries);
