/*
 * Readers without a guest, that have nothing to do but to be cleaned. See leftovers.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/leftovers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* Nobody makes calls here. */
static void on_complete(void *context, const struct wire_reply *reply)
{
	(void)context;
	(void)reply;
}

int leftovers_start(struct leftovers *leftovers, uv_loop_t *loop,
	struct used_cards *cards)
{
	const struct guest_reader_owner owner = { .complete = on_complete };

	for (size_t i = 0; i < USED_CARDS_MAX; i++) {
		const struct used_card *card = &cards->cards[i];
		struct leftover *leftover = &leftovers->list[leftovers->count];
		struct wire_reader reader = { .id = 0 };

		if (card->guest[0] == '\0')
			continue;
		memcpy(leftover->guest, card->guest, sizeof leftover->guest);
		memcpy(reader.name, card->reader, sizeof reader.name);
		leftover->reader = guest_reader_new(&owner, loop, leftover->guest,
			(struct share){ .mode = SHARE_SHARED }, cards, &reader);
		if (leftover->reader == NULL)
			return -ENOMEM;
		leftovers->count++;
		log_warning(leftover->guest, "%s: the bridge before this one left the card used; "
			"it is reset", reader.name);
		guest_reader_clean(leftover->reader, i);
	}
	return 0;
}

bool leftovers_hold(const struct leftovers *leftovers, const char *reader)
{
	for (size_t i = 0; i < leftovers->count; i++) {
		const struct guest_reader *left = leftovers->list[i].reader;

		if (left->dirty && strcmp(left->name, reader) == 0)
			return true;
	}
	return false;
}

void leftovers_tick(struct leftovers *leftovers, uint64_t now)
{
	for (size_t i = 0; i < leftovers->count; i++)
		guest_reader_tick(leftovers->list[i].reader, now);
}

uint64_t leftovers_deadline(const struct leftovers *leftovers)
{
	uint64_t deadline = SESSION_NEVER;

	for (size_t i = 0; i < leftovers->count; i++) {
		if (leftovers->list[i].reader->deadline < deadline)
			deadline = leftovers->list[i].reader->deadline;
	}
	return deadline;
}

void leftovers_shut(struct leftovers *leftovers)
{
	for (size_t i = 0; i < leftovers->count; i++)
		guest_reader_shut(leftovers->list[i].reader);
}

bool leftovers_are_busy(const struct leftovers *leftovers)
{
	for (size_t i = 0; i < leftovers->count; i++) {
		if (leftovers->list[i].reader->child != NULL)
			return true;
	}
	return false;
}

void leftovers_deinit(struct leftovers *leftovers)
{
	for (size_t i = 0; i < leftovers->count; i++)
		guest_reader_free(leftovers->list[i].reader);
	leftovers->count = 0;
}
