/*
 * secure-peer bridge|guest: one side of our secure channel over stdin and stdout, for another
 * implementation of Noise on the other side. A frame is u32 size, little-endian, and its bytes.
 *
 * The first two frames on stdin are keys of 32 bytes: the private one of this side, and the public
 * one of the other. After that stdin carries frames of the link.
 *
 *     bridge   answers what it hears with the same bytes and a '!' before them
 *     guest    says "hello", and answers in the same way
 *
 * Ends with stdin.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "relay/secure.h"

struct peer {
	struct secure_guest *guest; /* one of the two */
	struct secure_bridge *bridge;
	struct payload frame;
	struct payload plaintext;
	struct payload answer;
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "secure-peer: %s\n", what);
	exit(EXIT_FAILURE);
}

static void write_frame(struct payload_view frame)
{
	uint8_t size[4];
	struct cursor_out out = cursor_out(size, sizeof(size));

	out_le32(&out, (uint32_t)frame.size);
	(void)fwrite(size, 1, sizeof(size), stdout);
	(void)fwrite(frame.bytes, 1, frame.size, stdout);
	(void)fflush(stdout);
}

/* False at the end. */
static bool read_frame(struct payload *frame)
{
	uint8_t bytes[4];
	struct cursor_in in;
	size_t size;

	if (fread(bytes, 1, sizeof(bytes), stdin) != sizeof(bytes))
		return false;
	in = cursor_in(bytes, sizeof(bytes));
	size = in_le32(&in);
	if (size > frame->capacity)
		fail("a frame is too large");
	payload_clear(frame);
	if (fread(frame->bytes, 1, size, stdin) != size)
		fail("a frame is cut");
	frame->size = size;
	return true;
}

static struct secure_fresh fresh_bytes(void)
{
	struct secure_fresh fresh;

	randombytes_buf(&fresh, sizeof(fresh));
	return fresh;
}

static void set_answer(struct peer *peer)
{
	(void)payload_set(&peer->answer, (struct payload_view){ (const uint8_t *)"!", 1 });
	if (payload_append(&peer->answer, payload_view(&peer->plaintext)) != 0)
		fail("no room for the answer");
	if (peer->answer.size > SECURE_PLAINTEXT_MAX)
		peer->answer.size = SECURE_PLAINTEXT_MAX;
}

static void bridge_hears(struct peer *peer)
{
	struct secure_fresh fresh = fresh_bytes();
	struct secure_received received;
	struct payload_view out;

	switch (secure_bridge_receive(peer->bridge, 0, &fresh, payload_view(&peer->frame),
		&peer->plaintext, &received)) {
	case SECURE_ANSWER:
		write_frame(received.answer);
		break;
	case 0:
		set_answer(peer);
		if (secure_bridge_seal(peer->bridge, 0, received.channel,
				payload_view(&peer->answer), &out) == 0)
			write_frame(out);
		break;
	}
}

static void guest_sends(struct peer *peer, struct payload_view text)
{
	struct secure_fresh fresh = fresh_bytes();
	struct payload_view out;

	if (secure_guest_seal(peer->guest, 0, text, &out) == 0)
		write_frame(out);
	secure_guest_tick(peer->guest, 0, &fresh);
	while (secure_guest_pop_frame(peer->guest, 0, &out))
		write_frame(out);
}

static void guest_hears(struct peer *peer)
{
	struct payload_view out;

	switch (secure_guest_receive(peer->guest, 0, payload_view(&peer->frame),
		&peer->plaintext)) {
	case SECURE_NOTHING:
		while (secure_guest_pop_frame(peer->guest, 0, &out))
			write_frame(out);
		break;
	case 0:
		set_answer(peer);
		guest_sends(peer, payload_view(&peer->answer));
		break;
	}
}

static void read_key(struct payload *frame, uint8_t key[KEY_SIZE])
{
	if (!read_frame(frame) || frame->size != KEY_SIZE)
		fail("a key is missing");
	memcpy(key, frame->bytes, KEY_SIZE);
}

int main(int argc, char **argv)
{
	struct peer peer = { .guest = NULL };
	struct key_pair own;
	struct public_key other;
	bool bridge = argc == 2 && strcmp(argv[1], "bridge") == 0;
	int r;

	if (argc != 2 || (!bridge && strcmp(argv[1], "guest") != 0))
		fail("usage: secure-peer bridge|guest");
	if (sodium_init() < 0 || payload_init(&peer.frame, WIRE_FRAME_MAX) != 0 ||
		payload_init(&peer.plaintext, SECURE_PLAINTEXT_MAX) != 0 ||
		payload_init(&peer.answer, SECURE_PLAINTEXT_MAX + 1) != 0)
		fail("can't start");
	read_key(&peer.frame, own.private.bytes);
	key_public(&own.private, &own.public);
	read_key(&peer.frame, other.bytes);
	r = bridge ? secure_bridge_new(&peer.bridge, &own, &other, 1) :
		secure_guest_new(&peer.guest, &own, &other);
	if (r != 0)
		fail("no memory");
	if (!bridge)
		guest_sends(&peer, (struct payload_view){ (const uint8_t *)"hello", 5 });
	while (read_frame(&peer.frame)) {
		if (bridge)
			bridge_hears(&peer);
		else
			guest_hears(&peer);
	}
	secure_guest_free(peer.guest);
	secure_bridge_free(peer.bridge);
	payload_deinit(&peer.frame);
	payload_deinit(&peer.plaintext);
	payload_deinit(&peer.answer);
	return EXIT_SUCCESS;
}
