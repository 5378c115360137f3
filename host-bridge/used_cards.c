/*
 * The file of used cards: places of one size, each free (zeros) or a guest's and a reader's name. A
 * place is written with one call, which a kill doesn't cut. It need not outlive a loss of power, as
 * no card does. See used_cards.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/used_cards.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static off_t place_offset(size_t place)
{
	return (off_t)(place * sizeof(struct used_card));
}

/* Returns whether the place was written. */
static bool write_place(struct used_cards *cards, size_t place)
{
	const struct used_card *card = &cards->cards[place];
	ssize_t n;

	do {
		n = pwrite(cards->fd, card, sizeof *card, place_offset(place));
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof *card)
		return true;
	log_error("bridge", "%s: %s", cards->path, n < 0 ? strerror(errno) : "cut");
	return false;
}

/* What was left there may be of any origin: the names end, and go nowhere but into arguments. */
static int read_places(struct used_cards *cards)
{
	ssize_t n = pread(cards->fd, cards->cards, sizeof cards->cards, 0);

	if (n != (ssize_t)sizeof cards->cards)
		return n < 0 ? errno : EIO;
	for (size_t i = 0; i < USED_CARDS_MAX; i++) {
		struct used_card *card = &cards->cards[i];

		card->guest[sizeof card->guest - 1] = '\0';
		card->reader[sizeof card->reader - 1] = '\0';
	}
	return 0;
}

/* Returns 0 or an errno. */
static int open_file(struct used_cards *cards)
{
	struct stat status;
	int r;

	cards->fd = open(cards->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (cards->fd < 0 || fstat(cards->fd, &status) != 0)
		return errno;
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid())
		return EEXIST;
	if (flock(cards->fd, LOCK_EX | LOCK_NB) != 0)
		return EBUSY;
	r = posix_fallocate(cards->fd, 0, (off_t)sizeof cards->cards);
	if (r != 0 && status.st_size == 0)
		(void)unlink(cards->path);
	return r != 0 ? r : read_places(cards);
}

int used_cards_open(struct used_cards *cards, const char *path, char *why, size_t why_size)
{
	int r;

	*cards = USED_CARDS_NULL;
	cards->path = strdup(path);
	if (cards->path == NULL)
		return -ENOMEM;
	r = open_file(cards);
	if (r == 0)
		return 0;
	(void)snprintf(why, why_size, "the list of used cards %s can't be kept: %s", path,
		r == EEXIST ? "it is no file of ours" :
		r == EBUSY ? "another ccid-bridge keeps it" : strerror(r));
	/* Not ours, or with places that were not read: nothing is removed. */
	if (cards->fd >= 0)
		(void)close(cards->fd);
	cards->fd = -1;
	used_cards_close(cards);
	return USED_CARDS_BAD;
}

int used_cards_note(struct used_cards *cards, const char *guest, const char *reader, size_t *place)
{
	for (size_t i = 0; i < USED_CARDS_MAX; i++) {
		struct used_card *card = &cards->cards[i];

		if (card->guest[0] != '\0')
			continue;
		(void)snprintf(card->guest, sizeof card->guest, "%s", guest);
		(void)snprintf(card->reader, sizeof card->reader, "%s", reader);
		*place = i;
		if (write_place(cards, i))
			return 0;
		memset(card, 0, sizeof *card);
		return USED_CARDS_FULL;
	}
	log_error(guest, "%s: %d cards are in use already", reader, USED_CARDS_MAX);
	return USED_CARDS_FULL;
}

void used_cards_strike(struct used_cards *cards, size_t place)
{
	memset(&cards->cards[place], 0, sizeof cards->cards[place]);
	/* If that fails, the next bridge resets a card once too often. */
	(void)write_place(cards, place);
}

static bool is_empty(const struct used_cards *cards)
{
	for (size_t i = 0; i < USED_CARDS_MAX; i++) {
		if (cards->cards[i].guest[0] != '\0')
			return false;
	}
	return true;
}

void used_cards_close(struct used_cards *cards)
{
	if (cards->fd >= 0 && is_empty(cards))
		(void)unlink(cards->path);
	if (cards->fd >= 0)
		(void)close(cards->fd);
	free(cards->path);
	*cards = USED_CARDS_NULL;
}
