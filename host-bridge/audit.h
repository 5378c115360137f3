/*
 * The audit log of one guest: who used which card, which PIN was verified and how that ended, and what
 * was refused. Lines of the log, of one form, for grep and awk:
 *
 *     audit: event=session-open share=transaction pin-pad=yes escape=no pin-guard=1 guest="vm1"
 *     audit: event=session-contested guest="vm1"
 *     audit: event=card-opened protocol=T1 guest="vm1" reader="Gemalto PC Twin 00 00"
 *     audit: event=verification command=verify reference=81 result=wrong tries=2 sw=63C2 guest= reader=
 *     audit: event=refused-call call=escape why=policy guest="vm1" reader="Gemalto PC Twin 00 00"
 *     audit: event=card-closed guest="vm1" reader="Gemalto PC Twin 00 00"
 *
 * Values without quotes have no blanks; quoted ones come last, and have no quotes in them. Nothing that
 * is a card's or a guest's data can get here, not even an ATR: a reference and a status word are all that
 * there is of bytes.
 *
 * A guest can't flood the log: in a minute it has AUDIT_LINES, and apart from these
 * AUDIT_VERIFICATIONS, so that nothing else can keep a verification out. What is beyond that is counted,
 * verifications by their result, and said at the end of the minute:
 *
 *     audit: event=left-out seconds=60 verified=7 wrong=0 ... card-opened=12 ... guest="vm1"
 *
 * Sans-I/O but for the log.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host-bridge/config.h"
#include "host-bridge/pin_command.h"

#define AUDIT_INTERVAL 60000    /* ms */
#define AUDIT_LINES 60
#define AUDIT_VERIFICATIONS 60

#define AUDIT_CONTESTED_INTERVAL 10000 /* ms between two lines that say that somebody wants the session */

#define AUDIT_NEVER UINT64_MAX

enum audit_event {
	/* How a verification ended: */
	AUDIT_VERIFIED,
	AUDIT_WRONG,
	AUDIT_BLOCKED,
	AUDIT_FAILED,   /* by another status word */
	AUDIT_REJECTED, /* the card did not take it for a verification, or nothing was entered */
	AUDIT_LOST,     /* nobody knows */
	AUDIT_UNSENT,   /* others had the card */
	AUDIT_REFUSED,  /* by the PIN guard: it has not reached the card */
	/* Others: */
	AUDIT_SESSION_OPEN,
	AUDIT_SESSION_CONTESTED,
	AUDIT_CARD_OPENED,
	AUDIT_CARD_CLOSED,
	AUDIT_REFUSED_CALL,
	AUDIT_EVENTS,
};

struct audit {
	const char *guest;   /* its name; borrowed */
	uint64_t began;      /* the minute, ms */
	unsigned int lines;  /* in it */
	unsigned int verifications;
	uint64_t contested;  /* when that was said last, ms */
	uint64_t left_out[AUDIT_EVENTS];
	bool any_left_out;
};

/* A verification, as it is logged. */
struct audit_verification {
	const struct pin_command *command;
	enum audit_event result; /* to AUDIT_REFUSED */
	int tries;               /* left, or -1 */
	uint16_t sw;             /* or 0 */
};

/* guest is borrowed; the rest is 0. */
void audit_init(struct audit *audit, const char *guest);

/* What happened, at now (ms). reader is the host's name for it. */
void audit_session_open(struct audit *audit, uint64_t now, const struct bridge_guest_config *policy);
/*
 * Another daemon with this guest's key or name wants the session, of one that is at work. It says so
 * each second: one of ten is told, so that it can't use up the guest's lines.
 */
void audit_session_contested(struct audit *audit, uint64_t now);

void audit_card_opened(struct audit *audit, uint64_t now, const char *reader, unsigned int protocol);
void audit_card_closed(struct audit *audit, uint64_t now, const char *reader);
void audit_verification(struct audit *audit, uint64_t now, const char *reader,
	const struct audit_verification *verification);

/* call is its name, and why the policy or state that forbids it; both are words of ours. */
void audit_refused_call(struct audit *audit, uint64_t now, const char *reader, const char *call,
	const char *why);

/* Time has passed: says what was left out, if the minute is over. */
void audit_tick(struct audit *audit, uint64_t now);

/* When to call audit_tick() next, or AUDIT_NEVER. */
uint64_t audit_deadline(const struct audit *audit);

/* Says it now: the bridge ends. */
void audit_flush(struct audit *audit, uint64_t now);
