/*
 * The gate: whose a frame is, and which frames are nobody's.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "host-bridge/gate.h"

static const uint8_t hello[] = "one frame of the session";
static const struct payload_view hello_view = { hello, sizeof(hello) };

static struct key_pair key_of(uint8_t number)
{
	struct key_pair pair;

	memset(pair.private.bytes, number, KEY_SIZE);
	key_public(&pair.private, &pair.public);
	return pair;
}

/* "one" and "three" have keys 1 and 3, "two" has none. */
struct world {
	struct bridge_guest_config guests[3];
	struct bridge_config config;
	struct gate gate;
};

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct key_pair own = key_of(9);

	assert_non_null(world);
	world->config = (struct bridge_config){ .guests = world->guests, .guest_count = 3,
		.keyed = true };
	for (uint8_t i = 0; i < 3; i += 2) {
		world->guests[i].keyed = true;
		world->guests[i].key = key_of((uint8_t)(i + 1)).public;
	}
	assert_int_equal(gate_init(&world->gate, &world->config, &own), 0);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	gate_deinit(&world->gate);
	gate_deinit(&world->gate);
	free(world);
	return 0;
}

/* What the gate says to the guest's frames, until one has come through or none is left. */
static int knock_over(struct world *world, uint32_t connection, struct secure_guest *guest,
	struct gate_frame *frame)
{
	struct secure_fresh fresh;
	struct payload plaintext;
	struct payload_view out = hello_view;
	int r = GATE_SHUT;

	assert_int_equal(payload_init(&plaintext, SECURE_PLAINTEXT_MAX), 0);
	if (secure_guest_seal(guest, 0, hello_view, &out) == 0)
		r = gate_in(&world->gate, 0, false, connection, out, frame);
	randombytes_buf(&fresh, sizeof(fresh));
	if (secure_guest_deadline(guest) == 0)
		secure_guest_tick(guest, 0, &fresh);
	while (secure_guest_pop_frame(guest, 0, &out)) {
		r = gate_in(&world->gate, 0, false, connection, out, frame);
		if (r == GATE_ANSWER)
			assert_int_equal(secure_guest_receive(guest, 0, frame->view, &plaintext),
				SECURE_NOTHING);
	}
	payload_deinit(&plaintext);
	return r;
}

static int knock(struct world *world, struct secure_guest *guest, struct gate_frame *frame)
{
	return knock_over(world, 1, guest, frame);
}

static struct secure_guest *guest_with(uint8_t key, uint8_t bridge)
{
	struct key_pair own = key_of(key), other = key_of(bridge);
	struct secure_guest *guest;

	assert_int_equal(secure_guest_new(&guest, &own, &other.public), 0);
	return guest;
}

static void test_whose(void **state)
{
	struct world *world = *state;

	for (uint8_t i = 0; i < 3; i += 2) {
		struct secure_guest *guest = guest_with((uint8_t)(i + 1), 9);
		struct gate_frame frame;
		struct payload_view out;

		assert_int_equal(knock(world, guest, &frame), 0);
		assert_int_equal(frame.guest, i);
		assert_true(frame.channel != 0);
		assert_int_equal(frame.view.size, sizeof(hello));
		assert_memory_equal(frame.view.bytes, hello, sizeof(hello));
		gate_done(&world->gate);
		assert_true(sodium_is_zero(world->gate.plaintext.bytes, sizeof(hello)));
		assert_int_equal(gate_out(&world->gate, 0, frame.channel, hello_view, &out), 0);
		assert_int_equal(out.size, sizeof(hello) + SECURE_OVERHEAD);
		assert_int_equal(gate_out(&world->gate, 0, frame.channel + 1, hello_view, &out),
			GATE_SHUT);
		secure_guest_free(guest);
	}
	assert_true(gate_deadline(&world->gate) == SECURE_OVER_AGE);
	gate_tick(&world->gate, SECURE_OVER_AGE);
	assert_true(gate_deadline(&world->gate) == SECURE_NEVER);
}

static void test_nobody(void **state)
{
	struct world *world = *state;
	struct secure_guest *unknown = guest_with(5, 9), *astray = guest_with(1, 8);
	struct gate_frame frame;

	assert_int_equal(knock(world, unknown, &frame), GATE_SHUT);
	assert_int_equal(knock(world, astray, &frame), GATE_SHUT);
	assert_int_equal(world->gate.refusals.total[REFUSAL_UNKNOWN_KEY], 1);
	assert_int_equal(world->gate.refusals.total[REFUSAL_NOT_OURS], 1);
	secure_guest_free(unknown);
	secure_guest_free(astray);
}

