/*
 * The PIN guard and the audit log at one reader of one guest: between the queue of its calls and its
 * worker. It judges a call when its turn has come, and so after the answers to all that came before it.
 *
 *     GUARD_IDLE    nothing is at the worker
 *     GUARD_ASKING  the worker has a question of ours, in the place of the call
 *     GUARD_SENT    the worker has the call; if it is a verification, its try counts as used
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host-bridge/audit.h"
#include "host-bridge/pin_guard.h"
#include "relay/wire.h"

enum reader_guard_state {
	GUARD_IDLE,
	GUARD_ASKING,
	GUARD_SENT,
};

struct reader_guard {
	struct pin_guard *guard; /* NULL: everything passes, and nothing is logged */
	struct audit *audit;
	const char *reader;
	uint32_t place;          /* the reader's number, not 0 */
	uint32_t insertion;      /* of its card, as the monitor has counted them; set by the owner */
	enum reader_guard_state state;
	bool open;
	struct pin_handle handle;
	struct pin_command command; /* that is judged, or has been sent */
	enum pin_verdict verdict;
	struct pin_command question;
	uint8_t question_bytes[PIN_QUESTION_SIZE];
};

/* guard, audit and reader, its name, are borrowed. keep and ask are the guest's. */
void reader_guard_init(struct reader_guard *guard, struct pin_guard *pin_guard, struct audit *audit,
	const char *reader, uint32_t place, unsigned int keep, bool ask);

/* Whether call, which reaches the card, may be sent. If not, answer is filled in, and it is logged. */
bool reader_guard_may(struct reader_guard *guard, uint64_t now, const struct wire_call *call,
	struct wire_reply *answer);

/* The call is handed over to the worker. call becomes the question, if one comes before it. */
void reader_guard_send(struct reader_guard *guard, struct wire_call *call);

/*
 * The worker has answered. Returns whether that was the answer to a question, so that the call has to
 * be judged again. Before anything else is made of the reply.
 */
bool reader_guard_answered(struct reader_guard *guard, uint64_t now, const struct wire_call *call,
	const struct wire_reply *reply);

/* The worker has opened the card or reset it, or has it no more; protocol is WIRE_PROTOCOL_... */
void reader_guard_opened(struct reader_guard *guard, uint64_t now, uint8_t protocol,
	struct payload_view atr);
void reader_guard_closed(struct reader_guard *guard, uint64_t now);

/* The session doesn't wait for the worker any more: for the log, the card is closed. */
void reader_guard_dropped(struct reader_guard *guard, uint64_t now);

/* The worker has ended; unsent: what it had has certainly not reached the card. */
void reader_guard_ended(struct reader_guard *guard, uint64_t now, bool unsent);
