/*
 * Calls to workers. See guest_reader.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/guest_reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "host-bridge/process.h"
#include "host-bridge/worker.h"

static void reader_next(struct guest_reader *reader);

static uint64_t reader_now(const struct guest_reader *reader)
{
	uv_update_time(reader->loop);
	return uv_now(reader->loop);
}

static const char *operation_name(uint8_t operation)
{
	switch (operation) {
	case WIRE_CONNECT:
		return "connect";
	case WIRE_DISCONNECT:
		return "disconnect";
	case WIRE_TRANSMIT:
		return "transmit";
	case WIRE_SECURE:
		return "PIN entry";
	case WIRE_ESCAPE:
		return "escape";
	}
	return "unknown operation";
}

/* What may change the card, and may take as long as the card, or a user, does. */
static bool reaches_card(uint8_t operation)
{
	return operation == WIRE_TRANSMIT || operation == WIRE_SECURE || operation == WIRE_ESCAPE;
}

static bool can_be_cancelled(uint8_t operation)
{
	return operation == WIRE_SECURE || operation == WIRE_ESCAPE;
}

/* ---- the list of used cards ---- */

/* Before a command reaches the card. Returns whether it may. */
static bool reader_note(struct guest_reader *reader)
{
	if (!reader->noted)
		reader->noted = used_cards_note(reader->used_cards, reader->guest, reader->name,
			&reader->place) == 0;
	return reader->noted;
}

/* After whatever may have reset it. */
static void reader_strike(struct guest_reader *reader)
{
	if (!reader->noted || reader->used || reader->dirty)
		return;
	used_cards_strike(reader->used_cards, reader->place);
	reader->noted = false;
}

/* ---- the end of a call ---- */

static void log_call(const struct guest_reader *reader, const struct wire_call *call,
	const struct wire_reply *reply)
{
	unsigned long long duration = 0;

	if (reader->started != 0)
		duration = reader_now(reader) - reader->started;
	if (reply->outcome == WIRE_OK)
		log_debug(reader->guest, "%s: %s, %zu bytes: %zu bytes after %llu ms", reader->name,
			operation_name(call->operation), call->data.size, reply->data.size,
			duration);
	else
		log_info(reader->guest, "%s: %s: %s (after %llu ms)", reader->name,
			operation_name(call->operation), wire_outcome_name(reply->outcome),
			duration);
}

/* Follows whether the worker has a handle: its reply names a protocol as long as it has. */
static void reader_follow(struct guest_reader *reader, const struct wire_call *call,
	const struct wire_reply *reply)
{
	bool open = reply->protocol != 0;

	if (open && call->operation == WIRE_CONNECT && reply->outcome == WIRE_OK)
		reader_guard_opened(&reader->guard, reader_now(reader), reply->protocol, reply->data);
	else if (!open && reader->open)
		reader_guard_closed(&reader->guard, reader_now(reader));
	reader->open = open;
	reader->protocol = reply->protocol;
	if (!open || reply->outcome == WIRE_CARD_RESET)
		reader->used = false;
	if (call->operation == WIRE_CONNECT && reply->outcome == WIRE_OK &&
	    call->initialization != WIRE_LEAVE)
		reader->used = false;
	reader_strike(reader);
}

static void reader_unqueue(struct guest_reader *reader, size_t i)
{
	reader->queued--;
	memmove(&reader->queue[i], &reader->queue[i + 1],
		(reader->queued - i) * sizeof reader->queue[0]);
}

/* Takes the first call off the queue and answers it. */
static void reader_complete(struct guest_reader *reader, const struct wire_reply *reply)
{
	const struct wire_call call = reader->queue[0];

	assert(reader->queued > 0);
	log_call(reader, &call, reply);
	comeback_note(&reader->comeback, reader_now(reader), call.operation, reply->outcome,
		reader->started != 0 ? reader_now(reader) - reader->started : 0);
	if (reader->started != 0)
		call_stats_ended(&reader->stats, call.operation, call.data.size, reply,
			uv_hrtime() / 1000 - reader->started_us);
	else
		call_stats_not_made(&reader->stats, reply);
	reader->started = 0;
	reader_unqueue(reader, 0);
	reader->owner.complete(reader->owner.context, reply);
}

static void reader_fail(struct guest_reader *reader, enum wire_outcome outcome)
{
	const struct wire_reply reply = {
		.number = reader->queue[0].number,
		.outcome = (uint8_t)outcome,
	};

	reader_complete(reader, &reply);
}

