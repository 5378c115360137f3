/*
 * One channel. See secure_channel.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/secure_channel.h"

#include <assert.h>

#include "base/cursor.h"
#include "relay/secure.h"

void secure_channel_begin(struct secure_channel *channel, uint64_t id, uint64_t now,
	struct noise_handshake *handshake, bool initiator)
{
	*channel = (struct secure_channel){ .id = id, .began = now };
	if (initiator)
		noise_split(handshake, &channel->send, &channel->receive);
	else
		noise_split(handshake, &channel->receive, &channel->send);
	noise_end(handshake);
}

void secure_channel_end(struct secure_channel *channel)
{
	payload_wipe(channel, sizeof(*channel));
}

static bool has_used(const struct secure_channel *channel, uint64_t frames)
{
	return channel->sent >= frames || channel->next >= frames;
}

bool secure_channel_is_worn(const struct secure_channel *channel, uint64_t now)
{
	return now - channel->began >= SECURE_WORN_AGE || has_used(channel, SECURE_WORN_FRAMES);
}

bool secure_channel_is_over(const struct secure_channel *channel, uint64_t now)
{
	return channel->id == 0 || now - channel->began >= SECURE_OVER_AGE ||
		has_used(channel, SECURE_OVER_FRAMES);
}

int secure_channel_seal(struct secure_channel *channel, uint64_t now,
	struct payload_view plaintext, struct payload *frame)
{
	struct cursor_out out = cursor_out(frame->bytes, frame->capacity);
	uint8_t *header, *ciphertext;

	if (secure_channel_is_over(channel, now))
		return CHANNEL_OVER;
	header = out_room(&out, SECURE_DATA_HEADER_SIZE);
	ciphertext = out_room(&out, plaintext.size + NOISE_TAG_SIZE);
	assert(ciphertext != NULL);
	secure_frame_data_header(header, channel->id, channel->sent);
	noise_encrypt(&channel->send, channel->sent,
		(struct payload_view){ header, SECURE_DATA_HEADER_SIZE }, plaintext, ciphertext);
	/* Used up, whatever becomes of the frame: a nonce has one plaintext. */
	channel->sent++;
	frame->size = out.size;
	return 0;
}

int secure_channel_open(struct secure_channel *channel, uint64_t now,
	const struct secure_frame *frame, struct payload *plaintext)
{
	size_t size = frame->content.size - NOISE_TAG_SIZE;

	payload_clear(plaintext);
	if (secure_channel_is_over(channel, now) || frame->counter >= SECURE_OVER_FRAMES)
		return CHANNEL_OVER;
	if (frame->counter < channel->next)
		return CHANNEL_REPLAYED;
	assert(size <= plaintext->capacity);
	if (noise_decrypt(&channel->receive, frame->counter, frame->header, frame->content,
			plaintext->bytes) != 0)
		return CHANNEL_UNDECRYPTABLE;
	channel->next = frame->counter + 1;
	plaintext->size = size;
	return 0;
}
