/*
 * The model check: both halves of a session in a world (model.h) in which things go wrong at
 * random.
 *
 *   - No call is executed twice, whatever happens, and those of a session are executed in order.
 *   - Every call ends, with one reply, within a bound. A reply that says OK is the answer to this
 *     call, which was executed; one of outcome unknown comes only with the end of a session.
 *   - While both ends live and the network only loses some frames, no session ends and no call is
 *     lost; while daemons only come and go, no other one's session ends.
 *   - When the faults are over, the two ends agree: session, readers, and a call goes through. Of
 *     two daemons of the same name one has the session, and the other one gets it after it.
 *
 * A run is given by a seed. "test-relay-model COUNT [FIRST]" plays that many seeds per profile,
 * says how many steps that were, and names the seed that fails. tests/model-check builds and runs
 * it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define SETTLE 60000  /* ms without faults and work, after which both ends must agree */
#define STEPS_MAX 2000000

static const struct profile profiles[] = {
	{
		.name = "perfect network",
		.faults = { .delay_most = 2 },
		.duration = 60000,
		.bound = 10,
		.gentle = true,
	},
	{
		.name = "loses and reorders",
		.faults = { .lose = 100, .repeat = 100, .late = 100, .late_most = 3000,
			.delay_most = 50 },
		.duration = 120000,
		.bound = 15000,
		.gentle = true,
	},
	{
		.name = "front dies",
		.faults = { .lose = 20, .repeat = 20, .late = 50, .late_most = 1000,
			.delay_most = 20 },
		.duration = 120000,
		.bound = 15000,
		.kill_front = 10,
		.gentle = true,
	},
	{
		.name = "frames that are late by a whole lease",
		.faults = { .lose = 300, .repeat = 200, .late = 200, .late_most = 30000,
			.delay_most = 300 },
		.duration = 300000,
		.bound = 70000,
	},
	{
		.name = "cut, stalled and wedged",
		.faults = { .lose = 50, .repeat = 50, .late = 50, .late_most = 20000,
			.delay_most = 20 },
		.duration = 300000,
		.bound = 75000,
		.cut = 8,
		.stall = 8,
		.wedge = 8,
	},
	{
		.name = "daemons come and go, and their frames are late",
		.faults = { .lose = 50, .repeat = 150, .late = 150, .late_most = 20000,
			.delay_most = 20 },
		.duration = 300000,
		.bound = 60000,
		.kill_guest = 8,
		.bye = 8,
		.steady = true,
	},
	{
		.name = "two daemons of one name",
		.faults = { .lose = 50, .repeat = 100, .late = 100, .late_most = 3000,
			.delay_most = 20 },
		.duration = 300000,
		.bound = 60000,
		.twin = 5,
		.kill_guest = 2,
		.sessions_most = 60,
	},
	{
		.name = "two daemons of one name, and one of them works",
		.faults = { .repeat = 100, .late = 100, .late_most = 300, .delay_most = 20 },
		.duration = 300000,
		.bound = 15000,
		.twin = 20,
		.kill_guest = 2,
		.steady = true,
	},
	{
		.name = "everything dies",
		.faults = { .lose = 50, .repeat = 100, .late = 100, .late_most = 20000,
			.delay_most = 20 },
		.duration = 300000,
		.bound = 75000,
		.cut = 4,
		.stall = 4,
		.wedge = 4,
		.kill_bridge = 4,
		.kill_front = 4,
		.kill_guest = 4,
		.bye = 4,
		.twin = 2,
	},
};

uint64_t model_identity(struct model *model)
{
	return memory_net_random(model->net, UINT64_MAX - 1) + 1;
}

/* ---- what befalls it ---- */

static void cut(struct model *model)
{
	memory_net_cut(model->net, true);
	model->cut_until = model->now + memory_net_random(model->net, 15000);
}

static struct model_daemon *any_daemon(struct model *model)
{
	struct model_daemon *daemon = &model->daemons[memory_net_random(model->net, DAEMONS)];

	return daemon->session != NULL ? daemon : &model->daemons[0];
}

static void stall(struct model *model)
{
	uint64_t until = model->now + memory_net_random(model->net, 15000);

	if (memory_net_random(model->net, 2) == 0)
		model->stalled_until = until;
	else
		any_daemon(model)->stalled_until = until;
}

static void wedge(struct model *model)
{
	struct model_daemon *daemon = any_daemon(model);

	/* Once is enough: a wedged link stays so. */
	if (!daemon->wedged)
		memory_link_wedge(daemon->link);
	daemon->wedged = true;
}

