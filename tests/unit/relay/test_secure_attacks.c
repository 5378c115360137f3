/*
 * What somebody can send to a bridge, or to a guest, who has not the key for it: none of it comes
 * through, none of it takes memory, and none of it disturbs a guest that works.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "relay/secure.h"
#include "secure_pair.h"

struct world {
	struct secure_guest *guest; /* the good one, key_of(0), with an open channel */
	struct secure_bridge *bridge;
	uint64_t channel;
};

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->guest = pair_guest(0, KEY_BRIDGE);
	world->bridge = pair_bridge();
	world->channel = pair_open(world->guest, world->bridge, 0);
	*state = world;
	return 0;
}

/* Whatever happened, the good guest has noticed nothing. */
static int teardown(void **state)
{
	struct world *world = *state;

	pair_works(world->guest, world->bridge, 1000, world->channel);
	secure_guest_free(world->guest);
	secure_bridge_free(world->bridge);
	free(world);
	return 0;
}

/* A message 1 by anybody, with a guest object to go on with. */
static struct frame first_of(struct secure_guest *guest, uint64_t now)
{
	struct payload_view view = { (const uint8_t *)"hello", 5 };

	assert_int_equal(secure_guest_seal(guest, now, view, &view), SECURE_HELD);
	return guest_next(guest, now);
}

static int bridge_result(struct secure_bridge *bridge, uint64_t now, struct frame frame)
{
	struct secure_received received;
	char text[64];
	int r = bridge_hears(bridge, now, frame, text, &received);

	/* Only a handshake by a listed key is worth an answer. */
	assert_true(r == SECURE_ANSWER || received.answer.size == 0);
	return r;
}

static void test_unknown_key(void **state)
{
	struct world *world = *state;
	struct secure_guest *stranger = pair_guest(50, KEY_BRIDGE);
	struct frame first = first_of(stranger, 0);

	for (int i = 0; i < 100; i++)
		assert_int_equal(bridge_result(world->bridge, 0, first), SECURE_UNKNOWN_KEY);
	assert_true(secure_bridge_counts(world->bridge)->unknown_key == 100);
	frame_free(first);
	secure_guest_free(stranger);
}

/* A guest that expects another bridge learns nothing, and tells nothing: not even its own key. */
static void test_wrong_bridge(void **state)
{
	struct world *world = *state;
	struct secure_guest *astray = pair_guest(1, 51);
	struct key_pair own = key_of(1);
	struct frame first = first_of(astray, 0);

	assert_int_equal(bridge_result(world->bridge, 0, first), SECURE_NOT_OURS);
	assert_true(secure_bridge_counts(world->bridge)->not_ours == 1);
	assert_null(memmem(first.bytes, first.size, own.public.bytes, KEY_SIZE));
	frame_free(first);
	secure_guest_free(astray);
}

/*
 * A recorded message 1, again and again and later: it is answered, and that is all. The answer is
 * of no use to who has not the guest's keys, and nothing that was recorded fits the new channel.
 */
static void test_replayed_handshake(void **state)
{
	struct world *world = *state;
	struct secure_guest *guest = pair_guest(1, KEY_BRIDGE);
	struct frame first = first_of(guest, 0), second, third, fourth;
	struct secure_received received;
	char text[64];

	second = bridge_answers(world->bridge, 0, first);
	assert_int_equal(guest_hears(guest, 0, second, text), SECURE_NOTHING);
	third = guest_next(guest, 0);
	assert_int_equal(bridge_hears(world->bridge, 0, third, text, &received), 0);
	for (uint64_t now = 1; now < 100; now++) {
		struct frame answer = bridge_answers(world->bridge, now, first);

		assert_int_equal(bridge_result(world->bridge, now, third), SECURE_DROPPED);
		assert_int_equal(guest_hears(guest, now, answer, text), SECURE_DROPPED);
		frame_free(answer);
	}
	fourth = guest_says(guest, 100, "still here");
	assert_int_equal(bridge_hears(world->bridge, 100, fourth, text, &received), 0);
	assert_string_equal(text, "still here");
	frame_free(first);
	frame_free(second);
	frame_free(third);
	frame_free(fourth);
	secure_guest_free(guest);
}

