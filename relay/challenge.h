/*
 * Another daemon wants the session of a guest: has the one that has it gone, or are there two? Both
 * have the guest's key, or its name, so only the owner of the session can tell, by a sign of life.
 *
 *     NONE     nobody else wants the session
 *     ASKED    somebody does: the owner is probed, SESSION_PROBES times
 *     HEARD    it has given a sign of life: the newcomer is refused when it says hello again, which
 *              begins another round
 *     SILENT   it has given none: the newcomer may have the session
 *
 * What counts are probes, not the time since the first: a bridge that has slept for a while looks at
 * the clock before it reads what the owner has answered meanwhile. However often somebody says hello,
 * the owner is probed once in SESSION_PROBE_INTERVAL.
 *
 * It refuses to give the session to anybody while the owner answers.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

enum challenge_state {
	CHALLENGE_NONE,
	CHALLENGE_ASKED,
	CHALLENGE_HEARD,
	CHALLENGE_SILENT,
};

/* Begins with zeros. */
struct challenge {
	enum challenge_state state;
	uint64_t guest_boot;  /* HEARD: of the newcomer */
	unsigned int probes;  /* ASKED: sent, and not answered */
	uint64_t next_at;     /* ms: the next probe, or the end */
};

enum challenge_verdict {
	CHALLENGE_WAIT,    /* nobody knows yet */
	CHALLENGE_REFUSE,  /* the owner is alive; another round begins */
	CHALLENGE_WELCOME, /* the owner is silent */
};

/* A newcomer says hello, while somebody else's session is open. */
enum challenge_verdict challenge_hello(struct challenge *challenge, uint64_t now,
	uint64_t guest_boot);

/* The owner was heard. Returns whether somebody wanted the session, who must not get it now. */
bool challenge_heard(struct challenge *challenge);

enum challenge_step {
	CHALLENGE_REST,    /* there is nothing to do */
	CHALLENGE_PROBE,   /* send the owner something that it must answer */
	CHALLENGE_DECIDED, /* it was SILENT for too long: welcome the newcomer */
};

/* Time has passed: call it when now >= challenge_deadline(). */
enum challenge_step challenge_tick(struct challenge *challenge, uint64_t now);

/* When to call challenge_tick() next, or SESSION_NEVER. */
uint64_t challenge_deadline(const struct challenge *challenge);

/* The session is over. Returns whether somebody waits for it. */
bool challenge_end(struct challenge *challenge);