static void reader_fail_all(struct guest_reader *reader, enum wire_outcome outcome)
{
	while (reader->queued > 0)
		reader_fail(reader, outcome);
}

/* From now on, calls that wait have their limit. */
static void reader_be_patient(struct guest_reader *reader)
{
	reader->deadline = SESSION_NEVER;
	if (reader->queued > 0)
		reader->deadline = reader_now(reader) + GUEST_READER_CALL_LIMIT;
}

/* The worker gives up its card as soon as pcscd lets it. */
static void reader_end_worker(struct guest_reader *reader)
{
	reader_guard_dropped(&reader->guard, reader_now(reader));
	reader->open = false;
	reader->state = WORKER_ENDING;
	reader_be_patient(reader);
	child_stop(reader->child, CHILD_NO_LIMIT);
}

/* ---- events of the child ---- */

/*
 * The worker begins to wait for others to let go of the card, or is done with that. It sends nothing in
 * between.
 */
static void reader_wait(struct guest_reader *reader)
{
	reader->waiting = !reader->waiting;
	reader->used = !reader->waiting || reader->was_used;
	reader->deadline = SESSION_NEVER;
	if (reader->waiting)
		reader->deadline = reader_now(reader) + GUEST_READER_WAIT_LIMIT;
}

static void on_message(void *owner, const struct wire_message *message)
{
	struct guest_reader *reader = owner;
	const struct wire_reply *reply = &message->reply;
	bool again;

	/* It was killed, but had said this before. */
	if (reader->cancelled)
		return;
	/* Nobody waits for this any more; whether it has a card now, its end tells. */
	if (reader->state == WORKER_STUCK) {
		reader_end_worker(reader);
		return;
	}
	if (message->type == WIRE_PROGRESS && reader->state == WORKER_BUSY &&
	    message->progress.number == reader->queue[0].number) {
		reader_wait(reader);
		return;
	}
	/* A worker that answers what nobody asked has lost its wits, and its calls with them. */
	if (message->type != WIRE_REPLY || reader->state != WORKER_BUSY ||
	    reply->number != reader->queue[0].number) {
		log_error(reader->guest, "%s: the worker answers what was not asked", reader->name);
		child_kill(reader->child);
		return;
	}
	again = reader_guard_answered(&reader->guard, reader_now(reader), &reader->queue[0], reply);
	reader_follow(reader, &reader->queue[0], reply);
	if (!again)
		reader_complete(reader, reply);
	/* The answer may have ended the session, and with it this worker. */
	if (reader->state != WORKER_BUSY)
		return;
	reader->state = WORKER_IDLE;
	reader->deadline = SESSION_NEVER;
	reader_next(reader);
}

/* What becomes of the call that ran. */
static enum wire_outcome lost_outcome(const struct guest_reader *reader)
{
	if (reader->cancelled)
		return WIRE_CANCELLED;
	return reader->waiting ? WIRE_CARD_BUSY : WIRE_OUTCOME_UNKNOWN;
}

/* Nothing of ours ended it. */
static void log_death(const struct guest_reader *reader)
{
	if (!reader->cancelled && !reader->late)
		log_error(reader->guest, "%s: the worker died", reader->name);
}

static void on_ended(void *owner, bool clean)
{
	struct guest_reader *reader = owner;
	enum worker_state state = reader->state;
	enum wire_outcome outcome = lost_outcome(reader);

	if (!clean && state != WORKER_ENDING && state != WORKER_CLEANING)
		log_death(reader);
	reader_guard_ended(&reader->guard, reader_now(reader), reader->waiting);
	/* First, because the answer to a call may bring the next one, or the end of the session. */
	reader->state = WORKER_NONE;
	reader->child = NULL;
	reader->deadline = SESSION_NEVER;
	reader->waiting = false;
	reader->late = false;
	reader->cancelled = false;
	reader->open = false;
	reader->dirty = !clean && (reader->dirty || reader->used || state == WORKER_CLEANING);
	reader->used = false;
	reader_strike(reader);
	switch (state) {
	case WORKER_NONE:
		/* There is no child that could end. */
		break;
	case WORKER_BUSY:
		/* It died over a call. The next one finds no handle. */
		reader_fail(reader, outcome);
		break;
	case WORKER_IDLE:
		/* It died for no reason of ours, or has said that it will not do. */
		break;
	case WORKER_STUCK:
	case WORKER_ENDING:
		/* As it should. */
		break;
	case WORKER_CLEANING:
		/* Nobody gets a card with another's PIN state: who waits has to come again. */
		if (reader->dirty) {
			log_error(reader->guest, "%s: the card could not be reset", reader->name);
			reader->deadline = reader_now(reader) + GUEST_READER_CLEAN_AGAIN;
			reader_fail_all(reader, WIRE_CARD_BUSY);
		}
		break;
	}
	if (state != WORKER_CLEANING || !reader->dirty)
		reader_next(reader);
}

