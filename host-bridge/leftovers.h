/*
 * The cards that an earlier bridge left used when it was killed with all of its processes: a
 * cleaner resets each, again and again until it is done, and no guest gets it before that.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "host-bridge/guest_reader.h"
#include "host-bridge/used_cards.h"

struct leftover {
	char guest[WIRE_NAME_MAX]; /* who left it */
	struct guest_reader *reader;
};

struct leftovers {
	struct leftover list[USED_CARDS_MAX];
	size_t count;
};

/* Starts a cleaner for each card of cards; leftovers is all 0. Fatal: -ENOMEM. */
int leftovers_start(struct leftovers *leftovers, uv_loop_t *loop,
	struct used_cards *cards);

/* Whether the card in this reader still has to be reset. */
bool leftovers_hold(const struct leftovers *leftovers, const char *reader);

/* Time has passed, and when to come again, ms of the loop's clock. */
void leftovers_tick(struct leftovers *leftovers, uint64_t now);
uint64_t leftovers_deadline(const struct leftovers *leftovers);

/* The bridge ends; the loop has to go on while they are busy. */
void leftovers_shut(struct leftovers *leftovers);
bool leftovers_are_busy(const struct leftovers *leftovers);

/* Frees. May be called twice. */
void leftovers_deinit(struct leftovers *leftovers);
