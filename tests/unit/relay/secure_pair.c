/*
 * See secure_pair.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "secure_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

struct key_pair key_of(unsigned int number)
{
	struct key_pair pair;
	uint8_t seed[randombytes_SEEDBYTES] = { (uint8_t)number, 0x6B };

	randombytes_buf_deterministic(pair.private.bytes, KEY_SIZE, seed);
	key_public(&pair.private, &pair.public);
	return pair;
}

struct secure_fresh fresh_bytes(void)
{
	static uint8_t seed[randombytes_SEEDBYTES];
	struct secure_fresh fresh;

	sodium_increment(seed, sizeof(seed));
	memset(&fresh, 0, sizeof(fresh));
	randombytes_buf_deterministic(&fresh, sizeof(fresh), seed);
	return fresh;
}

struct frame frame_copy(struct payload_view view)
{
	struct frame frame = { .bytes = malloc(view.size > 0 ? view.size : 1), .size = view.size };

	assert_non_null(frame.bytes);
	if (view.size > 0)
		memcpy(frame.bytes, view.bytes, view.size);
	return frame;
}

struct frame frame_free(struct frame frame)
{
	free(frame.bytes);
	return (struct frame){ .size = 0 };
}

struct payload_view frame_view(struct frame frame)
{
	return (struct payload_view){ frame.bytes, frame.size };
}

struct secure_bridge *pair_bridge(void)
{
	struct key_pair own = key_of(KEY_BRIDGE);
	struct public_key guests[PAIR_GUESTS];
	struct secure_bridge *bridge;

	for (unsigned int i = 0; i < PAIR_GUESTS; i++)
		guests[i] = key_of(i).public;
	assert_int_equal(secure_bridge_new(&bridge, &own, guests, PAIR_GUESTS), 0);
	return bridge;
}

struct secure_guest *pair_guest(unsigned int key, unsigned int bridge_key)
{
	struct key_pair own = key_of(key), other = key_of(bridge_key);
	struct secure_guest *guest;

	assert_int_equal(secure_guest_new(&guest, &own, &other.public), 0);
	return guest;
}

static struct payload_view text_view(const char *text)
{
	return (struct payload_view){ (const uint8_t *)text, strlen(text) };
}

struct frame guest_next(struct secure_guest *guest, uint64_t now)
{
	struct payload_view view = { NULL, 0 };

	for (int i = 0; secure_guest_deadline(guest) <= now; i++) {
		struct secure_fresh fresh = fresh_bytes();

		assert_true(i < 10);
		secure_guest_tick(guest, now, &fresh);
	}
	return secure_guest_pop_frame(guest, now, &view) ? frame_copy(view) :
		(struct frame){ .size = 0 };
}

struct frame guest_says(struct secure_guest *guest, uint64_t now, const char *text)
{
	struct payload_view view;

	assert_int_equal(secure_guest_seal(guest, now, text_view(text), &view), 0);
	return frame_copy(view);
}

struct frame bridge_says(struct secure_bridge *bridge, uint64_t now, uint64_t channel,
	const char *text)
{
	struct payload_view view;

	assert_int_equal(secure_bridge_seal(bridge, now, channel, text_view(text), &view), 0);
	return frame_copy(view);
}

static void take_text(const struct payload *plaintext, char text[64])
{
	assert_true(plaintext->size < 64);
	memcpy(text, plaintext->bytes, plaintext->size);
	text[plaintext->size] = '\0';
}

int bridge_hears(struct secure_bridge *bridge, uint64_t now, struct frame frame, char text[64],
	struct secure_received *received)
{
	struct secure_fresh fresh = fresh_bytes();
	struct payload plaintext;
	int r;

	assert_int_equal(payload_init(&plaintext, SECURE_PLAINTEXT_MAX), 0);
	r = secure_bridge_receive(bridge, now, &fresh, frame_view(frame), &plaintext, received);
	assert_true(r == 0 || plaintext.size == 0);
	take_text(&plaintext, text);
	payload_deinit(&plaintext);
	return r;
}

int guest_hears(struct secure_guest *guest, uint64_t now, struct frame frame, char text[64])
{
	struct payload plaintext;
	int r;

	assert_int_equal(payload_init(&plaintext, SECURE_PLAINTEXT_MAX), 0);
	r = secure_guest_receive(guest, now, frame_view(frame), &plaintext);
	assert_true(r == 0 || plaintext.size == 0);
	take_text(&plaintext, text);
	payload_deinit(&plaintext);
	return r;
}

struct frame bridge_answers(struct secure_bridge *bridge, uint64_t now, struct frame frame)
{
	struct secure_received received;
	char text[64];

	assert_int_equal(bridge_hears(bridge, now, frame, text, &received), SECURE_ANSWER);
	return frame_copy(received.answer);
}

uint64_t pair_open(struct secure_guest *guest, struct secure_bridge *bridge, uint64_t now)
{
	struct secure_received received;
	struct payload_view ignored;
	struct frame first, second, third;
	char text[64];

	assert_int_equal(secure_guest_seal(guest, now, text_view("hello"), &ignored), SECURE_HELD);
	first = guest_next(guest, now);
	second = bridge_answers(bridge, now, first);
	assert_int_equal(guest_hears(guest, now, second, text), SECURE_NOTHING);
	third = guest_next(guest, now);
	assert_int_equal(bridge_hears(bridge, now, third, text, &received), 0);
	assert_true(received.confirmed);
	assert_string_equal(text, "hello");
	frame_free(first);
	frame_free(second);
	frame_free(third);
	return received.channel;
}

void pair_works(struct secure_guest *guest, struct secure_bridge *bridge, uint64_t now,
	uint64_t channel)
{
	struct frame question = guest_says(guest, now, "question");
	struct frame answer = bridge_says(bridge, now, channel, "answer");
	struct secure_received received;
	char text[64];

	assert_int_equal(bridge_hears(bridge, now, question, text, &received), 0);
	assert_string_equal(text, "question");
	assert_true(received.channel == channel && !received.confirmed);
	assert_int_equal(guest_hears(guest, now, answer, text), 0);
	assert_string_equal(text, "answer");
	frame_free(question);
	frame_free(answer);
}
