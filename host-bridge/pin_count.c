/*
 * One counter of tries. See pin_count.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/pin_count.h"

#include <stdbool.h>
#include <string.h>

struct pin_count *pin_count_use(struct pin_count *count)
{
	if ((count->flags & PIN_COUNT_USED) == 0)
		*count = (struct pin_count){
			.left = PIN_COUNT_ASSUMED,
			.best = PIN_COUNT_ASSUMED,
			.floor = UINT8_MAX,
			.flags = PIN_COUNT_USED,
		};
	return count;
}

static bool is_crossed(const struct pin_count *count)
{
	return (count->flags & PIN_COUNT_CROSSED) != 0;
}

/* Whether it may be of the PIN that is meant in this selection, and of no other. */
static bool is_own(const struct pin_count *count, uint32_t selection)
{
	return (count->flags & PIN_COUNT_FALLEN) == 0 || count->selection == selection;
}

/* What is known of it in this selection. More than assumed is known only where it was said. */
uint8_t pin_count_left(const struct pin_count *count, uint32_t selection)
{
	if (!is_own(count, selection) && count->left > PIN_COUNT_ASSUMED)
		return PIN_COUNT_ASSUMED;
	return count->left;
}

static uint8_t lesser(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

/* Something is learned here: so it is here that it may rise again, to best. */
static void count_set(struct pin_count *count, uint32_t selection, uint8_t left, uint8_t best)
{
	if (!is_own(count, selection))
		count->floor = pin_count_left(count, selection);
	count->left = lesser(left, count->floor);
	count->best = lesser(best, count->floor);
	count->selection = selection;
	count->flags |= PIN_COUNT_FALLEN;
}

/* What it may have had at best, before anything is learned here. */
static uint8_t best_here(const struct pin_count *count, uint32_t selection)
{
	return is_own(count, selection) ? count->best : PIN_COUNT_ASSUMED;
}

void pin_count_take(struct pin_count *count, uint32_t selection)
{
	uint8_t left = pin_count_left(count, selection);

	count_set(count, selection, left > 0 ? (uint8_t)(left - 1) : 0, best_here(count, selection));
}

void pin_count_told(struct pin_count *count, uint32_t selection, uint8_t left, uint8_t best)
{
	bool own = is_own(count, selection);

	if (left >= pin_count_left(count, selection) && (!own || is_crossed(count)))
		return;
	if (own && (count->flags & PIN_COUNT_FALLEN) != 0 && count->best > best)
		best = count->best;
	count_set(count, selection, left, best);
}

void pin_count_blocked(struct pin_count *count, uint32_t selection)
{
	count_set(count, selection, 0, best_here(count, selection));
}

void pin_count_restored(struct pin_count *count, uint32_t selection)
{
	if (is_own(count, selection) && !is_crossed(count) && count->left < count->best)
		count->left = count->best;
}

void pin_count_depart(struct pin_count *count)
{
	if (count->pending < UINT8_MAX)
		count->pending++;
	if (count->pending > 1)
		count->flags |= PIN_COUNT_CROSSED;
}

void pin_count_arrive(struct pin_count *count)
{
	if (count->pending > 0)
		count->pending--;
}

void pin_count_settle(struct pin_count *count)
{
	if (count->pending == 0)
		count->flags &= (uint8_t)~PIN_COUNT_CROSSED;
}

void pin_count_recall(struct pin_count *count)
{
	if ((count->flags & PIN_COUNT_USED) == 0) {
		memset(count, 0, sizeof *count);
		return;
	}
	count->flags &= PIN_COUNT_USED | PIN_COUNT_FALLEN;
	for (; count->pending > 0; count->pending--)
		pin_count_take(count, count->selection);
}
