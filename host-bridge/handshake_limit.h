/*
 * How much one connection, and how much all together, may cost core by handshakes. Each takes up to five multiplications on the
 * curve, and who asks is known only after the first two of them (Noise IK): so whoever reaches the
 * socket could keep core busy with nothing but a recorded or an invented message 1.
 *
 * What can be known before is the connection over which it comes. Each may have HANDSHAKE_AT_ONCE
 * multiplications, and gets one more each HANDSHAKE_EVERY: our guests, which repeat themselves ever
 * more slowly (secure.h), need a third of that at most, and one that works, or comes anew, has a
 * connection of its own, on which nobody else can use it up. HANDSHAKE_CONNECTIONS are remembered. A
 * new one takes the place of the one that asked least recently, which then counts as new.
 *
 * Hundreds of connections that each use up what they may have would still keep core busy for seconds,
 * while the frames of the guests that work wait behind them. So all together may have HANDSHAKE_ALL
 * multiplications at once, and one more each HANDSHAKE_ALL_EVERY, a small part of a processor. Who
 * needs no handshake notices nothing of that; a guest that comes anew has to try more often, while
 * there is such a flood.
 *
 * Sans-I/O.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HANDSHAKE_AT_ONCE 128      /* multiplications; 5 to 10 ms of a processor */
#define HANDSHAKE_EVERY 64         /* ms */
#define HANDSHAKE_ALL 512          /* multiplications; 20 to 50 ms of a processor */
#define HANDSHAKE_ALL_EVERY 2      /* ms */
#define HANDSHAKE_CONNECTIONS 512  /* as many as a front has */

/* Multiplications of a handshake: es; es, ss; es, ss, e, ee, se. */
#define HANDSHAKE_COST_NOT_OURS 1
#define HANDSHAKE_COST_UNKNOWN_KEY 2
#define HANDSHAKE_COST_ANSWER 5

struct handshake_account {
	uint32_t connection;
	uint64_t paid_until; /* ms: each multiplication moves it on; 0: nobody's */
	uint64_t asked;      /* ms: the last time */
};

struct handshake_limit {
	struct handshake_account accounts[HANDSHAKE_CONNECTIONS];
	uint64_t all_paid_until; /* ms, as that of an account */
};

/*
 * The account of this connection, if it may have one more handshake now (ms), and all together may;
 * what it has cost is charged when that is known. NULL: not now. limit begins with zeros.
 */
struct handshake_account *handshake_limit_ask(struct handshake_limit *limit, uint32_t connection,
	uint64_t now);

/* What it was: HANDSHAKE_COST_*. */
void handshake_limit_charge(struct handshake_limit *limit, struct handshake_account *account,
	unsigned int cost);
