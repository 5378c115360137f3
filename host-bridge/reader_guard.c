/*
 * What of a worker's calls is told to the guard and the audit log. See reader_guard.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/reader_guard.h"

#include <stddef.h>

static const uint8_t refusal[] = { PIN_GUARD_SW >> 8, PIN_GUARD_SW & 0xFF };

void reader_guard_init(struct reader_guard *guard, struct pin_guard *pin_guard, struct audit *audit,
	const char *reader, uint32_t place, unsigned int keep, bool ask)
{
	*guard = (struct reader_guard){
		.guard = pin_guard,
		.audit = audit,
		.reader = reader,
		.place = place,
		.handle = PIN_HANDLE_CLOSED,
	};
	guard->handle.keep = keep;
	guard->handle.ask = ask;
}

static void log_result(struct reader_guard *guard, uint64_t now, enum audit_event result, int tries,
	uint16_t sw)
{
	const struct audit_verification verification = {
		.command = &guard->command,
		.result = result,
		.tries = tries,
		.sw = sw,
	};

	/* A question is none, unless it was refused. */
	if (!guard->command.query || result == AUDIT_REFUSED)
		audit_verification(guard->audit, now, guard->reader, &verification);
}

/* ---- before a call ---- */

static void read_call(const struct wire_call *call, struct pin_command *command)
{
	*command = (struct pin_command){ .kind = PIN_NONE };
	if (call->operation == WIRE_TRANSMIT)
		pin_command_read(call->data, command);
	else if (call->operation == WIRE_SECURE)
		pin_command_read_secure(call->data, command);
}

bool reader_guard_may(struct reader_guard *guard, uint64_t now, const struct wire_call *call,
	struct wire_reply *answer)
{
	/* Without a card the worker says so, and nothing is sent. */
	if (guard->guard == NULL || !guard->open)
		return true;
	read_call(call, &guard->command);
	guard->verdict = pin_guard_judge(&guard->handle, &guard->command);
	if (guard->verdict != PIN_REFUSE)
		return true;
	log_result(guard, now, AUDIT_REFUSED, (int)pin_guard_left(&guard->handle, &guard->command), 0);
	pin_guard_refused(&guard->handle);
	*answer = (struct wire_reply){
		.number = call->number,
		.outcome = WIRE_OK,
		.data = { .bytes = refusal, .size = sizeof refusal },
	};
	return false;
}

void reader_guard_send(struct reader_guard *guard, struct wire_call *call)
{
	if (guard->guard == NULL || !guard->open)
		return;
	read_call(call, &guard->command);
	if (guard->command.kind != PIN_NONE && guard->verdict == PIN_ASK) {
		guard->state = GUARD_ASKING;
		pin_guard_question(&guard->command, guard->question_bytes, &guard->question);
		call->operation = WIRE_TRANSMIT;
		call->data = (struct payload_view){ guard->question_bytes, PIN_QUESTION_SIZE };
		return;
	}
	guard->state = GUARD_SENT;
	pin_guard_sent(&guard->handle, &guard->command);
}

/* ---- after it ---- */

/* The outcomes that say that the command has not reached the card. */
static bool is_unsent(const struct wire_reply *reply)
{
	switch (reply->outcome) {
	case WIRE_CARD_BUSY:
	case WIRE_NOT_CONNECTED:
	case WIRE_UNSUPPORTED:
		return true;
	case WIRE_TIMED_OUT:
	case WIRE_CANCELLED:
		/* From a worker that lives: no PIN was entered. */
		return true;
	}
	return false;
}

static enum audit_event event_of(enum pin_result result)
{
	switch (result) {
	case PIN_VERIFIED:
		return AUDIT_VERIFIED;
	case PIN_WRONG:
		return AUDIT_WRONG;
	case PIN_BLOCKED:
		return AUDIT_BLOCKED;
	case PIN_UNJUDGED:
		return AUDIT_REJECTED;
	case PIN_IRRELEVANT:
	case PIN_FAILED:
	case PIN_STATED:
		break;
	}
	return AUDIT_FAILED;
}

