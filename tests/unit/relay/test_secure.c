/*
 * The life of a secure channel: how it begins, what is repeated and when, how it is renewed, and
 * when it is over.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "relay/secure.h"
#include "relay/secure_channel.h"
#include "secure_pair.h"

static void test_first_contact(void **state)
{
	struct secure_guest *guest = pair_guest(1, KEY_BRIDGE);
	struct secure_bridge *bridge = pair_bridge();
	struct frame frame = guest_next(guest, 0);
	uint64_t channel;

	(void)state;
	/* It says nothing before it is asked to. */
	assert_int_equal(frame.size, 0);
	assert_true(secure_guest_deadline(guest) == SECURE_NEVER);
	assert_false(secure_guest_is_open(guest));
	channel = pair_open(guest, bridge, 5);
	assert_true(channel != 0);
	assert_true(secure_guest_is_open(guest));
	for (uint64_t i = 0; i < 20; i++)
		pair_works(guest, bridge, 5 + i, channel);
	secure_guest_free(guest);
	secure_bridge_free(bridge);
}

/* Sizes and layout as PROTOCOL.md says, and no byte of the text in the frame. */
static void test_layout(void **state)
{
	static const uint8_t initiate[] = { 1, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t respond[] = { 1, 33, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t data[] = { 1, 34, 0, 0 };
	struct secure_guest *guest = pair_guest(1, KEY_BRIDGE);
	struct secure_bridge *bridge = pair_bridge();
	struct payload_view held = { (const uint8_t *)"x", 1 };
	struct frame first, second, third;
	char text[64];

	(void)state;
	(void)secure_guest_seal(guest, 0, held, &held);
	first = guest_next(guest, 0);
	assert_int_equal(first.size, 108);
	assert_memory_equal(first.bytes, initiate, sizeof(initiate));
	second = bridge_answers(bridge, 0, first);
	assert_int_equal(second.size, 68);
	assert_memory_equal(second.bytes, respond, sizeof(respond));
	assert_int_equal(guest_hears(guest, 0, second, text), SECURE_NOTHING);
	third = guest_next(guest, 0);
	assert_int_equal(third.size, 1 + 36);
	assert_memory_equal(third.bytes, data, sizeof(data));
	assert_true(sodium_is_zero(third.bytes + 12, 8)); /* the first counter */
	frame_free(third);
	third = guest_says(guest, 0, "00A4040000");
	assert_int_equal(third.size, 10 + 36);
	assert_int_equal(third.bytes[12], 1);
	assert_null(memmem(third.bytes, third.size, "00A4", 4));
	frame_free(first);
	frame_free(second);
	frame_free(third);
	secure_guest_free(guest);
	secure_bridge_free(bridge);
}

/* The largest frame fits, and one byte more is refused, on both sides. */
static void test_largest(void **state)
{
	static uint8_t zeros[SECURE_PLAINTEXT_MAX + 1];
	struct payload_view view = { zeros, SECURE_PLAINTEXT_MAX };
	struct secure_guest *guest = pair_guest(1, KEY_BRIDGE);
	struct secure_bridge *bridge = pair_bridge();
	uint64_t channel = pair_open(guest, bridge, 0);
	struct secure_fresh fresh = fresh_bytes();
	struct secure_received received;
	struct payload plaintext;
	struct payload_view frame;

	(void)state;
	assert_int_equal(payload_init(&plaintext, SECURE_PLAINTEXT_MAX), 0);
	assert_int_equal(secure_guest_seal(guest, 0, view, &frame), 0);
	assert_int_equal(frame.size, WIRE_FRAME_MAX);
	assert_int_equal(secure_bridge_receive(bridge, 0, &fresh, frame, &plaintext, &received), 0);
	assert_int_equal(plaintext.size, SECURE_PLAINTEXT_MAX);
	assert_int_equal(secure_bridge_seal(bridge, 0, channel, view, &frame), 0);
	assert_int_equal(secure_guest_receive(guest, 0, frame, &plaintext), 0);
	assert_int_equal(plaintext.size, SECURE_PLAINTEXT_MAX);
	view.size++;
	assert_int_equal(secure_guest_seal(guest, 0, view, &frame), -EMSGSIZE);
	assert_int_equal(secure_bridge_seal(bridge, 0, channel, view, &frame), -EMSGSIZE);
	payload_deinit(&plaintext);
	secure_guest_free(guest);
	secure_bridge_free(bridge);
}

/* The same bytes again and again, ever slower, then new ones; a late answer still opens. */
static void test_repetition(void **state)
{
	static const uint64_t times[] = { 0, 100, 300, 700, 1500, 2500, 3500, 4500 };
	struct secure_guest *guest = pair_guest(0, KEY_BRIDGE);
	struct secure_bridge *bridge = pair_bridge();
	struct payload_view held = { (const uint8_t *)"x", 1 };
	struct frame first, again, answer, same_answer;
	char text[64];

	(void)state;
	(void)secure_guest_seal(guest, 0, held, &held);
	first = guest_next(guest, 0);
	answer = bridge_answers(bridge, 0, first);
	for (size_t i = 1; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_true(secure_guest_deadline(guest) == times[i]);
		assert_int_equal(guest_next(guest, times[i] - 1).size, 0);
		again = guest_next(guest, times[i]);
		assert_int_equal(again.size, first.size);
		assert_memory_equal(again.bytes, first.bytes, first.size);
		same_answer = bridge_answers(bridge, times[i], again);
		assert_memory_equal(same_answer.bytes, answer.bytes, answer.size);
		frame_free(again);
		frame_free(same_answer);
	}
	assert_int_equal(guest_hears(guest, 4900, answer, text), SECURE_NOTHING);
	assert_true(secure_guest_is_open(guest));
	/* The answer to a repetition changes nothing any more. */
	assert_int_equal(guest_hears(guest, 4901, answer, text), SECURE_DROPPED);
	frame_free(first);
	frame_free(answer);
	secure_guest_free(guest);
	secure_bridge_free(bridge);
}

static void test_new_attempt(void **state)
{
	struct secure_guest *guest = pair_guest(0, KEY_BRIDGE);
	struct secure_bridge *bridge = pair_bridge();
	struct payload_view held = { (const uint8_t *)"x", 1 };
	struct frame first, second, answer;
	char text[64];

	(void)state;
	(void)secure_guest_seal(guest, 0, held, &held);
	first = guest_next(guest, 0);
	answer = bridge_answers(bridge, 0, first);
	second = guest_next(guest, SECURE_ATTEMPT);
	assert_int_equal(second.size, first.size);
	assert_memory_not_equal(second.bytes, first.bytes, first.size);
	/* The answer to what was given up is too late. */
	assert_int_equal(guest_hears(guest, SECURE_ATTEMPT, answer, text), SECURE_DROPPED);
	assert_false(secure_guest_is_open(guest));
	/* A new link doesn't wait for the slow pace. */
	secure_guest_relinked(guest, 5300);
	assert_true(secure_guest_deadline(guest) == 5300);
	frame_free(first);
	frame_free(second);
	frame_free(answer);
	secure_guest_free(guest);
	secure_bridge_free(bridge);
}

/* Of what the session sends before there is a channel, the newest is kept. */
static void test_held(void **state)
{
	struct secure_guest *guest = pair_guest(2, KEY_BRIDGE);
	struct secure_bridge *bridge = pair_bridge();
	struct payload_view frame, old = { (const uint8_t *)"old", 3 };
	uint64_t channel;

	(void)state;
	assert_int_equal(secure_guest_seal(guest, 0, old, &frame), SECURE_HELD);
	channel = pair_open(guest, bridge, 0); /* "hello" is what comes out */
	assert_int_equal(guest_next(guest, 0).size, 0);
	pair_works(guest, bridge, 0, channel);
	secure_guest_free(guest);
	secure_bridge_free(bridge);
}

/* Both channels work while a new one is on its way, and the bridge answers in the new one after. */
static void renew(struct secure_guest *guest, struct secure_bridge *bridge, uint64_t now,
	uint64_t *channel)
{
	struct secure_received received;
	struct frame first, second, third, late;
	uint64_t former = *channel;
	char text[64];

	first = guest_next(guest, now);
	assert_int_equal(first.size, SECURE_INITIATE_SIZE);
	pair_works(guest, bridge, now, former);
	second = bridge_answers(bridge, now, first);
	pair_works(guest, bridge, now, former);
	late = bridge_says(bridge, now, former, "late");
	assert_int_equal(guest_hears(guest, now, second, text), SECURE_NOTHING);
	/* Nothing was held: an empty frame proves the key. */
	third = guest_next(guest, now);
	assert_int_equal(third.size, SECURE_OVERHEAD);
	assert_int_equal(bridge_hears(bridge, now, third, text, &received), 0);
	assert_true(received.confirmed && received.channel != former);
	assert_string_equal(text, "");
	*channel = received.channel;
	assert_int_equal(guest_hears(guest, now + 1, late, text), 0);
	assert_string_equal(text, "late");
	pair_works(guest, bridge, now + 1, *channel);
	frame_free(late);
	late = bridge_says(bridge, now + 1, former, "too late");
	frame_free(guest_next(guest, now + SECURE_FORMER));
	assert_int_equal(guest_hears(guest, now + SECURE_FORMER, late, text), SECURE_DROPPED);
	frame_free(first);
	frame_free(second);
	frame_free(third);
	frame_free(late);
}

static void test_renewal_by_age(void **state)
{
	struct secure_guest *guest = pair_guest(0, KEY_BRIDGE);
	struct secure_bridge *bridge = pair_bridge();
	uint64_t channel = pair_open(guest, bridge, 1000);

	(void)state;
	for (uint64_t now = 1000; now < 5 * SECURE_WORN_AGE; now += SECURE_WORN_AGE) {
		pair_works(guest, bridge, now + SECURE_WORN_AGE - 1, channel);
		assert_int_equal(guest_next(guest, now + SECURE_WORN_AGE - 1).size, 0);
		assert_true(secure_guest_deadline(guest) == now + SECURE_WORN_AGE);
		renew(guest, bridge, now + SECURE_WORN_AGE, &channel);
	}
	secure_guest_free(guest);
	secure_bridge_free(bridge);
}

/* A bridge that was started anew knows no channel; silence tells, and only silence. */
static void test_renewal_by_silence(void **state)
{
	struct secure_guest *guest = pair_guest(0, KEY_BRIDGE);
	struct secure_bridge *bridge = pair_bridge();
	struct secure_received received;
	uint64_t channel = pair_open(guest, bridge, 0);
	struct frame frame, first, second, third;
	char text[64];

	(void)state;
	pair_works(guest, bridge, 10, channel);
	assert_true(secure_guest_deadline(guest) > 1000000);
	secure_bridge_free(bridge);
	bridge = pair_bridge();
	frame = guest_says(guest, 1000, "anybody?");
	assert_int_equal(bridge_hears(bridge, 1000, frame, text, &received), SECURE_DROPPED);
	assert_true(secure_guest_deadline(guest) == 1000 + SECURE_SILENCE);
	frame_free(frame);
	frame = guest_says(guest, 2000, "anybody?");
	assert_true(secure_guest_deadline(guest) == 1000 + SECURE_SILENCE);
	first = guest_next(guest, 1000 + SECURE_SILENCE);
	second = bridge_answers(bridge, 4000, first);
	assert_int_equal(guest_hears(guest, 4000, second, text), SECURE_NOTHING);
	third = guest_next(guest, 4000);
	assert_int_equal(bridge_hears(bridge, 4000, third, text, &received), 0);
	pair_works(guest, bridge, 4001, received.channel);
	frame_free(frame);
	frame_free(first);
	frame_free(second);
	frame_free(third);
	secure_guest_free(guest);
	secure_bridge_free(bridge);
}

/* Without an answer for too long the channel is left; what is said then waits for a new one. */
static void test_over(void **state)
{
	struct secure_guest *guest = pair_guest(0, KEY_BRIDGE);
	struct secure_bridge *bridge = pair_bridge();
	uint64_t channel = pair_open(guest, bridge, 0);
	struct payload_view view = { (const uint8_t *)"x", 1 };
	struct secure_received received;
	struct frame frame = guest_says(guest, SECURE_OVER_AGE - 1, "in time");
	char text[64];

	(void)state;
	assert_int_equal(bridge_hears(bridge, SECURE_OVER_AGE - 1, frame, text, &received), 0);
	frame_free(frame);
	frame = guest_says(guest, SECURE_OVER_AGE - 1, "late");
	assert_int_equal(bridge_hears(bridge, SECURE_OVER_AGE, frame, text, &received),
		SECURE_DROPPED);
	assert_int_equal(secure_bridge_seal(bridge, SECURE_OVER_AGE, channel, view, &view),
		SECURE_NO_CHANNEL);
	assert_int_equal(secure_guest_seal(guest, SECURE_OVER_AGE, view, &view), SECURE_HELD);
	frame_free(frame);
	frame = guest_next(guest, SECURE_OVER_AGE);
	assert_int_equal(frame.size, SECURE_INITIATE_SIZE);
	assert_false(secure_guest_is_open(guest));
	assert_true(secure_bridge_deadline(bridge) == SECURE_OVER_AGE);
	secure_bridge_tick(bridge, SECURE_OVER_AGE);
	assert_true(secure_bridge_deadline(bridge) == SECURE_NEVER);
	frame_free(frame);
	secure_guest_free(guest);
	secure_bridge_free(bridge);
}

/* ---- one channel and its counters ---- */

static void begin_both(struct secure_channel *guest, struct secure_channel *bridge)
{
	struct noise_handshake one = { .nonce = 0 }, other = { .nonce = 0 };

	secure_channel_begin(guest, 7, 0, &one, true);
	secure_channel_begin(bridge, 7, 0, &other, false);
}

static void test_counters(void **state)
{
	struct secure_channel guest, bridge;
	struct secure_frame frame;
	struct payload sealed, plaintext;
	const struct payload_view none = { NULL, 0 };

	(void)state;
	assert_int_equal(payload_init(&sealed, WIRE_FRAME_MAX), 0);
	assert_int_equal(payload_init(&plaintext, SECURE_PLAINTEXT_MAX), 0);
	begin_both(&guest, &bridge);
	assert_false(secure_channel_is_worn(&guest, 0));
	guest.sent = SECURE_WORN_FRAMES - 1;
	assert_false(secure_channel_is_worn(&guest, 0));
	assert_int_equal(secure_channel_seal(&guest, 0, none, &sealed), 0);
	assert_true(secure_channel_is_worn(&guest, 0));
	assert_false(secure_channel_is_over(&guest, 0));
	assert_int_equal(secure_frame_decode(payload_view(&sealed), &frame), 0);
	assert_true(frame.counter == SECURE_WORN_FRAMES - 1);
	assert_int_equal(secure_channel_open(&bridge, 0, &frame, &plaintext), 0);
	assert_true(secure_channel_is_worn(&bridge, 0));
	/* The last one, and none after it: not by the sender, and not by the receiver either. */
	guest.sent = SECURE_OVER_FRAMES - 1;
	assert_int_equal(secure_channel_seal(&guest, 0, none, &sealed), 0);
	assert_int_equal(secure_channel_seal(&guest, 0, none, &sealed), CHANNEL_OVER);
	guest.sent = SECURE_OVER_FRAMES - 1;
	assert_int_equal(secure_frame_decode(payload_view(&sealed), &frame), 0);
	frame.counter = UINT64_MAX;
	assert_int_equal(secure_channel_open(&bridge, 0, &frame, &plaintext), CHANNEL_OVER);
	frame.counter = SECURE_OVER_FRAMES - 1;
	assert_int_equal(secure_channel_open(&bridge, 0, &frame, &plaintext), 0);
	assert_true(secure_channel_is_over(&bridge, 0));
	secure_channel_end(&guest);
	assert_true(sodium_is_zero((const uint8_t *)&guest, sizeof(guest)));
	payload_deinit(&sealed);
	payload_deinit(&plaintext);
}

/* A peer with the right keys that sends too much: refused before it is decrypted anywhere. */
static void test_too_large_from_a_friend(void **state)
{
	struct secure_channel guest, bridge;
	struct secure_frame frame;
	struct payload sealed;
	static uint8_t zeros[SECURE_PLAINTEXT_MAX + 1];

	(void)state;
	assert_int_equal(payload_init(&sealed, WIRE_FRAME_MAX + 1), 0);
	begin_both(&guest, &bridge);
	assert_int_equal(secure_channel_seal(&guest, 0,
		(struct payload_view){ zeros, sizeof(zeros) }, &sealed), 0);
	assert_int_equal(sealed.size, WIRE_FRAME_MAX + 1);
	assert_int_equal(secure_frame_decode(payload_view(&sealed), &frame),
		SECURE_FRAME_MALFORMED);
	assert_int_equal(secure_channel_seal(&guest, 0,
		(struct payload_view){ zeros, sizeof(zeros) - 1 }, &sealed), 0);
	assert_int_equal(secure_frame_decode(payload_view(&sealed), &frame), 0);
	payload_deinit(&sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_contact),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_repetition),
		cmocka_unit_test(test_new_attempt),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_renewal_by_age),
		cmocka_unit_test(test_renewal_by_silence),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_too_large_from_a_friend),
	};

	return sodium_init() < 0 ? 2 : cmocka_run_group_tests(tests, NULL, NULL);
}