/* Each frame once, in its order: what comes again, or after a later one, is dropped. */
static void test_replay_and_order(void **state)
{
	struct world *world = *state;
	struct frame frames[10], answers[10];
	char text[64];

	for (int i = 0; i < 10; i++) {
		frames[i] = guest_says(world->guest, 1, "VERIFY");
		answers[i] = bridge_says(world->bridge, 1, world->channel, "9000");
	}
	for (int i = 0; i < 10; i += 3) { /* with gaps: links lose frames */
		assert_int_equal(bridge_result(world->bridge, 2, frames[i]), 0);
		assert_int_equal(guest_hears(world->guest, 2, answers[i], text), 0);
		for (int j = 0; j <= i; j++) {
			assert_int_equal(bridge_result(world->bridge, 2, frames[j]), SECURE_DROPPED);
			assert_int_equal(guest_hears(world->guest, 2, answers[j], text),
				SECURE_DROPPED);
		}
	}
	assert_true(secure_bridge_counts(world->bridge)->replayed == 1 + 4 + 7 + 10);
	assert_true(secure_guest_counts(world->guest)->replayed == 1 + 4 + 7 + 10);
	/* Back to where it came from. */
	frame_free(frames[0]);
	frames[0] = guest_says(world->guest, 2, "mirror");
	assert_int_equal(guest_hears(world->guest, 2, frames[0], text), SECURE_DROPPED);
	for (int i = 0; i < 10; i++) {
		frame_free(frames[i]);
		frame_free(answers[i]);
	}
}

/* The same text twice is never the same frame: nobody sees what is repeated. */
static void test_repetition_looks_new(void **state)
{
	struct world *world = *state;
	struct frame one = guest_says(world->guest, 1, "VERIFY 12345678");
	struct frame other = guest_says(world->guest, 1, "VERIFY 12345678");

	assert_int_equal(one.size, other.size);
	assert_memory_not_equal(one.bytes + SECURE_DATA_HEADER_SIZE,
		other.bytes + SECURE_DATA_HEADER_SIZE, one.size - SECURE_DATA_HEADER_SIZE);
	frame_free(one);
	frame_free(other);
}

typedef void (*expectation)(struct world *world, struct frame frame, void *context);

/* A frame cut at every place, longer by a byte, and with every bit turned. */
static void damage(struct world *world, struct frame frame, expectation expect, void *context)
{
	for (size_t size = 0; size < frame.size; size++) {
		struct frame cut = frame_copy((struct payload_view){ frame.bytes, size });

		expect(world, cut, context);
		frame_free(cut);
	}
	for (size_t i = 0; i < frame.size * 8; i++) {
		struct frame turned = frame_copy(frame_view(frame));

		turned.bytes[i / 8] ^= (uint8_t)(1u << i % 8);
		expect(world, turned, context);
		frame_free(turned);
	}
	for (size_t i = 0; i < 256; i += 85) {
		uint8_t *longer = malloc(frame.size + 1);
		struct frame grown = { .bytes = longer, .size = frame.size + 1 };

		assert_non_null(longer);
		memcpy(longer, frame.bytes, frame.size);
		longer[frame.size] = (uint8_t)i;
		expect(world, grown, context);
		frame_free(grown);
	}
}

static void bridge_refuses(struct world *world, struct frame frame, void *context)
{
	int r = bridge_result(world->bridge, 1, frame);

	(void)context;
	assert_true(r == SECURE_DROPPED || r == SECURE_PLAIN || r == SECURE_NOT_OURS);
}

