/*
 * The guest's daemons and what they do with their calls. See model.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "model.h"

#include <string.h>

void model_start_daemon(struct model *model, struct model_daemon *daemon)
{
	*daemon = (struct model_daemon){ .serial = ++model->daemon_count };
	daemon->link = link_open_memory(model->net, false);
	REQUIRE(model, guest_session_new(&daemon->session, "vm1", model_identity(model),
		model->now) == 0);
}

void model_stop_daemon(struct model *model, struct model_daemon *daemon)
{
	daemon->session = guest_session_free(daemon->session);
	daemon->link = link_close(daemon->link);
	for (uint32_t i = 0; i < model->call_count; i++) {
		if (model->calls[i].daemon == daemon->serial)
			model->calls[i].ended = true;
	}
}

static struct model_call *find_call(struct model *model, uint32_t daemon, uint32_t label)
{
	uint32_t i = model->call_count;

	while (i > 0 && (model->calls[i - 1].label != label ||
			model->calls[i - 1].daemon != daemon))
		i--;
	REQUIRE(model, i > 0);
	return &model->calls[i - 1];
}

static void take_reply(struct model *model, struct model_daemon *daemon,
	const struct wire_reply *reply)
{
	struct model_call *call = find_call(model, daemon->serial, reply->number);
	uint32_t index = (uint32_t)(call - model->calls);
	uint32_t answered;

	REQUIRE(model, !call->ended);
	call->ended = true;
	if (reply->outcome == WIRE_OUTCOME_UNKNOWN) {
		REQUIRE(model, reply->data.size == 0);
		daemon->going_down = true;
		model->total.unknown++;
		return;
	}
	model->total.answered++;
	REQUIRE(model, reply->outcome == WIRE_OK);
	REQUIRE(model, call->executed == 1);
	REQUIRE(model, model->now - call->idle_at <= model->profile->bound);
	REQUIRE(model, reply->data.size == sizeof(answered));
	memcpy(&answered, reply->data.bytes, sizeof(answered));
	REQUIRE(model, answered == index);
}

static void take_down(struct model *model, struct model_daemon *daemon)
{
	REQUIRE(model, !model->profile->gentle);
	REQUIRE(model, !model->profile->steady || !daemon->used || daemon->leaving);
	daemon->going_down = false;
	daemon->used = false;
}

/* Returns whether the daemon has reached its orderly end. */
static bool take_events(struct model *model, struct model_daemon *daemon)
{
	struct guest_event event;

	while (guest_session_pop_event(daemon->session, &event)) {
		switch (event.type) {
		case GUEST_SESSION_REPLY:
			take_reply(model, daemon, &event.reply);
			break;
		case GUEST_SESSION_DOWN:
			take_down(model, daemon);
			if (daemon->leaving)
				return true;
			break;
		case GUEST_SESSION_RELINK:
			daemon->link = link_close(daemon->link);
			daemon->link = link_open_memory(model->net, false);
			daemon->wedged = false;
			break;
		case GUEST_SESSION_READERS:
			daemon->used = true;
			break;
		case GUEST_SESSION_UP:
		case GUEST_SESSION_REFUSED:
			break;
		}
	}
	REQUIRE(model, !daemon->going_down || daemon->leaving);
	return false;
}

static void send_frames(struct model_daemon *daemon)
{
	struct payload_view frame;

	while (guest_session_pop_frame(daemon->session, &frame))
		(void)link_send(daemon->link, NULL, frame);
}

static void tick(struct model *model, struct model_daemon *daemon)
{
	if (model->now >= guest_session_deadline(daemon->session))
		REQUIRE(model, guest_session_tick(daemon->session, model->now) == 0);
}

/*
 * Returns whether the daemon has reached its orderly end. After a sleep, an event loop may see first
 * that time has passed, and then what has come meanwhile.
 */
static bool receive_and_tick(struct model *model, struct model_daemon *daemon)
{
	if (memory_net_random(model->net, 2) == 0)
		tick(model, daemon);
	if (take_events(model, daemon))
		return true;
	while (link_receive(daemon->link, NULL, &model->buffer) == 0) {
		REQUIRE(model, guest_session_receive(daemon->session, model->now,
			model->buffer.bytes, model->buffer.size) >= 0);
		if (take_events(model, daemon))
			return true;
	}
	tick(model, daemon);
	return take_events(model, daemon);
}

void model_run_daemon(struct model *model, struct model_daemon *daemon)
{
	if (daemon->session == NULL || model->now < daemon->stalled_until)
		return;
	if (receive_and_tick(model, daemon)) {
		model_stop_daemon(model, daemon);
		model_start_daemon(model, daemon);
	}
	send_frames(daemon);
}

void model_make_call(struct model *model, struct model_daemon *daemon)
{
	uint32_t index = model->call_count;
	struct model_call *call = &model->calls[index];
	struct wire_call wanted = {
		.reader = (uint32_t)memory_net_random(model->net, READERS),
		.operation = WIRE_TRANSMIT,
		.data = { .bytes = (const uint8_t *)&index, .size = sizeof(index) },
	};

	if (daemon->session == NULL || index == CALLS_MAX)
		return;
	memset(call, 0, sizeof(*call));
	if (guest_session_call(daemon->session, model->now, &wanted, &call->label) != 0)
		return;
	call->idle_at = model->now;
	call->daemon = daemon->serial;
	call->reader = wanted.reader;
	model->call_count++;
	if (model->now >= daemon->stalled_until)
		send_frames(daemon);
}
