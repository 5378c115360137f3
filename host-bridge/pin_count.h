/*
 * What the PIN guard remembers of one counter of a card: at least so many tries are left.
 *
 * It is kept for a reference, while an application is selected of which nobody here knows whether it has
 * a PIN of its own under this reference. So it may fall anywhere, and rises only in the selection in which
 * it fell: by the right PIN, to the most that it is known to have had there, or by the card's own word; and
 * not over what was left when it had fallen in another one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdint.h>

#define PIN_COUNT_ASSUMED 3 /* tries of a PIN of which nothing is known: no card in use has fewer */

/* All of it lies in a file; see pin_tries.h. All 0: nothing is known. */
struct pin_count {
	uint32_t selection; /* in which left has fallen last; 0: none was made */
	uint8_t left;       /* at least so many, if nothing is in flight */
	uint8_t best;       /* to which the right PIN raises it */
	uint8_t floor;      /* over which nothing raises it: what was left where it fell before */
	uint8_t pending;    /* verifications in flight */
	uint8_t flags;
};

enum {
	PIN_COUNT_USED = 1,     /* the other fields mean something */
	PIN_COUNT_FALLEN = 2,   /* left is not only assumed; selection says where that was learned */
	PIN_COUNT_ASKED = 4,    /* the guard's: asked in this insertion, while that was untried */
	PIN_COUNT_CROSSED = 8,  /* several were in flight at a time, and not all are back: it can't rise */
};

/* Begins, with what is assumed, if nothing is known. Returns count. */
struct pin_count *pin_count_use(struct pin_count *count);

/* What is known of it in this selection. */
uint8_t pin_count_left(const struct pin_count *count, uint32_t selection);

/* One try was used, as far as anybody knows. */
void pin_count_take(struct pin_count *count, uint32_t selection);

/* The card says that so many are left; it had best of them at some time. */
void pin_count_told(struct pin_count *count, uint32_t selection, uint8_t left, uint8_t best);

/* The card says that it is blocked. */
void pin_count_blocked(struct pin_count *count, uint32_t selection);

/* The right PIN: the card has given back all tries. */
void pin_count_restored(struct pin_count *count, uint32_t selection);

/*
 * A verification leaves, is back, and what it came to has been noted. When all are back, an answer is in
 * its place again.
 */
void pin_count_depart(struct pin_count *count);
void pin_count_arrive(struct pin_count *count);
void pin_count_settle(struct pin_count *count);

/* It was read from a file, which may hold anything: what was in flight is lost. */
void pin_count_recall(struct pin_count *count);