static const struct child_functions child_functions = {
	.message = on_message,
	.ended = on_ended,
};

/* ---- from call to call ---- */

/* Starts a worker, or the cleaner that must come before it. */
static void reader_start(struct guest_reader *reader)
{
	char hold[16], hold_max[16];
	const char *const words[WORKER_WORDS] = {
		[WORKER_GUEST] = reader->guest,
		[WORKER_READER] = reader->name,
		[WORKER_SHARE] = share_name(reader->share.mode),
		[WORKER_HOLD] = hold,
		[WORKER_HOLD_MAX] = hold_max,
	};
	const struct child_role role = {
		.name = reader->dirty ? PROCESS_CLEANER : PROCESS_WORKER,
		.words = words,
		.word_count = reader->dirty ? WORKER_READER + 1 : WORKER_WORDS,
	};

	(void)snprintf(hold, sizeof hold, "%u", reader->share.hold);
	(void)snprintf(hold_max, sizeof hold_max, "%u", reader->share.hold_max);

	/* No process or no memory: nothing was sent, and the next call tries again. */
	if (child_start(&reader->child, reader->loop, &role, &child_functions, reader) != 0) {
		reader_fail_all(reader, WIRE_CARD_BUSY);
		return;
	}
	reader->state = WORKER_IDLE;
	if (reader->dirty) {
		reader->state = WORKER_CLEANING;
		reader_be_patient(reader);
	}
}

static void reader_send(struct guest_reader *reader)
{
	struct wire_message message = {
		.type = WIRE_CALL,
		.session = 1,
		.call = reader->queue[0],
	};

	reader_guard_send(&reader->guard, &message.call);
	reader->state = WORKER_BUSY;
	reader->started = reader_now(reader);
	reader->started_us = uv_hrtime() / 1000;
	reader->was_used = reader->used;
	reader->waiting = false;
	reader->deadline = SESSION_NEVER;
	if (reaches_card(message.call.operation))
		reader->used = true;
	else
		reader->deadline = reader->started + GUEST_READER_CALL_LIMIT;
	child_send(reader->child, &message);
}

/* Whether the first call may reach the card; if not, it is answered. */
static bool reader_may_send(struct guest_reader *reader)
{
	const struct wire_call *call = &reader->queue[0];
	struct wire_reply answer;

	if (!reaches_card(call->operation))
		return true;
	if (!reader_guard_may(&reader->guard, reader_now(reader), call, &answer)) {
		answer.protocol = reader->protocol;
		reader_complete(reader, &answer);
		return false;
	}
	/* A card that can't be noted is not used. */
	if (reader_note(reader))
		return true;
	reader_fail(reader, WIRE_CARD_BUSY);
	return false;
}

/* Does what comes next, if anything can be done now. */
static void reader_next(struct guest_reader *reader)
{
	bool wanted = reader->queued > 0 || reader->dirty;

	if (reader->state == WORKER_NONE && wanted && !reader->stopping)
		reader_start(reader);
	while (reader->state == WORKER_IDLE && reader->queued > 0 && !reader_may_send(reader))
		;
	if (reader->state == WORKER_IDLE && reader->queued > 0)
		reader_send(reader);
}

/* ---- WIRE_CANCEL ---- */

/* A call that waits and can be cancelled: its place in the queue; queued if there is none. */
static size_t find_waiting(const struct guest_reader *reader)
{
	size_t i = reader->state == WORKER_BUSY ? 1 : 0;

	while (i < reader->queued && !can_be_cancelled(reader->queue[i].operation))
		i++;
	return i;
}

/*
 * Nothing but the death of its process ends an SCardControl. Then the cleaner resets the card: a PIN
 * that is entered until pcscd has let go of the reader is of no use to anybody.
 */
