/*
 * What happens to the frames of one direction of a link: they are delayed, lost, repeated, change
 * places, or are held until somebody lets them go. Frames and the time go in, frames that are due
 * come out; the same frames with the same rules always come out the same.
 *
 * The queue belongs to the direction, not to a connection: a frame that is held while its
 * connection ends is delivered over the next one, as a late frame. Greetings are the connection's,
 * not ours.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "tests/faults/frames.h"

#define FAULTS_NEVER UINT64_MAX

/* Each "every" counts the frames of this direction; 0 is never. */
struct faults_rules {
	unsigned int delay;     /* ms for each frame */
	unsigned int drop;      /* every n-th is lost */
	unsigned int duplicate; /* every n-th comes twice */
	unsigned int reorder;   /* every n-th changes places with the one behind it */
};

/*
 *     PASSING  --- faults_hold() ------------> WAITING
 *     WAITING  --- a marked frame comes -----> HOLDING   that frame and all behind it stay
 *     any      --- faults_release() ---------> PASSING
 */
enum faults_state {
	FAULTS_PASSING,
	FAULTS_WAITING,
	FAULTS_HOLDING,
};

struct faults {
	struct faults_rules rules;
	enum faults_state state;
	struct frame *first;
	struct frame **last;  /* where the next one is linked */
	struct frame *aside;  /* waits for the one that goes before it */
	unsigned long frames; /* that came */
	unsigned long lost;
	unsigned long queued; /* that have not gone on yet, the one aside included */
};

void faults_init(struct faults *faults);
void faults_deinit(struct faults *faults);

/* A frame has come; it belongs to faults from now on. Fatal: -ENOMEM. */
int faults_take(struct faults *faults, uint64_t now, struct frame *frame);

/* The next frame that is due, the caller's to free; NULL if there is none. */
struct frame *faults_next(struct faults *faults, uint64_t now);

/* When the next one is due; FAULTS_NEVER. */
uint64_t faults_deadline(const struct faults *faults);

/* The next marked frame, and all behind it, is to stay. */
void faults_hold(struct faults *faults);

/* Nothing is held any more. */
void faults_release(struct faults *faults);

/* All that waits is lost. */
void faults_discard(struct faults *faults);
