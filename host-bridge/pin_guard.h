/*
 * The PIN guard: how many tries each PIN of each card has left, and whether a guest may use one more.
 * Sans-I/O: what guests send and what cards answer goes in, verdicts come out.
 *
 * A guest whose `pin-guard` is N never gets a PIN below N tries left: what would use one of the last N
 * doesn't reach the card. Everything is counted against the card, whichever guest or session it comes
 * from; a guest without a guard is counted, and not refused.
 *
 * What the guard believes, in this order:
 *
 *  1. The card, at this moment. Before each verification of a guarded guest core asks with an empty
 *     VERIFY (ISO/IEC 7816-4:2005, 7.5.6), in the same channel, and so of the same application. That is
 *     how it sees what programs of the host have used.
 *  2. Its memory: what the card has said after the last wrong PIN (63Cx, 6983), less one for each
 *     verification without such an answer (lost, in flight, or with a status that doesn't say).
 *     A card that has said nothing yet is taken to have PIN_COUNT_ASSUMED tries.
 *
 * An empty VERIFY is harmless on cards that follow the standard, but there are older ones that count it
 * as a wrong PIN. So it is tried out: the first question is asked twice, and only two equal answers make
 * a card one that may be asked at any time. Before that a question is treated as what may use a try: it
 * isn't put when N tries or fewer are left, but for a single one after each insertion of the card. A
 * guest's own empty VERIFYs go by the same rule. No question is put within a chain, within secure
 * messaging (which a plain command would end) or in a proprietary class, nor for a resetting code, of
 * which no command asks; there memory decides.
 *
 * Memory belongs to an ATR, not to a reader or an insertion, and so it stays when a card is pulled and
 * put back; two cards of one model share it, until they are asked. A second ATR of the same insertion
 * (cold and warm) is the same card. Within a card it belongs to a reference, P2, whatever application is
 * selected: it may fall at any time, but rises only by an answer (9000, or a higher 63Cx) in the
 * selection in which it fell. Commands of a proprietary class lower everything that has their reference,
 * and raise only what is proprietary, since a card may give 9000 for something else there.
 *
 * A verification counts as a used try from before it is sent until it is answered. When answers of
 * several guests cross, they only lower.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "host-bridge/pin_command.h"
#include "host-bridge/pin_count.h"
#include "relay/wire.h"

#define PIN_GUARD_CARDS 32    /* ATRs that are remembered; then the one that was idle for longest goes */
#define PIN_GUARD_MAX 14      /* the most that pin-guard may be: 63Cx counts to 15 */
#define PIN_GUARD_ATRS 2

/*
 * The answer to what is refused: "command not allowed", without more (ISO/IEC 7816-4:2005, 5.1.3). It is
 * of the same kind as 6983, "blocked", which would be a lie: programs offer to enter the PUK then, and
 * the PIN is not blocked. No other command of this class is answered so by a card that has a better word.
 */
#define PIN_GUARD_SW 0x6900

#define PIN_GUARD_SW_OK 0x9000

/* The counters of one card. */
enum {
	PIN_COUNT_PIN,               /* VERIFY and its relatives */
	PIN_COUNT_CODE,              /* the resetting code of RESET RETRY COUNTER */
	PIN_COUNT_PROPRIETARY_PIN,   /* the same in proprietary classes */
	PIN_COUNT_PROPRIETARY_CODE,
	PIN_COUNT_KINDS,
};

struct pin_card {
	uint8_t atr_size[PIN_GUARD_ATRS]; /* the first is 0: the place is free */
	uint8_t atr[PIN_GUARD_ATRS][WIRE_ATR_MAX];
	uint8_t questions;  /* enum pin_questions */
	uint8_t reserved;
	uint32_t reader;    /* where it was opened last, and the number of that insertion; 0: not yet */
	uint32_t insertion;
	uint32_t handles;   /* that are open */
	uint64_t opened;    /* of all openings, this one was the last for it */
	struct pin_count counts[PIN_COUNT_KINDS][256];
};

