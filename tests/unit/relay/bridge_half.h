/*
 * The bridge's half of a session for the player: what its lines say to it, and how its frames and events
 * are told. See player.h for conversations and wire_text.h for frames.
 *
 *     in FRAME, ignored FRAME       a frame comes; it is taken, or not for this session
 *     complete session=7 REPLY      core says what a call has come to
 *     readers FIELDS                core says which readers there are
 *     identity 7                    the number that the next session will get
 *     out FRAME                     it sends a frame
 *     event up, down, contested, execute    what it tells core
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "relay/session.h"

/* The half, and the number that the next session will get. */
struct bridge_half {
	struct bridge_session *session;
	uint64_t identity;
};

/* A frame comes; returns what the half makes of it. */
int bridge_half_receive(struct bridge_half *bridge, uint64_t now, const char *text);

/* Plays the lines up to a NULL with a new half, whose first session will be number 7. */
void bridge_half_play(const char *const *conversation);

#define CONVERSATION(name, ...) \
	static void name(void **state) \
	{ \
		static const char *const conversation[] = { __VA_ARGS__, NULL }; \
		(void)state; \
		bridge_half_play(conversation); \
	}

/* How most conversations begin. */
#define OPENED \
	"0 in HELLO guest_boot=a incarnation=1 guest='vm1'", \
	"0 out WELCOME session=7 bridge_boot=b1 incarnation=1", \
	"0 in PING session=7", \
	"0 event up session=7", \
	"0 out PONG session=7"
