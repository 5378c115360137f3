/*
 * Both halves of a session over a network that loses, repeats, delays and reorders frames, with a
 * bridge that dies, a guest that dies, and a card that counts.
 *
 *   - No call is executed twice, whatever happens, and calls of a session are executed in order.
 *   - Every call ends, with one reply, within a bound. A reply that says OK is the answer to this
 *     call, which was executed; one of outcome unknown comes only with the end of a session.
 *   - While both ends live and the network only loses some frames, no call is lost.
 *   - When the faults are over, the two ends agree: session, readers, and a call goes through.
 *
 * A run is given by a seed. "test-relay-lossy COUNT [FIRST]" plays that many seeds per profile,
 * says how many steps that were, and names the seed that fails.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "link_memory.h"
#include "relay/session.h"

#define CALLS_MAX 4000
#define RUNNING_MAX 64
#define CARD_SLOW 8000     /* ms that the slowest APDU takes */
#define SETTLE 60000       /* ms without faults, after which both ends must agree */

struct profile {
	const char *name;
	struct memory_faults faults;
	uint64_t duration;    /* ms */
	uint64_t bound;       /* ms from a call to its end, whatever happens */
	unsigned cut;         /* of 1000 actions: the network goes away for up to 15 s */
	unsigned kill_bridge; /* of 1000 actions */
	unsigned kill_guest;  /* of 1000 actions */
	bool gentle;          /* no session may end, no call may be lost */
};

static const struct profile profiles[] = {
	{
		.name = "perfect network",
		.faults = { .delay_most = 2 },
		.duration = 60000,
		.bound = CARD_SLOW + 10,
		.gentle = true,
	},
	{
		.name = "loses and reorders",
		.faults = { .lose = 100, .repeat = 100, .late = 100, .late_most = 3000,
			.delay_most = 50 },
		.duration = 120000,
		.bound = 25000,
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
		.name = "cut",
		.faults = { .lose = 50, .repeat = 50, .late = 50, .late_most = 20000,
			.delay_most = 20 },
		.duration = 300000,
		.bound = 60000,
		.cut = 10,
	},
	{
		.name = "everything dies",
		.faults = { .lose = 50, .repeat = 100, .late = 100, .late_most = 20000,
			.delay_most = 20 },
		.duration = 300000,
		.bound = 60000,
		.cut = 4,
		.kill_bridge = 4,
		.kill_guest = 4,
	},
};

/* What a call has come to. Its number is what the card gets as its APDU. */
struct call {
	uint64_t made;
	uint32_t label;   /* its number in the guest's half */
	uint32_t guest;   /* which guest has made it */
	uint8_t executed; /* how often */
	bool ended;
};

struct running {
	bool used;
	uint64_t until;
	uint64_t session;
	uint32_t number;
	uint32_t call;
};

/* What happened, so that a reader can see that the faults bite. */
struct total {
	uint64_t steps;
	uint64_t answered;
	uint64_t unknown;
	uint64_t sessions;
	uint64_t sent;
	uint64_t lost;
};

struct world {
	const struct profile *profile;
	uint64_t seed;
	uint64_t now;
	struct total total;
	struct memory_net *net;
	bool faults_over;

	struct link *guest_link;
	struct guest_session *guest;
	uint32_t guest_count;
	bool going_down; /* unknown outcomes have come; the end of the session must follow */

	struct link *bridge_link;
	struct bridge_session *bridge;
	struct link_route route;
	struct wire_readers readers;
	uint64_t executing_session;
	uint32_t executed_last;

	struct call calls[CALLS_MAX];
	uint32_t call_count;
	struct running running[RUNNING_MAX];
	uint64_t next_action;
	uint64_t cut_until;
};

