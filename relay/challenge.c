/*
 * See challenge.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/challenge.h"

#include "relay/session.h"

/* next_at is kept from the round before: no round probes sooner than its predecessor would have. */
static void ask(struct challenge *challenge, uint64_t now, uint64_t guest_boot)
{
	challenge->state = CHALLENGE_ASKED;
	challenge->guest_boot = guest_boot;
	challenge->probes = 0;
	if (challenge->next_at < now)
		challenge->next_at = now;
}

enum challenge_verdict challenge_hello(struct challenge *challenge, uint64_t now,
	uint64_t guest_boot)
{
	bool again = challenge->guest_boot == guest_boot;

	switch (challenge->state) {
	case CHALLENGE_NONE:
		/* It may be the owner's successor: that is soon known. */
		ask(challenge, now, guest_boot);
		break;
	case CHALLENGE_ASKED:
		/* The round goes on, whoever else comes. */
		break;
	case CHALLENGE_HEARD:
		/* The owner lives, but may have died since. */
		ask(challenge, now, guest_boot);
		return again ? CHALLENGE_REFUSE : CHALLENGE_WAIT;
	case CHALLENGE_SILENT:
		/* Nobody speaks for the session. */
		return CHALLENGE_WELCOME;
	}
	return CHALLENGE_WAIT;
}

bool challenge_heard(struct challenge *challenge)
{
	switch (challenge->state) {
	case CHALLENGE_NONE:
	case CHALLENGE_HEARD:
		/* Nobody waits for this. */
		break;
	case CHALLENGE_ASKED:
	case CHALLENGE_SILENT:
		/* The owner is there, if late. */
		challenge->state = CHALLENGE_HEARD;
		return true;
	}
	return false;
}

enum challenge_step challenge_tick(struct challenge *challenge, uint64_t now)
{
	if (challenge->state != CHALLENGE_ASKED || now < challenge->next_at)
		return CHALLENGE_REST;
	if (challenge->probes == SESSION_PROBES) {
		challenge->state = CHALLENGE_SILENT;
		return CHALLENGE_DECIDED;
	}
	challenge->probes++;
	challenge->next_at = now + SESSION_PROBE_INTERVAL;
	return CHALLENGE_PROBE;
}

uint64_t challenge_deadline(const struct challenge *challenge)
{
	return challenge->state == CHALLENGE_ASKED ? challenge->next_at : SESSION_NEVER;
}

bool challenge_end(struct challenge *challenge)
{
	bool awaited = challenge->state == CHALLENGE_ASKED;

	*challenge = (struct challenge){ .state = CHALLENGE_NONE };
	return awaited;
}
