/*
 * The bridge, its core, and the cards. A reader has one call at a time, as a worker does; what its
 * card has begun it ends, whoever has died meanwhile. See model.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "model.h"

#include <string.h>

void model_start_bridge(struct model *model)
{
	model->bridge_link = link_open_memory(model->net, true);
	REQUIRE(model, bridge_session_new(&model->bridge, model_identity(model)) == 0);
	bridge_session_set_readers(model->bridge, model->now, &model->readers);
}

static void leave_idle(struct model *model, struct model_work *work)
{
	model->calls[work->call].idle_at = model->now;
	work->used = false;
}

/* The session is over: nobody starts what the cards haven't got. */
static void forget_session(struct model *model)
{
	for (size_t i = 0; i < WORK_MAX; i++) {
		if (model->work[i].used && !model->work[i].started)
			leave_idle(model, &model->work[i]);
	}
	model->session = 0;
}

void model_stop_bridge(struct model *model)
{
	forget_session(model);
	model->bridge = bridge_session_free(model->bridge);
	model->bridge_link = link_close(model->bridge_link);
}

/* ---- the cards ---- */

static struct model_work *next_work(struct model *model, uint32_t reader)
{
	struct model_work *first = NULL;

	for (size_t i = 0; i < WORK_MAX; i++) {
		struct model_work *work = &model->work[i];

		if (work->used && model->calls[work->call].reader == reader &&
				(first == NULL || work->order < first->order))
			first = work;
	}
	return first;
}

/* Most APDUs are quick; some are slower than a lease. */
static uint64_t duration(struct model *model)
{
	uint64_t dice = memory_net_random(model->net, 1000);
	uint64_t most = 100;

	if (dice < 4)
		most = 40000;
	else if (dice < 40)
		most = 3000;
	return memory_net_random(model->net, most);
}

static void start_work(struct model *model, struct model_work *work)
{
	struct model_call *call = &model->calls[work->call];

	call->executed++;
	REQUIRE(model, call->executed == 1);
	REQUIRE(model, model->card_last[call->reader].daemon != call->daemon ||
		model->card_last[call->reader].call < work->call);
	model->card_last[call->reader].daemon = call->daemon;
	model->card_last[call->reader].call = work->call;
	work->started = true;
	work->until = model->now + duration(model);
}

static void complete_work(struct model *model, struct model_work *work)
{
	struct wire_reply reply = {
		.number = work->number,
		.data = { .bytes = (const uint8_t *)&work->call, .size = sizeof(work->call) },
	};

	leave_idle(model, work);
	if (model->bridge != NULL)
		REQUIRE(model, bridge_session_complete(model->bridge, model->now, work->session,
			&reply) == 0);
}

void model_run_cards(struct model *model)
{
	for (uint32_t reader = 0; reader < READERS; reader++) {
		struct model_work *work;

		while ((work = next_work(model, reader)) != NULL) {
			if (!work->started)
				start_work(model, work);
			if (work->until > model->now)
				break;
			complete_work(model, work);
		}
	}
}

uint64_t model_cards_deadline(const struct model *model)
{
	uint64_t deadline = SESSION_NEVER;

	for (size_t i = 0; i < WORK_MAX; i++) {
		if (model->work[i].used && model->work[i].started && model->work[i].until < deadline)
			deadline = model->work[i].until;
	}
	return deadline;
}

/* ---- core ---- */

static struct model_work *free_work(struct model *model)
{
	size_t i = 0;

	while (i < WORK_MAX && model->work[i].used)
		i++;
	REQUIRE(model, i < WORK_MAX);
	return &model->work[i];
}

static void execute(struct model *model, const struct bridge_event *event)
{
	uint32_t index;

	REQUIRE(model, event->call.data.size == sizeof(index));
	memcpy(&index, event->call.data.bytes, sizeof(index));
	REQUIRE(model, index < model->call_count);
	REQUIRE(model, event->call.reader == model->calls[index].reader);
	REQUIRE(model, event->session == model->session);
	/* In order, whichever the reader. */
	REQUIRE(model, event->call.number == model->session_last + 1);
	model->session_last = event->call.number;
	model->calls[index].idle_at = SESSION_NEVER;
	*free_work(model) = (struct model_work){
		.used = true,
		.order = model->work_count++,
		.session = event->session,
		.number = event->call.number,
		.call = index,
	};
}