static void take_answer(struct reader_guard *guard, uint64_t now, const struct wire_reply *reply)
{
	uint16_t sw = pin_command_status(&guard->command, reply->data);
	int tries;
	enum pin_result result = pin_guard_answered(&guard->handle, &guard->command, sw, &tries);

	/* Of a chain, the last part has the line; what an envelope's answer means nobody knows. */
	if (sw == PIN_GUARD_SW_OK && guard->command.part && result == PIN_UNJUDGED)
		return;
	log_result(guard, now, guard->command.enveloped && result == PIN_UNJUDGED ? AUDIT_LOST
		: event_of(result), tries, sw);
}

static void take_loss(struct reader_guard *guard, uint64_t now, bool unsent)
{
	if (unsent)
		pin_guard_unsent(&guard->handle, &guard->command);
	else
		pin_guard_lost(&guard->handle, &guard->command);
	log_result(guard, now, unsent ? AUDIT_UNSENT : AUDIT_LOST, -1, 0);
}

static void take_question(struct reader_guard *guard, const struct wire_reply *reply)
{
	if (reply->outcome == WIRE_OK) {
		pin_guard_asked(&guard->handle, &guard->command,
			pin_command_status(&guard->question, reply->data));
		return;
	}
	if (!is_unsent(reply))
		pin_guard_asked(&guard->handle, &guard->command, 0);
	/* The call ends as its question did. */
	pin_guard_refused(&guard->handle);
}

bool reader_guard_answered(struct reader_guard *guard, uint64_t now, const struct wire_call *call,
	const struct wire_reply *reply)
{
	enum reader_guard_state state = guard->state;

	guard->state = GUARD_IDLE;
	switch (state) {
	case GUARD_IDLE:
		/* No card was open when it was sent. */
		return false;
	case GUARD_ASKING:
		take_question(guard, reply);
		return reply->outcome == WIRE_OK;
	case GUARD_SENT:
		/* The call that was judged, or one that concerns no PIN. */
		if (guard->command.kind == PIN_NONE && call->operation == WIRE_TRANSMIT)
			pin_guard_other(&guard->handle, call->data);
		else if (guard->command.kind != PIN_NONE && reply->outcome == WIRE_OK)
			take_answer(guard, now, reply);
		else if (guard->command.kind != PIN_NONE)
			take_loss(guard, now, is_unsent(reply));
		return false;
	}
	return false;
}

/* ---- the card ---- */

void reader_guard_opened(struct reader_guard *guard, uint64_t now, uint8_t protocol,
	struct payload_view atr)
{
	if (guard->guard == NULL)
		return;
	pin_guard_open(guard->guard, &guard->handle, guard->place, guard->insertion, atr);
	if (!guard->open)
		audit_card_opened(guard->audit, now, guard->reader, protocol == WIRE_PROTOCOL_T0 ? 0 : 1);
	guard->open = true;
}

void reader_guard_dropped(struct reader_guard *guard, uint64_t now)
{
	if (guard->open)
		audit_card_closed(guard->audit, now, guard->reader);
	guard->open = false;
}

void reader_guard_closed(struct reader_guard *guard, uint64_t now)
{
	reader_guard_dropped(guard, now);
	if (guard->guard != NULL)
		pin_guard_close(&guard->handle);
}

void reader_guard_ended(struct reader_guard *guard, uint64_t now, bool unsent)
{
	enum reader_guard_state state = guard->state;

	guard->state = GUARD_IDLE;
	switch (state) {
	case GUARD_IDLE:
		break;
	case GUARD_ASKING:
		if (!unsent)
			pin_guard_asked(&guard->handle, &guard->command, 0);
		break;
	case GUARD_SENT:
		if (guard->command.kind != PIN_NONE)
			take_loss(guard, now, unsent);
		break;
	}
	reader_guard_closed(guard, now);
}
