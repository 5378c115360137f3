/*
 * When a guest's worker holds a transaction on the host's pcscd; without I/O.
 *
 * CCID knows no transactions: a guest's program that takes one takes it from the guest's pcscd, and
 * nothing of that reaches us. So the bridge takes one itself, with the first APDU, and holds it for as
 * long as APDUs keep coming: nobody gets in between a SELECT and the VERIFY after it.
 *
 *     free     others may use the card; the next APDU begins a transaction
 *     held     nobody else gets in; ended after `hold` without an APDU
 *     paused   it was ended for its age: the next APDU waits for HOLD_PAUSE, so that others get in
 *
 * A guest that sends APDU after APDU has to let others in once in `hold-max`. Where its sequences begin,
 * nothing says; but most begin with the choice of an application. So from half of `hold-max` on it is
 * ended before the next APDU that does that, and at `hold-max` before any.
 *
 * Where several guests wait for one card, they look at it more often than a program of the host does, and
 * would pass it on among themselves without end. So whoever has waited for long, and sees the card free,
 * lets others have it first (struct hold_wait): a program of the host, which has asked by then, and those
 * guests that have let others by already. It does so a few times; then it takes the card as soon as it is
 * free, or a busy host would keep it out for ever.
 *
 * With share = shared, or exclusive, there is never a transaction.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * ms. pcscd gives the card to whoever asks first once it is free, and who waits in SCardBeginTransaction
 * asks only every 200 ms (PCSCLITE_LOCK_POLL_RATE of 1.9.9, in libpcsclite and again in pcscd): without
 * a pause of more than that, it would never be the first. So this is also how long a transaction must
 * have been ended for the next one to be a new one, and not as old as the one before.
 */
#define HOLD_PAUSE 450

/*
 * ms. Who was kept out for HOLD_LONG lets others by for HOLD_YIELD, and each time in the same wait for
 * HOLD_YIELD_LESS less: that makes a look of difference (HOLD_POLL), and all are between the 200 ms and
 * HOLD_PAUSE, after which comes who had the card before. HOLD_YIELDS times: more guests than one more than
 * that, on one card, share it by chance.
 */
#define HOLD_POLL 50 /* between two looks at a card that others have */
#define HOLD_LONG 200
#define HOLD_YIELD 330
#define HOLD_YIELD_LESS 50
#define HOLD_YIELDS 3

#define HOLD_NEVER UINT64_MAX

/* ms: of `hold` and `hold-max`, the bounds and what they are by default */
#define HOLD_MIN 10
#define HOLD_MAX 600000
#define HOLD_DEFAULT 500
#define HOLD_MAX_DEFAULT 10000

enum share_mode {
	SHARE_SHARED,      /* SCARD_SHARE_SHARED; anybody may interleave */
	SHARE_TRANSACTION, /* the same, and a transaction around APDUs that follow each other */
	SHARE_EXCLUSIVE,   /* SCARD_SHARE_EXCLUSIVE */
};

/* What the configuration says. */
struct share {
	enum share_mode mode;
	unsigned int hold;     /* ms */
	unsigned int hold_max; /* ms */
};

struct hold {
	struct share share;
	bool held;
	uint64_t began;    /* when it, or the first that it follows without a pause, was begun */
	uint64_t ended;    /* when the one before was ended; 0: there was none */
	uint64_t used;     /* when the last APDU ended */
	uint64_t paused;   /* when the pause is over; 0: there is none */
};

/* One wait for others, before a transaction is begun. */
struct hold_wait {
	bool busy;           /* others had the card at the last look */
	uint64_t busy_since; /* and at every look since */
	unsigned int yields; /* how often others were let by */
};

#define HOLD_WAIT_NULL ((struct hold_wait){ .busy = false })

/* The mode of the configuration's word. Returns 0, or -1 for another word. */
int share_by_name(const char *name, enum share_mode *mode);

/* That word. */
const char *share_name(enum share_mode mode);

/* ms to wait before the next APDU may be sent, or before the transaction for it may be begun. */
unsigned int hold_pause(const struct hold *hold, uint64_t now);

/* A look at the card: ms until the next one; 0 if the transaction should be begun now. */
unsigned int hold_look(struct hold_wait *wait, uint64_t now, bool busy);

/* Whether a transaction has to be begun before the next APDU. */
bool hold_is_wanted(const struct hold *hold);

/* It was begun. */
void hold_begun(struct hold *hold, uint64_t now);

/* An APDU has ended. */
void hold_touch(struct hold *hold, uint64_t now);

/* When it must be ended if no APDU comes; HOLD_NEVER if there is none. */
uint64_t hold_deadline(const struct hold *hold);

/*
 * Whether it must be ended now, before an APDU or without one. anew: that APDU chooses an application.
 */
bool hold_is_due(const struct hold *hold, uint64_t now, bool anew);

/* It was ended, or is gone with the handle. */
void hold_ended(struct hold *hold, uint64_t now);