static void take_events(struct model *model)
{
	struct bridge_event event;

	while (bridge_session_pop_event(model->bridge, &event)) {
		switch (event.type) {
		case BRIDGE_SESSION_UP:
			REQUIRE(model, model->session == 0);
			model->total.sessions++;
			model->sessions++;
			model->session = event.session;
			model->session_last = 0;
			break;
		case BRIDGE_SESSION_DOWN:
			REQUIRE(model, !model->profile->gentle);
			REQUIRE(model, event.session == model->session);
			forget_session(model);
			break;
		case BRIDGE_SESSION_CONTESTED:
			REQUIRE(model, event.session == model->session);
			break;
		case BRIDGE_SESSION_EXECUTE:
			execute(model, &event);
			break;
		}
	}
}

/* A welcome and a refusal go to whoever said what they answer, all else to the session's daemon. */
static void send_frames(struct model *model)
{
	struct payload_view frame;
	struct wire_message message;

	while (bridge_session_pop_frame(model->bridge, &frame)) {
		const struct link_route *to;

		REQUIRE(model, wire_decode(frame.bytes, frame.size, &message) == 0);
		to = &model->route;
		if (message.type == WIRE_WELCOME)
			to = &model->newcomer;
		else if (message.type == WIRE_REFUSED)
			to = &model->from;
		(void)link_send(model->bridge_link, to, frame);
	}
}

static void refuse_unknown(struct model *model, uint64_t session)
{
	struct wire_message message = { .type = WIRE_REFUSED, .session = session };
	uint8_t frame[512];
	size_t size;

	message.refused = (struct wire_refused){ .reason = WIRE_REFUSED_NO_SESSION };
	REQUIRE(model, wire_encode(&message, frame, sizeof(frame), &size) == 0);
	(void)link_send(model->bridge_link, &model->from, (struct payload_view){ frame, size });
}

static void receive(struct model *model)
{
	struct wire_message message;
	int r;

	REQUIRE(model, wire_decode(model->buffer.bytes, model->buffer.size, &message) == 0);
	if (message.type != WIRE_HELLO && !bridge_session_knows(model->bridge, message.session)) {
		refuse_unknown(model, message.session);
		return;
	}
	r = bridge_session_receive(model->bridge, model->now, &message, model_identity(model));
	REQUIRE(model, r >= 0);
	if (r == 0 && message.type != WIRE_HELLO)
		model->route = model->from;
	if (message.type == WIRE_HELLO &&
			bridge_session_awaits(model->bridge, message.hello.guest_boot))
		model->newcomer = model->from;
	take_events(model);
	model_run_cards(model);
	send_frames(model);
}

static void tick(struct model *model)
{
	if (model->now >= bridge_session_deadline(model->bridge))
		REQUIRE(model, bridge_session_tick(model->bridge, model->now) == 0);
	take_events(model);
}

void model_run_bridge(struct model *model)
{
	if (model->now < model->stalled_until)
		return;
	/* After a sleep either may come first. */
	if (memory_net_random(model->net, 2) == 0)
		tick(model);
	while (link_receive(model->bridge_link, &model->from, &model->buffer) == 0)
		receive(model);
	tick(model);
	send_frames(model);
}

void model_change_readers(struct model *model)
{
	struct wire_reader *reader;

	model->readers.service = 1;
	model->readers.count = (uint8_t)(1 + memory_net_random(model->net, READERS));
	reader = &model->readers.readers[memory_net_random(model->net, model->readers.count)];
	reader->insertion++;
	reader->card = (uint8_t)memory_net_random(model->net, 3);
	bridge_session_set_readers(model->bridge, model->now, &model->readers);
}
