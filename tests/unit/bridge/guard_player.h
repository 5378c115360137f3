/*
 * Conversations with the PIN guard, as tables: in each row a guest sends a command, the card answers what
 * the guard asks, and then the command, unless the guard has refused it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-bridge/pin_guard.h"

#define GUESTS 3

#define RIGHT "00 20 00 81 04 31323334"
#define WRONG RIGHT /* the guard can't tell them apart either */
#define ASK "00 20 00 81"
#define OTHER_PIN "00 20 00 82 04 31323334"
#define APPLICATION_1 "00 A4 04 00 02 A001"
#define APPLICATION_2 "00 A4 04 00 02 A002"

/*
 * command: an APDU; "open ATR", "move ATR" (in another reader, or insertion), "close", "restart" (of the
 * bridge, with what the file holds); "back" is the end of what is in flight.
 * asks: the card's answers to the guard's questions, all of which have to be put.
 * end: the answer to the command; "refused", "lost", "unsent", or "flying" until it is "back".
 */
struct step {
	unsigned int guest;
	const char *command;
	const char *asks;
	const char *end;
};

struct play {
	struct pin_guard guard;
	struct pin_handle handles[GUESTS];
	struct pin_command flying[GUESTS];
	uint32_t insertion;
};

extern struct play play;

/* Plays one row. Returns NULL, or what went otherwise. */
const char *guard_step(const struct step *step);

/* Plays all rows, from an empty memory. keep has the pin-guard of each guest, ask is their pin-guard-ask. */
void guard_converse(const char *name, const unsigned int *keep, bool ask, const struct step *steps,
	size_t count);

#define KEEP(a, b, c) ((const unsigned int[GUESTS]){ a, b, c })
#define CONVERSE(name, keep, ask, steps) \
	guard_converse(name, keep, ask, steps, sizeof(steps) / sizeof(steps)[0])