static void reader_cancel(struct guest_reader *reader, uint32_t number)
{
	struct wire_reply reply = { .outcome = WIRE_CANCELLED };
	size_t i;

	if (reader->state == WORKER_BUSY && can_be_cancelled(reader->queue[0].operation)) {
		log_info(reader->guest, "%s: %s is cancelled; its process is killed", reader->name,
			operation_name(reader->queue[0].operation));
		reader->cancelled = true;
		child_kill(reader->child);
	}
	for (i = find_waiting(reader); i < reader->queued; i = find_waiting(reader)) {
		reply.number = reader->queue[i].number;
		reader_unqueue(reader, i);
		reader->owner.complete(reader->owner.context, &reply);
	}
	reply = (struct wire_reply){ .number = number, .outcome = WIRE_OK };
	reader->owner.complete(reader->owner.context, &reply);
}

/* Whether there is a process that can't take a call. */
static bool is_elsewhere(const struct guest_reader *reader)
{
	return reader->state == WORKER_STUCK || reader->state == WORKER_ENDING ||
		reader->state == WORKER_CLEANING;
}

void guest_reader_call(struct guest_reader *reader, const struct wire_call *call)
{
	if (call->operation == WIRE_CANCEL) {
		reader_cancel(reader, call->number);
		return;
	}
	assert(reader->queued < SESSION_WINDOW);
	reader->queue[reader->queued++] = *call;
	if (reader->queued == 1 && is_elsewhere(reader))
		reader_be_patient(reader);
	reader_next(reader);
}

void guest_reader_clean(struct guest_reader *reader, size_t place)
{
	reader->noted = true;
	reader->place = place;
	reader->dirty = true;
	reader_next(reader);
}

void guest_reader_stop(struct guest_reader *reader)
{
	comeback_forget(&reader->comeback);
	reader->queued = 0;
	reader->started = 0;
	switch (reader->state) {
	case WORKER_NONE:
	case WORKER_ENDING:
		/* There is nothing more to end. */
		break;
	case WORKER_IDLE:
	case WORKER_BUSY:
	case WORKER_STUCK:
		/* What the card has begun it ends; then it is given up. */
		reader_end_worker(reader);
		break;
	case WORKER_CLEANING:
		/* A cleaner doesn't work for the session: it goes on. */
		reader_be_patient(reader);
		break;
	}
}

void guest_reader_shut(struct guest_reader *reader)
{
	reader->stopping = true;
	guest_reader_stop(reader);
	if (reader->child != NULL)
		child_stop(reader->child, GUEST_READER_GRACE);
}

bool guest_reader_is_unoccupied(const struct guest_reader *reader)
{
	return !reader->dirty &&
		(reader->state == WORKER_NONE || reader->state == WORKER_IDLE);
}

/* Its death says whether it was still waiting. */
static void reader_give_up(struct guest_reader *reader)
{
	log_warning(reader->guest, "%s: %s waits for another program's transaction; its process is "
		"killed", reader->name, operation_name(reader->queue[0].operation));
	reader->late = true;
	child_kill(reader->child);
}

void guest_reader_tick(struct guest_reader *reader, uint64_t now)
{
	if (now < reader->deadline)
		return;
	reader->deadline = SESSION_NEVER;
	switch (reader->state) {
	case WORKER_NONE:
		/* The card that could not be reset is tried again. */
		reader_next(reader);
		break;
	case WORKER_IDLE:
		/* It has nothing to wait for. */
		break;
	case WORKER_BUSY:
		if (reader->waiting) {
			reader_give_up(reader);
			break;
		}
		/* Nothing was sent. The calls behind this one would find no handle. */
		log_warning(reader->guest, "%s: %s waits for another program, and is given up",
			reader->name, operation_name(reader->queue[0].operation));
		reader->state = WORKER_STUCK;
		reader_fail_all(reader, WIRE_CARD_BUSY);
		break;
	case WORKER_STUCK:
	case WORKER_ENDING:
	case WORKER_CLEANING:
		/* The process goes on, the calls need not. */
		reader_fail_all(reader, WIRE_CARD_BUSY);
		break;
	}
}

struct guest_reader *guest_reader_new(const struct guest_reader_owner *owner, uv_loop_t *loop,
	const char *guest, struct share share, struct used_cards *used_cards,
	const struct wire_reader *wire_reader)
{
	struct guest_reader *reader = calloc(1, sizeof *reader);

	if (reader == NULL)
		return NULL;
	reader->owner = *owner;
	reader->loop = loop;
	reader->guest = guest;
	reader->share = share;
	reader->used_cards = used_cards;
	reader->id = wire_reader->id;
	reader->deadline = SESSION_NEVER;
	comeback_init(&reader->comeback);
	memcpy(reader->name, wire_reader->name, sizeof reader->name);
	return reader;
}

void guest_reader_free(struct guest_reader *reader)
{
	assert(reader->child == NULL);
	free(reader);
}
