/*
 * Fuzzes the readers of handshake messages 1 and 2 and of transport messages. The first byte of the
 * input picks one, the rest is the message. The keys are those of the first published vector, so
 * that its messages (which are the seeds) are read to their end.
 *
 * Whatever comes: nothing is read beyond the message, nothing is written beyond a payload of its
 * size, and what isn't a seed is refused or has the true size.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "fuzz.h"
#include "relay/noise.h"

/* The vectors' keys: bytes that count up from a first one. */
static struct private_key counting(uint8_t first)
{
	struct private_key key;

	for (size_t i = 0; i < KEY_SIZE; i++)
		key.bytes[i] = (uint8_t)(first + i);
	return key;
}

static struct key_pair counting_pair(uint8_t first)
{
	struct key_pair pair = { .private = counting(first) };

	key_public(&pair.private, &pair.public);
	return pair;
}

static const struct payload_view none = { NULL, 0 };

static int read_first(struct noise_handshake *handshake, struct payload_view message,
	uint8_t *payload)
{
	struct key_pair responder = counting_pair(1);

	noise_begin(handshake, none, &responder.public);
	return noise_read_first(handshake, &responder, message, payload);
}

static int read_second(struct noise_handshake *handshake, struct payload_view message,
	uint8_t *payload)
{
	struct key_pair initiator = counting_pair(0), responder = counting_pair(1);
	struct private_key ephemeral = counting(0x20);
	uint8_t first[NOISE_FIRST_SIZE];

	noise_begin(handshake, none, &responder.public);
	assert(noise_write_first(handshake, &initiator, &ephemeral, none, first) == 0);
	return noise_read_second(handshake, &initiator, message, payload);
}

/* Under a key of zeros, with the first counter. */
static int read_transport(struct payload_view message, uint8_t *payload)
{
	static const struct noise_key key;

	return noise_decrypt(&key, 0, none, message, payload);
}

/* A payload of just the size that its reader may write. */
static uint8_t *room_for(size_t size, size_t overhead)
{
	uint8_t *room = malloc(size > overhead ? size - overhead : 1);

	assert(room != NULL);
	return room;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const size_t overheads[] = { NOISE_FIRST_SIZE, NOISE_SECOND_SIZE, NOISE_TAG_SIZE };
	struct noise_handshake handshake = { .nonce = 0 };
	struct payload_view message = { bytes + 1, size - 1 };
	size_t reader = size > 0 ? bytes[0] % 3 : 0;
	uint8_t *payload;
	int r = NOISE_BAD;

	if (size == 0 || sodium_init() < 0)
		return 0;
	payload = room_for(message.size, overheads[reader]);
	switch (reader) {
	case 0:
		r = read_first(&handshake, message, payload);
		break;
	case 1:
		r = read_second(&handshake, message, payload);
		break;
	case 2:
		r = read_transport(message, payload);
		break;
	}
	assert(r == NOISE_BAD || (r == 0 && message.size >= overheads[reader]));
	noise_end(&handshake);
	free(payload);
	return 0;
}
