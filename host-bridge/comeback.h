/*
 * A guest that could not have a card, because another program had it, is shown its removal and
 * insertion when it is free: a driver that was refused once doesn't try again by itself.
 *
 *     content    nothing to do
 *     late       SCardConnect took longer than the guest's driver waits: if the card is let go at
 *                once, the driver has been told that it doesn't answer. One that is always slow
 *                comes back once
 *     refused    the card was busy; whether it still is, is asked every second
 *
 * No card is touched for this: that nobody has it exclusively is known from the monitor, and that no
 * worker of ours waits for it, from that worker. It promises nothing: the next connect may be refused
 * again. Sans-I/O.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/wire.h"

#define COMEBACK_LATE 4000   /* ms; CCID drivers wait 5 s for IccPowerOn, ccid-gadget a bit less */
#define COMEBACK_FIRST 2500  /* ms to the first look: the monitor may be a slice behind */
#define COMEBACK_AGAIN 1000  /* ms to the next ones */

enum comeback_state {
	COMEBACK_CONTENT,
	COMEBACK_LATE_CONNECT,
	COMEBACK_REFUSED,
};

struct comeback {
	enum comeback_state state;
	bool late_again;    /* it has come back because of a late connect: the next one is let go */
	bool exclusive;     /* set by the owner: some program has the card exclusively */
	uint32_t count;     /* how often it has come back: to be added to the insertion number */
	uint64_t check_at;  /* ms; SESSION_NEVER unless refused */
};

void comeback_init(struct comeback *comeback);

/* The session is over. The count stays. */
void comeback_forget(struct comeback *comeback);

/* A call has ended, that has taken so many ms. */
void comeback_note(struct comeback *comeback, uint64_t now, uint8_t operation, uint8_t outcome,
	uint64_t duration);

/*
 * Time has passed: call it when now >= check_at. unoccupied: no process of ours waits for the card.
 * Returns whether the card comes back now: count has grown.
 */
bool comeback_check(struct comeback *comeback, uint64_t now, bool unoccupied);