static void guest_refuses(struct world *world, struct frame frame, void *context)
{
	struct secure_guest *guest = context != NULL ? context : world->guest;
	char text[64];
	int r = guest_hears(guest, 1, frame, text);

	assert_true(r == SECURE_DROPPED || r == SECURE_PLAIN);
}

static void test_damaged_data(void **state)
{
	struct world *world = *state;
	struct frame frame = guest_says(world->guest, 1, "VERIFY"), answer;
	char text[64];

	damage(world, frame, bridge_refuses, NULL);
	assert_int_equal(bridge_result(world->bridge, 1, frame), 0);
	answer = bridge_says(world->bridge, 1, world->channel, "9000");
	damage(world, answer, guest_refuses, NULL);
	assert_int_equal(guest_hears(world->guest, 1, answer, text), 0);
	frame_free(frame);
	frame_free(answer);
}

static void test_damaged_handshake(void **state)
{
	struct world *world = *state;
	struct secure_guest *guest = pair_guest(1, KEY_BRIDGE);
	struct frame first = first_of(guest, 0), second, third;
	struct secure_received received;
	char text[64];

	damage(world, first, bridge_refuses, NULL);
	second = bridge_answers(world->bridge, 0, first);
	damage(world, second, guest_refuses, guest);
	/* The true answer counts, after all the false ones. */
	assert_int_equal(guest_hears(guest, 1, second, text), SECURE_NOTHING);
	third = guest_next(guest, 1);
	damage(world, third, bridge_refuses, NULL);
	assert_int_equal(bridge_hears(world->bridge, 1, third, text, &received), 0);
	assert_true(received.confirmed && received.guest == 1);
	frame_free(first);
	frame_free(second);
	frame_free(third);
	secure_guest_free(guest);
}

/* All that a guest sent, played to a bridge that was started anew: nothing of it is a frame. */
static void test_recorded_session(void **state)
{
	struct world *world = *state;
	struct secure_guest *guest = pair_guest(1, KEY_BRIDGE);
	struct secure_bridge *other = pair_bridge();
	struct frame record[4];
	struct secure_received received;
	char text[64];

	record[0] = first_of(guest, 0);
	record[1] = bridge_answers(world->bridge, 0, record[0]);
	assert_int_equal(guest_hears(guest, 0, record[1], text), SECURE_NOTHING);
	record[2] = guest_next(guest, 0);
	record[3] = guest_says(guest, 0, "VERIFY");
	assert_int_equal(bridge_hears(world->bridge, 0, record[2], text, &received), 0);
	assert_int_equal(bridge_hears(world->bridge, 0, record[3], text, &received), 0);
	assert_int_equal(bridge_result(other, 0, record[0]), SECURE_ANSWER);
	for (int i = 1; i < 4; i++)
		assert_int_equal(bridge_result(other, 0, record[i]), SECURE_DROPPED);
	for (int i = 0; i < 4; i++)
		frame_free(record[i]);
	secure_guest_free(guest);
	secure_bridge_free(other);
}

/* A second daemon with the key of the first: both have a channel, and neither takes the other's. */
static void test_second_guest_with_the_same_key(void **state)
{
	struct world *world = *state;

	for (uint64_t now = 1; now < 20; now++) {
		struct secure_guest *second = pair_guest(0, KEY_BRIDGE);
		uint64_t channel = pair_open(second, world->bridge, now);

		assert_true(channel != world->channel);
		pair_works(second, world->bridge, now, channel);
		pair_works(world->guest, world->bridge, now, world->channel);
		secure_guest_free(second);
	}
}

/* Another channel of the guest, and then no more of it. */
static uint64_t open_one_more(struct world *world, uint64_t now)
{
	struct secure_guest *second = pair_guest(0, KEY_BRIDGE);
	uint64_t channel = pair_open(second, world->bridge, now);

	secure_guest_free(second);
	return channel;
}