#define REQUIRE(world, condition) \
	do { \
		if (!(condition)) \
			fail_msg("%s, seed %" PRIu64 ", at %" PRIu64 " ms: not true: %s", \
				(world)->profile->name, (world)->seed, (world)->now, #condition); \
	} while (0)

/* ---- the guest and its owner ---- */

static uint64_t new_identity(struct world *world)
{
	return memory_net_random(world->net, UINT64_MAX - 1) + 1;
}

static void start_guest(struct world *world)
{
	world->guest_count++;
	world->going_down = false;
	world->guest_link = link_open_memory(world->net, false);
	REQUIRE(world, guest_session_new(&world->guest, "vm1", new_identity(world), world->now) == 0);
}

static void stop_guest(struct world *world)
{
	world->guest = guest_session_free(world->guest);
	world->guest_link = link_close(world->guest_link);
	/* Its calls have nobody to end for; they may still be executed, once. */
	for (uint32_t i = 0; i < world->call_count; i++)
		world->calls[i].ended = true;
}

static struct call *find_call(struct world *world, uint32_t label)
{
	uint32_t i = world->call_count;

	while (i > 0 && (world->calls[i - 1].label != label ||
			world->calls[i - 1].guest != world->guest_count))
		i--;
	REQUIRE(world, i > 0);
	return &world->calls[i - 1];
}

static void take_reply(struct world *world, const struct wire_reply *reply)
{
	struct call *call = find_call(world, reply->number);
	uint32_t index = (uint32_t)(call - world->calls);
	uint32_t answered;

	REQUIRE(world, !call->ended);
	REQUIRE(world, world->now - call->made <= world->profile->bound);
	call->ended = true;
	if (reply->outcome == WIRE_OUTCOME_UNKNOWN) {
		REQUIRE(world, reply->data.size == 0);
		world->going_down = true;
		world->total.unknown++;
		return;
	}
	world->total.answered++;
	REQUIRE(world, reply->outcome == WIRE_OK);
	REQUIRE(world, call->executed == 1);
	REQUIRE(world, reply->data.size == sizeof(answered));
	memcpy(&answered, reply->data.bytes, sizeof(answered));
	REQUIRE(world, answered == index);
}

static void take_guest_events(struct world *world)
{
	struct guest_event event;

	while (guest_session_pop_event(world->guest, &event)) {
		switch (event.type) {
		case GUEST_SESSION_REPLY:
			take_reply(world, &event.reply);
			break;
		case GUEST_SESSION_DOWN:
			REQUIRE(world, !world->profile->gentle);
			world->going_down = false;
			break;
		case GUEST_SESSION_RELINK:
			world->guest_link = link_close(world->guest_link);
			world->guest_link = link_open_memory(world->net, false);
			break;
		case GUEST_SESSION_UP:
		case GUEST_SESSION_READERS:
		case GUEST_SESSION_REFUSED:
			break;
		}
	}
	REQUIRE(world, !world->going_down);
}

static void send_guest_frames(struct world *world)
{
	struct payload_view frame;

	while (guest_session_pop_frame(world->guest, &frame))
		(void)link_send(world->guest_link, NULL, frame);
}

static void run_guest(struct world *world, struct payload *buffer)
{
	while (link_receive(world->guest_link, NULL, buffer) == 0) {
		REQUIRE(world, guest_session_receive(world->guest, world->now, buffer->bytes,
			buffer->size) >= 0);
		take_guest_events(world);
	}
	if (world->now >= guest_session_deadline(world->guest))
		REQUIRE(world, guest_session_tick(world->guest, world->now) == 0);
	take_guest_events(world);
	send_guest_frames(world);
}

static void make_call(struct world *world)
{
	uint32_t index = world->call_count;
	struct call *call = &world->calls[index];
	struct wire_call wanted = {
		.reader = (uint32_t)memory_net_random(world->net, 3),
		.operation = WIRE_TRANSMIT,
		.data = { .bytes = (const uint8_t *)&index, .size = sizeof(index) },
	};

	if (index == CALLS_MAX)
		return;
	if (guest_session_call(world->guest, world->now, &wanted, &call->label) != 0)
		return;
	call->made = world->now;
	call->guest = world->guest_count;
	world->call_count++;
}

/* ---- the bridge, its core and its card ---- */

static void start_bridge(struct world *world)
{
	world->bridge_link = link_open_memory(world->net, true);
	REQUIRE(world, bridge_session_new(&world->bridge, new_identity(world)) == 0);
	bridge_session_set_readers(world->bridge, world->now, &world->readers);
	world->executing_session = 0;
}

/* The APDUs that are at the card are lost with their worker; that they were executed stays true. */
static void stop_bridge(struct world *world)
{
	world->bridge = bridge_session_free(world->bridge);
	world->bridge_link = link_close(world->bridge_link);
	memset(world->running, 0, sizeof(world->running));
}

static struct running *free_place(struct world *world)
{
	size_t i = 0;

	while (i < RUNNING_MAX && world->running[i].used)
		i++;
	REQUIRE(world, i < RUNNING_MAX);
	return &world->running[i];
}

static void execute(struct world *world, const struct bridge_event *event)
{
	uint64_t slow = memory_net_random(world->net, 100) < 5 ? CARD_SLOW : 100;
	uint32_t index;

	REQUIRE(world, event->call.data.size == sizeof(index));
	memcpy(&index, event->call.data.bytes, sizeof(index));
	REQUIRE(world, index < world->call_count);
	REQUIRE(world, ++world->calls[index].executed == 1);
	REQUIRE(world, event->session == world->executing_session);
	REQUIRE(world, index >= world->executed_last);
	world->executed_last = index;
	*free_place(world) = (struct running){
		.used = true,
		.until = world->now + memory_net_random(world->net, slow),
		.session = event->session,
		.number = event->call.number,
		.call = index,
	};
}

static void take_bridge_events(struct world *world)
{
	struct bridge_event event;

	while (bridge_session_pop_event(world->bridge, &event)) {
		switch (event.type) {
		case BRIDGE_SESSION_UP:
			world->total.sessions++;
			world->executing_session = event.session;
			world->executed_last = 0;
			break;
		case BRIDGE_SESSION_DOWN:
			REQUIRE(world, !world->profile->gentle);
			/* Some workers end later than their session, and complete into the void. */
			world->executing_session = 0;
			break;
		case BRIDGE_SESSION_EXECUTE:
			execute(world, &event);
			break;
		}
	}
}

static void send_bridge_frames(struct world *world)
{
	struct payload_view frame;

	while (bridge_session_pop_frame(world->bridge, &frame))
		(void)link_send(world->bridge_link, &world->route, frame);
}

static void complete_calls(struct world *world)
{
	for (size_t i = 0; i < RUNNING_MAX; i++) {
		struct running *running = &world->running[i];
		struct wire_reply reply = { .number = running->number };

		if (!running->used || running->until > world->now)
			continue;
		running->used = false;
		reply.data = (struct payload_view){
			.bytes = (const uint8_t *)&running->call,
			.size = sizeof(running->call),
		};
		REQUIRE(world, bridge_session_complete(world->bridge, world->now,
			running->session, &reply) == 0);
		send_bridge_frames(world);
	}
}

static void refuse_unknown(struct world *world, const struct link_route *from, uint64_t session)
{
	struct wire_message message = { .type = WIRE_REFUSED, .session = session };
	uint8_t frame[512];
	size_t size;

	message.refused = (struct wire_refused){ .reason = WIRE_REFUSED_NO_SESSION };
	REQUIRE(world, wire_encode(&message, frame, sizeof(frame), &size) == 0);
	(void)link_send(world->bridge_link, from, (struct payload_view){ frame, size });
}

static void run_bridge(struct world *world, struct payload *buffer)
{
	struct wire_message message;
	struct link_route from;

	while (link_receive(world->bridge_link, &from, buffer) == 0) {
		REQUIRE(world, wire_decode(buffer->bytes, buffer->size, &message) == 0);
		if (message.type != WIRE_HELLO &&
				message.session != bridge_session_id(world->bridge)) {
			refuse_unknown(world, &from, message.session);
			continue;
		}
		world->route = from;
		REQUIRE(world, bridge_session_receive(world->bridge, world->now, &message,
			new_identity(world)) >= 0);
		take_bridge_events(world);
		send_bridge_frames(world);
	}
	if (world->now >= bridge_session_deadline(world->bridge))
		REQUIRE(world, bridge_session_tick(world->bridge, world->now) == 0);
	take_bridge_events(world);
	complete_calls(world);
	send_bridge_frames(world);
}

static void change_readers(struct world *world)
{
	struct wire_reader *reader;

	world->readers.service = 1;
	world->readers.count = (uint8_t)(1 + memory_net_random(world->net, 3));
	reader = &world->readers.readers[memory_net_random(world->net, world->readers.count)];
	reader->insertion++;
	reader->card = (uint8_t)memory_net_random(world->net, 3);
	bridge_session_set_readers(world->bridge, world->now, &world->readers);
	send_bridge_frames(world);
}

/* ---- the run ---- */

static void act(struct world *world)
{
	const struct profile *profile = world->profile;
	uint64_t dice = memory_net_random(world->net, 1000);

	world->next_action = world->now + memory_net_random(world->net, 300);
	if (world->now >= world->cut_until)
		memory_net_cut(world->net, false);
	if (dice < profile->cut) {
		memory_net_cut(world->net, true);
		world->cut_until = world->now + memory_net_random(world->net, 15000);
	} else if (dice < profile->cut + profile->kill_bridge) {
		stop_bridge(world);
		start_bridge(world);
	} else if (dice < profile->cut + profile->kill_bridge + profile->kill_guest) {
		stop_guest(world);
		start_guest(world);
	} else if (dice < 100) {
		change_readers(world);
	} else {
		make_call(world);
	}
}

static void check_bounds(struct world *world)
{
	for (uint32_t i = 0; i < world->call_count; i++)
		REQUIRE(world, world->calls[i].ended ||
			world->now - world->calls[i].made <= world->profile->bound);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* To the next moment at which anything happens. */
static void pass_time(struct world *world)
{
	uint64_t next = sooner(memory_net_next(world->net), world->next_action);

	next = sooner(next, guest_session_deadline(world->guest));
	next = sooner(next, bridge_session_deadline(world->bridge));
	for (size_t i = 0; i < RUNNING_MAX; i++) {
		if (world->running[i].used)
			next = sooner(next, world->running[i].until);
	}
	if (next > world->now)
		world->now = next;
	memory_net_set_time(world->net, world->now);
}

static void run_until(struct world *world, uint64_t end, struct payload *buffer)
{
	uint64_t steps_left = 2000000;

	while (world->now < end) {
		pass_time(world);
		run_bridge(world, buffer);
		run_guest(world, buffer);
		if (!world->faults_over && world->now >= world->next_action)
			act(world);
		send_guest_frames(world);
		world->total.steps++;
		REQUIRE(world, --steps_left > 0);
	}
	check_bounds(world);
}

static void check_agreement(struct world *world, struct payload *buffer)
{
	const struct wire_readers *seen = guest_session_readers(world->guest);
	uint32_t last;

	REQUIRE(world, guest_session_is_up(world->guest));
	REQUIRE(world, seen->count == world->readers.count);
	for (size_t i = 0; i < seen->count; i++) {
		REQUIRE(world, seen->readers[i].insertion == world->readers.readers[i].insertion);
		REQUIRE(world, seen->readers[i].card == world->readers.readers[i].card);
	}
	for (uint32_t i = 0; i < world->call_count; i++)
		REQUIRE(world, world->calls[i].ended);
	last = world->call_count < CALLS_MAX ? world->call_count : CALLS_MAX - 1;
	world->call_count = last;
	world->calls[last] = (struct call){ .made = 0 };
	make_call(world);
	REQUIRE(world, world->call_count == last + 1);
	send_guest_frames(world);
	run_until(world, world->now + CARD_SLOW + SESSION_HEARTBEAT, buffer);
	REQUIRE(world, world->calls[last].ended);
	REQUIRE(world, world->calls[last].executed == 1);
}

static void check_gentle(struct world *world)
{
	for (uint32_t i = 0; world->profile->gentle && i < world->call_count; i++)
		REQUIRE(world, world->calls[i].executed == 1);
}

static void play(const struct profile *profile, uint64_t seed, struct total *total)
{
	static const struct memory_faults none = { .delay_most = 1 };
	static struct world world;
	struct payload buffer;
	uint64_t sent;
	uint64_t lost;

	memset(&world, 0, sizeof(world));
	world.total = *total;
	world.profile = profile;
	world.seed = seed;
	world.net = memory_net_new(seed);
	assert_int_equal(payload_init(&buffer, WIRE_FRAME_MAX), 0);
	memory_net_set_faults(world.net, &profile->faults);
	start_bridge(&world);
	start_guest(&world);
	run_until(&world, profile->duration, &buffer);

	world.faults_over = true;
	world.next_action = UINT64_MAX;
	memory_net_set_faults(world.net, &none);
	memory_net_cut(world.net, false);
	run_until(&world, world.now + SETTLE, &buffer);
	check_gentle(&world);
	check_agreement(&world, &buffer);

	stop_guest(&world);
	stop_bridge(&world);
	memory_net_count(world.net, &sent, &lost);
	world.total.sent += sent;
	world.total.lost += lost;
	*total = world.total;
	memory_net_free(world.net);
	payload_deinit(&buffer);
}

static uint64_t seeds = 8;
static uint64_t first_seed = 1;

static void test_profile(void **state)
{
	const struct profile *profile = *state;
	struct total total = { .steps = 0 };

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
	return cmocka_run_group_tests_name("relay-lossy", tests, NULL, NULL);
}
