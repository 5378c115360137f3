/*
 * The rules of one direction. See faults.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/faults/faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void faults_init(struct faults *faults)
{
	memset(faults, 0, sizeof(*faults));
	faults->last = &faults->first;
}

void faults_deinit(struct faults *faults)
{
	faults_discard(faults);
}

static void faults_append(struct faults *faults, struct frame *frame)
{
	frame->next = NULL;
	*faults->last = frame;
	faults->last = &frame->next;
	faults->queued++;
}

static bool is_nth(unsigned long count, unsigned int every)
{
	return every != 0 && count % every == 0;
}

/* The one that was put aside goes behind the one that has just been appended. */
static void faults_append_aside(struct faults *faults)
{
	struct frame *aside = faults->aside;

	if (aside == NULL)
		return;
	faults->aside = NULL;
	faults->queued--;
	faults_append(faults, aside);
}

int faults_take(struct faults *faults, uint64_t now, struct frame *frame)
{
	struct frame *copy = NULL;

	frame->due = now + faults->rules.delay;
	if (frame->marked && faults->state == FAULTS_WAITING)
		faults->state = FAULTS_HOLDING;
	faults->frames++;
	if (is_nth(faults->frames, faults->rules.drop)) {
		faults->lost++;
		free(frame);
		return 0;
	}
	if (is_nth(faults->frames, faults->rules.duplicate)) {
		copy = frame_copy(frame);
		if (copy == NULL)
			return -ENOMEM;
	}
	if (is_nth(faults->frames, faults->rules.reorder) && faults->aside == NULL) {
		faults->aside = frame;
		faults->queued++;
	} else {
		faults_append(faults, frame);
		faults_append_aside(faults);
	}
	if (copy != NULL)
		faults_append(faults, copy);
	return 0;
}

static bool faults_blocked(const struct faults *faults)
{
	return faults->first == NULL || faults->state == FAULTS_HOLDING;
}

struct frame *faults_next(struct faults *faults, uint64_t now)
{
	struct frame *frame = faults->first;

	if (faults_blocked(faults) || now < frame->due)
		return NULL;
	faults->first = frame->next;
	if (faults->first == NULL)
		faults->last = &faults->first;
	faults->queued--;
	return frame;
}

uint64_t faults_deadline(const struct faults *faults)
{
	return faults_blocked(faults) ? FAULTS_NEVER : faults->first->due;
}

void faults_hold(struct faults *faults)
{
	faults->state = FAULTS_WAITING;
}

void faults_release(struct faults *faults)
{
	faults->state = FAULTS_PASSING;
}

void faults_discard(struct faults *faults)
{
	struct frame *next;

	for (struct frame *frame = faults->first; frame != NULL; frame = next) {
		next = frame->next;
		free(frame);
	}
	free(faults->aside);
	faults->aside = NULL;
	faults->first = NULL;
	faults->last = &faults->first;
	faults->lost += faults->queued;
	faults->queued = 0;
}