/* Over one connection there is a limit, which is no matter to those who come over others. */
static void test_too_many(void **state)
{
	const int looked_at = HANDSHAKE_AT_ONCE / HANDSHAKE_COST_UNKNOWN_KEY;
	struct world *world = *state;
	struct gate_frame frame;

	for (int i = 0; i < 100; i++) {
		struct secure_guest *unknown = guest_with(5, 9);

		assert_int_equal(knock_over(world, 1, unknown, &frame), GATE_SHUT);
		secure_guest_free(unknown);
	}
	assert_int_equal(world->gate.refusals.total[REFUSAL_UNKNOWN_KEY], looked_at);
	assert_int_equal(world->gate.refusals.total[REFUSAL_TOO_MANY], 100 - looked_at);
	for (int i = 0; i < 2; i++) {
		struct secure_guest *guest = guest_with(1, 9);

		assert_int_equal(knock_over(world, i == 0 ? 1 : 2, guest, &frame),
			i == 0 ? GATE_SHUT : 0);
		secure_guest_free(guest);
	}
}

/* Handshakes that are begun only are counted, once each. */
static void test_unfinished(void **state)
{
	struct world *world = *state;
	struct payload_view out = hello_view;
	struct secure_fresh fresh;
	struct gate_frame frame;

	for (uint32_t i = 0; i < SECURE_TENTATIVE_MAX + 5; i++) {
		struct secure_guest *guest = guest_with(1, 9);

		assert_int_equal(secure_guest_seal(guest, 0, hello_view, &out), SECURE_HELD);
		randombytes_buf(&fresh, sizeof(fresh));
		secure_guest_tick(guest, 0, &fresh);
		assert_true(secure_guest_pop_frame(guest, 0, &out));
		assert_int_equal(gate_in(&world->gate, 0, false, i, out, &frame), GATE_ANSWER);
		secure_guest_free(guest);
	}
	assert_int_equal(world->gate.refusals.total[REFUSAL_UNFINISHED], 5);
	gate_tick(&world->gate, SECURE_ATTEMPT);
	assert_int_equal(world->gate.refusals.total[REFUSAL_UNFINISHED], SECURE_TENTATIVE_MAX + 5);
}

/* Without encryption one gets in over ipc:// only, and is nobody with a key. */
static void test_plain(void **state)
{
	struct world *world = *state;
	struct gate_frame frame;
	struct payload_view out;

	assert_int_equal(gate_in(&world->gate, 0, true, 1, hello_view, &frame), 0);
	assert_true(frame.guest == GATE_ANYONE && frame.channel == 0);
	assert_ptr_equal(frame.view.bytes, hello);
	assert_int_equal(gate_in(&world->gate, 0, false, 1, hello_view, &frame), GATE_SHUT);
	assert_int_equal(world->gate.refusals.total[REFUSAL_PLAIN], 1);
	assert_int_equal(gate_out(&world->gate, 0, 0, hello_view, &out), 0);
	assert_ptr_equal(out.bytes, hello);
}

static void test_no_keys_at_all(void **state)
{
	struct bridge_config config = { .guest_count = 1 };
	struct gate gate = GATE_NULL;
	struct gate_frame frame;
	struct payload_view out;

	(void)state;
	assert_int_equal(gate_init(&gate, &config, NULL), 0);
	assert_int_equal(gate_in(&gate, 0, true, 1, hello_view, &frame), 0);
	assert_true(frame.guest == GATE_ANYONE);
	assert_int_equal(gate_in(&gate, 0, false, 1, hello_view, &frame), GATE_SHUT);
	assert_int_equal(gate_out(&gate, 0, 7, hello_view, &out), GATE_SHUT);
	assert_true(gate_deadline(&gate) == SECURE_NEVER);
	gate_tick(&gate, 0);
	gate_deinit(&gate);
}

/* One line, and then one in a minute, however many come. */
static void test_refusals(void **state)
{
	struct refusals refusals = { .total = { 0 } };

	(void)state;
	for (uint64_t now = 0; now < REFUSALS_INTERVAL; now += 10)
		refusals_add(&refusals, REFUSAL_DROPPED, now);
	assert_int_equal(refusals.since[REFUSAL_DROPPED], REFUSALS_INTERVAL / 10 - 1);
	refusals_add(&refusals, REFUSAL_DROPPED, REFUSALS_INTERVAL);
	assert_int_equal(refusals.since[REFUSAL_DROPPED], 0);
	assert_int_equal(refusals.said_at[REFUSAL_DROPPED], REFUSALS_INTERVAL);
	assert_int_equal(refusals.total[REFUSAL_DROPPED], REFUSALS_INTERVAL / 10 + 1);
	assert_int_equal(refusals.total[REFUSAL_PLAIN], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whose, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unfinished, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test(test_no_keys_at_all),
		cmocka_unit_test(test_refusals),
	};

	return sodium_init() < 0 ? 2 : cmocka_run_group_tests(tests, NULL, NULL);
}