struct pin_guard {
	uint64_t opened;
	struct pin_card cards[PIN_GUARD_CARDS];
};

/* One guest's card: what is known from its opening to its closing. The first two are set by the owner. */
struct pin_handle {
	unsigned int keep;  /* N: tries that stay with the card; 0: this guest is not guarded */
	bool ask;           /* questions may be put */
	struct pin_card *card; /* NULL: not open */
	uint32_t selection[PIN_CHANNELS];

	/* Of the command that is being judged. */
	unsigned int asked; /* questions put */
	int answer;         /* what the last one said, or -1 */
	bool deaf;          /* the card didn't say, for this reference and selection: */
	uint8_t deaf_reference;
	uint32_t deaf_selection;

	/* A chain whose parts went through; its try is taken until it ends. */
	bool chained;
	struct pin_command chain; /* its last part */
};

#define PIN_HANDLE_CLOSED ((struct pin_handle){ .answer = -1 })

enum pin_verdict {
	PIN_PASS,   /* it may be sent: tell by pin_guard_sent() */
	PIN_ASK,    /* put the question first, and judge again */
	PIN_REFUSE, /* it must not reach the card */
};

#define PIN_QUESTION_SIZE 4

/* What became of a command. */
enum pin_result {
	PIN_IRRELEVANT,
	PIN_VERIFIED,
	PIN_WRONG,
	PIN_BLOCKED,
	PIN_FAILED,   /* another status; whether a try was used nobody knows */
	PIN_UNJUDGED, /* it was not understood, or a part of a chain, or nothing was entered: no try was used */
	PIN_STATED,   /* the answer to a question */
};

/* Empties: nothing is known. */
void pin_guard_init(struct pin_guard *guard);

/*
 * After the memory was read from a file, which may hold anything: what was in flight is lost, and what
 * can't be is forgotten.
 */
void pin_guard_recall(struct pin_guard *guard);

/*
 * The handle's card was opened or reset in place, and has this ATR; reader and insertion are numbers of
 * the place and of the insertion, the former not 0.
 */
void pin_guard_open(struct pin_guard *guard, struct pin_handle *handle, uint32_t reader,
	uint32_t insertion, struct payload_view atr);

/* It is closed. May be called twice. */
void pin_guard_close(struct pin_handle *handle);

/* Judges what comes next on this handle. A new command starts with no question put. */
enum pin_verdict pin_guard_judge(struct pin_handle *handle, const struct pin_command *command);

/* The question for command, PIN_QUESTION_SIZE bytes, and what it is to this parser. */
void pin_guard_question(const struct pin_command *command, uint8_t *apdu, struct pin_command *question);

/* The question was answered with sw, or 0 if no answer came. */
void pin_guard_asked(struct pin_handle *handle, const struct pin_command *command, uint16_t sw);

/* The command is about to be sent, or will not be. */
void pin_guard_sent(struct pin_handle *handle, const struct pin_command *command);
void pin_guard_refused(struct pin_handle *handle);

/* It was sent, and answered with sw. *tries is how many are left if the card said so, else -1. */
enum pin_result pin_guard_answered(struct pin_handle *handle, const struct pin_command *command,
	uint16_t sw, int *tries);

/* It was handed over, and certainly never sent: others had the card. */
void pin_guard_unsent(struct pin_handle *handle, const struct pin_command *command);

/* What became of it nobody knows: its try stays used. */
void pin_guard_lost(struct pin_handle *handle, const struct pin_command *command);

/* Another command has been answered: a SELECT changes what a reference means, anything ends a chain. */
void pin_guard_other(struct pin_handle *handle, struct payload_view apdu);

/* At least so many tries are left for command, as far as is remembered. */
unsigned int pin_guard_left(const struct pin_handle *handle, const struct pin_command *command);
