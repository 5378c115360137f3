/*
 * Which cards guests have used and nobody has reset yet, in a file that outlives us. A worker
 * resets the card that it gives up, and a cleaner that of a worker that was killed; when all of
 * the bridge is killed at once, the next one finds here what is left to reset.
 *
 * A card is noted before the first command reaches it, and struck out when it is reset. The file's
 * room is taken when it is opened, so that a disk that gets full later can't come between.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "relay/wire.h"

#define USED_CARDS_MAX 64 /* cards in use at a time, of all guests together */

struct used_card {
	char guest[WIRE_NAME_MAX]; /* empty: the place is free */
	char reader[WIRE_NAME_MAX];
};

struct used_cards {
	int fd;
	char *path;
	struct used_card cards[USED_CARDS_MAX];
};

enum {
	USED_CARDS_BAD = 1,  /* open: why says what is wrong */
	USED_CARDS_FULL = 2, /* note: no place is left, or it can't be written; it is logged */
};

/* What used_cards_close() may be called on. */
#define USED_CARDS_NULL ((struct used_cards){ .fd = -1 })

/*
 * Opens the file, makes it if it is missing, and reads what an earlier bridge has left. Returns 0
 * or USED_CARDS_BAD; then why, of why_size bytes, is set. Fatal: -ENOMEM.
 */
int used_cards_open(struct used_cards *cards, const char *path, char *why, size_t why_size);

/*
 * Notes a card that is about to be used; *place is for used_cards_strike(). Returns 0 or
 * USED_CARDS_FULL: then it must not be used.
 */
int used_cards_note(struct used_cards *cards, const char *guest, const char *reader, size_t *place);

/* The card was reset. */
void used_cards_strike(struct used_cards *cards, size_t place);

/* Closes, and removes the file if it is empty. May be called twice. */
void used_cards_close(struct used_cards *cards);