/* Nor when it is silent, and the other begins a channel after another. */
static void test_held_channel(void **state)
{
	struct world *world = *state;
	struct secure_guest *heir = pair_guest(0, KEY_BRIDGE);
	struct payload_view frame = { (const uint8_t *)"x", 1 };
	uint64_t next;

	secure_bridge_hold(world->bridge, world->channel);
	secure_bridge_hold(world->bridge, world->channel + 1); /* there is none */
	for (uint64_t now = 1; now < 20; now++)
		(void)open_one_more(world, now);
	pair_works(world->guest, world->bridge, 20, world->channel);
	/* The session moves on: then that channel is one of many. */
	next = pair_open(heir, world->bridge, 21);
	secure_bridge_hold(world->bridge, next);
	for (uint64_t now = 22; now < 30; now++)
		(void)open_one_more(world, now);
	pair_works(heir, world->bridge, 30, next);
	assert_int_equal(secure_bridge_seal(world->bridge, 30, world->channel, frame, &frame),
		SECURE_NO_CHANNEL);
	secure_guest_free(world->guest);
	world->guest = heir;
	world->channel = next;
}

/* A channel is one guest's: another guest's keys don't open it, whatever number it writes. */
static void test_number_of_another(void **state)
{
	struct world *world = *state;
	struct secure_guest *other = pair_guest(1, KEY_BRIDGE);
	struct secure_received received;
	struct frame frame;
	char text[64];

	(void)pair_open(other, world->bridge, 0);
	frame = guest_says(other, 1, "let me");
	memcpy(frame.bytes + 4, &world->channel, sizeof(world->channel));
	assert_int_equal(bridge_hears(world->bridge, 1, frame, text, &received), SECURE_DROPPED);
	frame_free(frame);
	secure_guest_free(other);
}

/* 10,000 handshakes that stop half way, under a listed key. */
static void test_half_handshakes(void **state)
{
	struct world *world = *state;
	struct secure_guest *patient = pair_guest(2, KEY_BRIDGE);
	struct frame first = first_of(patient, 10), second, third;
	struct secure_received received;
	char text[64];
	size_t before;

	/* Another guest's handshake began before them, and ends after them. */
	second = bridge_answers(world->bridge, 10, first);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 10000; i++) {
		struct secure_guest *half = pair_guest(1, KEY_BRIDGE);
		struct frame frame = first_of(half, 11);

		assert_int_equal(bridge_result(world->bridge, 11, frame), SECURE_ANSWER);
		frame_free(frame);
		secure_guest_free(half);
		if (i % 1000 == 0)
			pair_works(world->guest, world->bridge, 11, world->channel);
	}
	assert_int_equal(mallinfo2().uordblks, before);
	assert_int_equal(guest_hears(patient, 12, second, text), SECURE_NOTHING);
	third = guest_next(patient, 12);
	assert_int_equal(bridge_hears(world->bridge, 12, third, text, &received), 0);
	assert_true(received.confirmed && received.guest == 2);
	/* They are all wiped when their time is over. */
	assert_true(secure_bridge_deadline(world->bridge) == 11 + SECURE_ATTEMPT);
	secure_bridge_tick(world->bridge, 11 + SECURE_ATTEMPT);
	assert_true(secure_bridge_deadline(world->bridge) == SECURE_OVER_AGE);
	frame_free(first);
	frame_free(second);
	frame_free(third);
	secure_guest_free(patient);
}

/* A tentative channel has its time; after it, its guest must begin again. */
static void test_tentative_is_short(void **state)
{
	struct world *world = *state;
	struct secure_guest *slow = pair_guest(1, KEY_BRIDGE);
	struct frame first = first_of(slow, 0), second, third;
	char text[64];

	second = bridge_answers(world->bridge, 0, first);
	assert_int_equal(guest_hears(slow, 0, second, text), SECURE_NOTHING);
	third = guest_next(slow, 0);
	secure_bridge_tick(world->bridge, SECURE_ATTEMPT - 1);
	assert_true(secure_bridge_deadline(world->bridge) == SECURE_ATTEMPT);
	secure_bridge_tick(world->bridge, SECURE_ATTEMPT);
	assert_int_equal(bridge_result(world->bridge, SECURE_ATTEMPT, third), SECURE_DROPPED);
	frame_free(first);
	frame_free(second);
	frame_free(third);
	secure_guest_free(slow);
}

