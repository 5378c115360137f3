/*
 * The times of a transaction. See hold.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/hold.h"

#include <stddef.h>
#include <string.h>

static const char *const share_names[] = {
	[SHARE_SHARED] = "shared",
	[SHARE_TRANSACTION] = "transaction",
	[SHARE_EXCLUSIVE] = "exclusive",
};

int share_by_name(const char *name, enum share_mode *mode)
{
	for (size_t i = 0; i < sizeof share_names / sizeof share_names[0]; i++) {
		if (strcmp(share_names[i], name) == 0) {
			*mode = (enum share_mode)i;
			return 0;
		}
	}
	return -1;
}

const char *share_name(enum share_mode mode)
{
	return share_names[mode];
}

unsigned int hold_pause(const struct hold *hold, uint64_t now)
{
	return hold->paused > now ? (unsigned int)(hold->paused - now) : 0;
}

unsigned int hold_look(struct hold_wait *wait, uint64_t now, bool busy)
{
	bool was_long = wait->busy && now >= wait->busy_since + HOLD_LONG;

	if (busy && !wait->busy)
		wait->busy_since = now;
	wait->busy = busy;
	if (busy)
		return HOLD_POLL;
	if (!was_long || wait->yields >= HOLD_YIELDS)
		return 0;
	return HOLD_YIELD - HOLD_YIELD_LESS * wait->yields++;
}

bool hold_is_wanted(const struct hold *hold)
{
	return hold->share.mode == SHARE_TRANSACTION && !hold->held;
}

void hold_begun(struct hold *hold, uint64_t now)
{
	hold->held = true;
	if (hold->ended == 0 || now >= hold->ended + HOLD_PAUSE)
		hold->began = now;
	hold->used = now;
	hold->paused = 0;
}

void hold_touch(struct hold *hold, uint64_t now)
{
	hold->used = now;
}

uint64_t hold_deadline(const struct hold *hold)
{
	uint64_t idle = hold->used + hold->share.hold;
	uint64_t max = hold->began + hold->share.hold_max;

	if (!hold->held)
		return HOLD_NEVER;
	return idle < max ? idle : max;
}

bool hold_is_due(const struct hold *hold, uint64_t now, bool anew)
{
	uint64_t age = anew ? hold->share.hold_max / 2 : hold->share.hold_max;

	return hold->held && (now >= hold->used + hold->share.hold || now >= hold->began + age);
}

void hold_ended(struct hold *hold, uint64_t now)
{
	if (!hold->held)
		return;
	/* Not if it was idle for long enough: whoever waited has been let in, or is now. */
	if (now < hold->used + hold->share.hold && now >= hold->began + hold->share.hold_max / 2)
		hold->paused = now + HOLD_PAUSE;
	hold->ended = now;
	hold->held = false;
}