static void kill_bridge(struct model *model)
{
	model_stop_bridge(model);
	model_start_bridge(model);
}

static void kill_front(struct model *model)
{
	model->bridge_link = link_close(model->bridge_link);
	model->bridge_link = link_open_memory(model->net, true);
}

static void kill_guest(struct model *model)
{
	struct model_daemon *daemon = any_daemon(model);

	model_stop_daemon(model, daemon);
	model_start_daemon(model, daemon);
}

static void bye(struct model *model)
{
	struct model_daemon *daemon = any_daemon(model);

	if (daemon->leaving)
		return;
	daemon->leaving = true;
	guest_session_bye(daemon->session);
}

static void twin(struct model *model)
{
	if (model->daemons[1].session == NULL)
		model_start_daemon(model, &model->daemons[1]);
	else
		model_stop_daemon(model, &model->daemons[1]);
}

static void make_call(struct model *model)
{
	model_make_call(model, any_daemon(model));
}

static void act(struct model *model)
{
	const struct profile *profile = model->profile;
	const struct {
		unsigned of_1000;
		void (*happens)(struct model *model);
	} fates[] = {
		{ profile->cut, cut },
		{ profile->stall, stall },
		{ profile->wedge, wedge },
		{ profile->kill_bridge, kill_bridge },
		{ profile->kill_front, kill_front },
		{ profile->kill_guest, kill_guest },
		{ profile->bye, bye },
		{ profile->twin, twin },
		{ 60, model_change_readers },
		{ 1000, make_call },
	};
	uint64_t dice = memory_net_random(model->net, 1000);
	size_t i = 0;

	model->next_action = model->now + memory_net_random(model->net, 300);
	while (dice >= fates[i].of_1000) {
		dice -= fates[i].of_1000;
		i++;
	}
	fates[i].happens(model);
}

/* ---- the run ---- */

static void check_bounds(struct model *model)
{
	for (uint32_t i = 0; i < model->call_count; i++) {
		const struct model_call *call = &model->calls[i];

		REQUIRE(model, call->ended || call->idle_at == SESSION_NEVER ||
			model->now - call->idle_at <= model->profile->bound);
	}
}