/* The bridge says nothing in a channel whose first frame hasn't come. */
static void test_tentative_is_mute(void **state)
{
	struct world *world = *state;
	struct secure_guest *guest = pair_guest(1, KEY_BRIDGE);
	struct frame first = first_of(guest, 0), third;
	struct frame second = bridge_answers(world->bridge, 0, first);
	struct payload_view view = { (const uint8_t *)"x", 1 };
	uint64_t channel;
	char text[64];

	assert_int_equal(guest_hears(guest, 0, second, text), SECURE_NOTHING);
	third = guest_next(guest, 0);
	memcpy(&channel, third.bytes + 4, sizeof(channel));
	assert_int_equal(secure_bridge_seal(world->bridge, 0, channel, view, &view),
		SECURE_NO_CHANNEL);
	assert_int_equal(bridge_result(world->bridge, 0, third), 0);
	assert_int_equal(secure_bridge_seal(world->bridge, 0, channel, view, &view), 0);
	frame_free(first);
	frame_free(second);
	frame_free(third);
	secure_guest_free(guest);
}

static void test_oversize(void **state)
{
	struct world *world = *state;
	struct frame good = guest_says(world->guest, 1, "x");
	uint8_t *bytes = calloc(1, 2 * WIRE_FRAME_MAX);
	char text[64];

	assert_non_null(bytes);
	memcpy(bytes, good.bytes, good.size);
	for (size_t size = WIRE_FRAME_MAX - 1; size <= 2 * WIRE_FRAME_MAX; size += 1 + size / 7) {
		struct frame frame = frame_copy((struct payload_view){ bytes, size });

		assert_int_equal(bridge_result(world->bridge, 1, frame), SECURE_DROPPED);
		assert_int_equal(guest_hears(world->guest, 1, frame, text), SECURE_DROPPED);
		frame_free(frame);
	}
	free(bytes);
	frame_free(good);
}

/* What isn't encrypted is no frame, whatever it says: a hello, a refusal, a goodbye. */
static void test_plain_frames(void **state)
{
	static uint8_t plain[] = { 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct world *world = *state;
	char text[64];

	for (unsigned int type = 0; type < 256; type++) {
		struct frame frame = { .bytes = plain, .size = sizeof(plain) };
		bool ours = type >= SECURE_FRAME_INITIATE && type <= SECURE_FRAME_DATA;

		plain[1] = (uint8_t)type;
		assert_int_equal(bridge_result(world->bridge, 1, frame),
			ours ? SECURE_DROPPED : SECURE_PLAIN);
		assert_int_equal(guest_hears(world->guest, 1, frame, text),
			ours ? SECURE_DROPPED : SECURE_PLAIN);
	}
}

#define ATTACK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(test_unknown_key),
		ATTACK(test_wrong_bridge),
		ATTACK(test_replayed_handshake),
		ATTACK(test_replay_and_order),
		ATTACK(test_repetition_looks_new),
		ATTACK(test_damaged_data),
		ATTACK(test_damaged_handshake),
		ATTACK(test_recorded_session),
		ATTACK(test_second_guest_with_the_same_key),
		ATTACK(test_held_channel),
		ATTACK(test_number_of_another),
		ATTACK(test_half_handshakes),
		ATTACK(test_tentative_is_short),
		ATTACK(test_tentative_is_mute),
		ATTACK(test_oversize),
		ATTACK(test_plain_frames),
	};

	return sodium_init() < 0 ? 2 : cmocka_run_group_tests(tests, NULL, NULL);
}