static void sooner(uint64_t *next, uint64_t at)
{
	if (at < *next)
		*next = at;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool anybody_stalls(const struct model *model)
{
	bool stalls = model->now < model->stalled_until;

	for (size_t i = 0; i < DAEMONS; i++)
		stalls = stalls || model->now < model->daemons[i].stalled_until;
	return stalls;
}

/* To the next moment at which anything happens. */
static void pass_time(struct model *model)
{
	uint64_t next = memory_net_next(model->net);

	sooner(&next, model->next_action);
	sooner(&next, model_cards_deadline(model));
	sooner(&next, later(bridge_session_deadline(model->bridge), model->stalled_until));
	for (size_t i = 0; i < DAEMONS; i++) {
		const struct model_daemon *daemon = &model->daemons[i];

		if (daemon->session != NULL)
			sooner(&next, later(guest_session_deadline(daemon->session),
				daemon->stalled_until));
	}
	/* A frame that waits for somebody who is stalled must not stop the clock. */
	if (next <= model->now && anybody_stalls(model))
		next = model->now + 10;
	model->now = later(next, model->now);
	memory_net_set_time(model->net, model->now);
}

static void run_until(struct model *model, uint64_t end)
{
	uint64_t steps = 0;

	while (model->now < end) {
		pass_time(model);
		if (model->now >= model->cut_until)
			memory_net_cut(model->net, false);
		model_run_cards(model);
		model_run_bridge(model);
		for (size_t i = 0; i < DAEMONS; i++)
			model_run_daemon(model, &model->daemons[i]);
		if (!model->faults_over && model->now >= model->next_action)
			act(model);
		REQUIRE(model, ++steps < STEPS_MAX);
	}
	model->total.steps += steps;
	check_bounds(model);
}

static void end_faults(struct model *model)
{
	static const struct memory_faults none = { .delay_most = 1 };

	model->faults_over = true;
	model->next_action = SESSION_NEVER;
	model->stalled_until = 0;
	for (size_t i = 0; i < DAEMONS; i++)
		model->daemons[i].stalled_until = 0;
	memory_net_set_faults(model->net, &none);
	memory_net_cut(model->net, false);
	while (model_cards_deadline(model) != SESSION_NEVER)
		run_until(model, model->now + SESSION_LEASE);
	run_until(model, model->now + SETTLE);
}

/* ---- what must be true at the end ---- */

static struct model_daemon *only_one_up(struct model *model)
{
	struct model_daemon *up = NULL;

	for (size_t i = 0; i < DAEMONS; i++) {
		struct model_daemon *daemon = &model->daemons[i];

		if (daemon->session == NULL || !guest_session_is_up(daemon->session))
			continue;
		REQUIRE(model, up == NULL);
		up = daemon;
	}
	REQUIRE(model, up != NULL);
	return up;
}

static void check_agreement(struct model *model)
{
	struct model_daemon *up = only_one_up(model);
	const struct wire_readers *seen = guest_session_readers(up->session);
	struct model_call *last;

	REQUIRE(model, seen->count == model->readers.count);
	for (size_t i = 0; i < seen->count; i++) {
		REQUIRE(model, seen->readers[i].insertion == model->readers.readers[i].insertion);
		REQUIRE(model, seen->readers[i].card == model->readers.readers[i].card);
	}
	for (uint32_t i = 0; i < model->call_count; i++)
		REQUIRE(model, model->calls[i].ended);
	model->call_count -= model->call_count == CALLS_MAX;
	last = &model->calls[model->call_count];
	model_make_call(model, up);
	REQUIRE(model, last == &model->calls[model->call_count - 1]);
	do {
		run_until(model, model->now + 1000);
	} while (model_cards_deadline(model) != SESSION_NEVER);
	run_until(model, model->now + 1000); /* the card may be done just now */
	REQUIRE(model, last->ended && last->executed == 1);
}

/* The one without the session gets it when the other one is gone. */
static void check_heir(struct model *model)
{
	struct model_daemon *up = only_one_up(model);

	if (model->daemons[0].session == NULL || model->daemons[1].session == NULL)
		return;
	model_stop_daemon(model, up);
	run_until(model, model->now + SESSION_LEASE + 2 * SESSION_HELLO_INTERVAL);
	check_agreement(model);
	if (model->daemons[0].session == NULL)
		model_start_daemon(model, &model->daemons[0]);
}

static void check_profile(struct model *model)
{
	for (uint32_t i = 0; model->profile->gentle && i < model->call_count; i++)
		REQUIRE(model, model->calls[i].executed == 1);
	REQUIRE(model, model->profile->sessions_most == 0 ||
		model->sessions <= model->profile->sessions_most);
}

static void play(const struct profile *profile, uint64_t seed, struct model_total *total)
{
	static struct model model;
	uint64_t sent;
	uint64_t lost;

	memset(&model, 0, sizeof(model));
	model.total = *total;
	model.profile = profile;
	model.seed = seed;
	model.net = memory_net_new(seed);
	assert_int_equal(payload_init(&model.buffer, WIRE_FRAME_MAX), 0);
	memory_net_set_faults(model.net, &profile->faults);
	model_start_bridge(&model);
	model_start_daemon(&model, &model.daemons[0]);
	run_until(&model, profile->duration);

	end_faults(&model);
	check_profile(&model);
	check_agreement(&model);
	check_heir(&model);

	for (size_t i = 0; i < DAEMONS; i++) {
		if (model.daemons[i].session != NULL)
			model_stop_daemon(&model, &model.daemons[i]);
	}
	model_stop_bridge(&model);
	memory_net_count(model.net, &sent, &lost);
	model.total.sent += sent;
	model.total.lost += lost;
	*total = model.total;
	memory_net_free(model.net);
	payload_deinit(&model.buffer);
}

static uint64_t seeds = 32;
static uint64_t first_seed = 1;

static void test_profile(void **state)
{
	const struct profile *profile = *state;
	struct model_total total = { .steps = 0 };

	for (uint64_t i = 0; i < seeds; i++)
		play(profile, first_seed + i, &total);
	print_message("%s: seeds %" PRIu64 " to %" PRIu64 ", %" PRIu64 " steps, %" PRIu64
		" sessions, %" PRIu64 " of %" PRIu64 " frames lost, %" PRIu64
		" calls answered, %" PRIu64 " of unknown outcome\n",
		profile->name, first_seed, first_seed + seeds - 1, total.steps, total.sessions,
		total.lost, total.sent, total.answered, total.unknown);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[sizeof(profiles) / sizeof(profiles[0])];

	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		tests[i] = (struct CMUnitTest){
			.name = profiles[i].name,
			.test_func = test_profile,
		};
		memcpy(&tests[i].initial_state, &(const void *){ &profiles[i] },
			sizeof(tests[i].initial_state));
	}
	return cmocka_run_group_tests_name("relay-model", tests, NULL, NULL);
}
