/*
 * The bridge's half of the secure channel. See secure.h.
 *
 * It has two kinds of channels. A tentative one waits for its first frame; SECURE_TENTATIVE_MAX
 * fit, and who begins many only drives out his own. That first frame proves that somebody holds
 * the guest's key now, and makes it a channel of the guest, in the place of the one that was
 * silent for longest. So two daemons with one key don't take the channel away from each other;
 * which of them has the session is the session's affair, and the channel of that one is held: however
 * many are begun beside it, it keeps its place.
 *
 * It never speaks first, and says nothing to who isn't listed.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/secure.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/cursor.h"
#include "relay/secure_channel.h"

struct tentative {
	struct secure_channel channel; /* id 0: this place is free */
	size_t guest;
	uint8_t initiate[SECURE_INITIATE_SIZE]; /* that it answers */
	uint8_t respond[SECURE_RESPOND_SIZE];   /* the answer, for a repetition */
};

struct listed_guest {
	struct public_key key;
	struct secure_channel channels[SECURE_CHANNELS_MAX]; /* id 0: this place is free */
	uint64_t heard[SECURE_CHANNELS_MAX];                 /* ms: when a frame came in it last */
	uint64_t held;                                       /* the session's channel; 0: none */
};

struct secure_bridge {
	struct key_pair own;
	struct tentative tentative[SECURE_TENTATIVE_MAX];
	struct listed_guest *guests;
	size_t guest_count;
	struct payload frame; /* what was handed out last */
	struct secure_counts counts;
};

static int drop(uint64_t *count)
{
	*count += 1;
	return SECURE_DROPPED;
}

/* ---- finding channels ---- */

static struct tentative *find_tentative(struct secure_bridge *bridge, uint64_t id)
{
	for (size_t i = 0; id != 0 && i < SECURE_TENTATIVE_MAX; i++) {
		if (bridge->tentative[i].channel.id == id)
			return &bridge->tentative[i];
	}
	return NULL;
}

/* Returns NULL, or the channel, and whose and which it is. */
static struct secure_channel *find_channel(struct secure_bridge *bridge, uint64_t id,
	size_t *guest, size_t *index)
{
	for (size_t i = 0; id != 0 && i < bridge->guest_count; i++) {
		for (size_t j = 0; j < SECURE_CHANNELS_MAX; j++) {
			if (bridge->guests[i].channels[j].id != id)
				continue;
			*guest = i;
			*index = j;
			return &bridge->guests[i].channels[j];
		}
	}
	return NULL;
}

/* ---- handshakes ---- */

static void tentative_end(struct tentative *tentative)
{
	payload_wipe(tentative, sizeof(*tentative));
}

static size_t count_tentative(const struct secure_bridge *bridge, size_t guest)
{
	size_t count = 0;

	for (size_t i = 0; i < SECURE_TENTATIVE_MAX; i++) {
		if (bridge->tentative[i].channel.id != 0 && bridge->tentative[i].guest == guest)
			count++;
	}
	return count;
}

/*
 * A place for one more: a free one, or else the oldest of the guest that has most, so that a flood
 * under one key can't drive out the handshake of another.
 */
static struct tentative *make_room(struct secure_bridge *bridge)
{
	struct tentative *oldest = NULL;
	size_t most = 0;

	for (size_t i = 0; i < SECURE_TENTATIVE_MAX; i++) {
		struct tentative *tentative = &bridge->tentative[i];
		size_t count = count_tentative(bridge, tentative->guest);

		if (tentative->channel.id == 0)
			return tentative;
		if (count > most || (count == most &&
				tentative->channel.began < oldest->channel.began)) {
			most = count;
			oldest = tentative;
		}
	}
	bridge->counts.unfinished++;
	tentative_end(oldest);
	return oldest;
}

/* The index of the guest with this key, or guest_count. */
static size_t find_guest(const struct secure_bridge *bridge, const struct public_key *key)
{
	size_t i = 0;

	while (i < bridge->guest_count && !key_equal(&bridge->guests[i].key, key))
		i++;
	return i;
}

static void put_response(struct tentative *tentative, uint64_t id, uint8_t **message,
	uint8_t payload[SECURE_PAYLOAD_SIZE])
{
	struct cursor_out out = cursor_out(tentative->respond, sizeof(tentative->respond));
	struct cursor_out number = cursor_out(payload, SECURE_PAYLOAD_SIZE);

	secure_frame_header(out_room(&out, SECURE_HEADER_SIZE), SECURE_FRAME_RESPOND);
	*message = out_room(&out, NOISE_SECOND_SIZE + SECURE_PAYLOAD_SIZE);
	out_le64(&number, id);
}

/* A listed guest's message 1 is answered; handshake is used up. */
static int answer(struct secure_bridge *bridge, uint64_t now, const struct secure_fresh *fresh,
	struct payload_view bytes, struct noise_handshake *handshake, size_t guest,
	struct secure_received *received)
{
	struct tentative *tentative = make_room(bridge);
	uint8_t payload[SECURE_PAYLOAD_SIZE];
	struct cursor_in in = cursor_in(bytes.bytes, bytes.size);
	uint8_t *message;

	put_response(tentative, fresh->channel, &message, payload);
	if (noise_write_second(handshake, &fresh->ephemeral,
			(struct payload_view){ payload, sizeof(payload) }, message) != 0) {
		tentative_end(tentative);
		return drop(&bridge->counts.undecryptable);
	}
	in_copy(&in, tentative->initiate, sizeof(tentative->initiate));
	tentative->guest = guest;
	secure_channel_begin(&tentative->channel, fresh->channel, now, handshake, false);
	received->answer = (struct payload_view){ tentative->respond, sizeof(tentative->respond) };
	return SECURE_ANSWER;
}

/* Whether this very message 1 was answered a moment ago; then the same answer is due. */
static const struct tentative *find_repetition(const struct secure_bridge *bridge,
	struct payload_view bytes)
{
	for (size_t i = 0; i < SECURE_TENTATIVE_MAX; i++) {
		const struct tentative *tentative = &bridge->tentative[i];

		if (tentative->channel.id != 0 && bytes.size == sizeof(tentative->initiate) &&
			memcmp(bytes.bytes, tentative->initiate, bytes.size) == 0)
			return tentative;
	}
	return NULL;
}

static int receive_initiate(struct secure_bridge *bridge, uint64_t now,
	const struct secure_fresh *fresh, struct payload_view bytes,
	const struct secure_frame *frame, struct secure_received *received)
{
	const struct tentative *repetition = find_repetition(bridge, bytes);
	struct noise_handshake handshake;
	uint8_t nothing[1];
	size_t guest, index;
	int r = SECURE_DROPPED;

	if (repetition != NULL) {
		received->answer = (struct payload_view){ repetition->respond,
			sizeof(repetition->respond) };
		return SECURE_ANSWER;
	}
	noise_begin(&handshake, secure_prologue(), &bridge->own.public);
	if (noise_read_first(&handshake, &bridge->own, frame->content, nothing) != 0) {
		bridge->counts.not_ours++;
		r = SECURE_NOT_OURS;
	} else if ((guest = find_guest(bridge, &handshake.remote)) == bridge->guest_count) {
		bridge->counts.unknown_key++;
		r = SECURE_UNKNOWN_KEY;
	} else if (fresh->channel != 0 && find_tentative(bridge, fresh->channel) == NULL &&
		find_channel(bridge, fresh->channel, &index, &index) == NULL) {
		r = answer(bridge, now, fresh, bytes, &handshake, guest, received);
	}
	noise_end(&handshake);
	return r;
}

/* ---- frames ---- */

/* A free place, or that of the channel that was silent for longest and isn't held. */
static size_t place_for_channel(const struct listed_guest *guest)
{
	size_t place = SECURE_CHANNELS_MAX;

	for (size_t i = 0; i < SECURE_CHANNELS_MAX; i++) {
		if (guest->channels[i].id == 0)
			return i;
		if (guest->channels[i].id != guest->held &&
			(place == SECURE_CHANNELS_MAX || guest->heard[i] < guest->heard[place]))
			place = i;
	}
	return place;
}

/* The tentative channel has proven itself. */
static void confirm(struct secure_bridge *bridge, uint64_t now, struct tentative *tentative)
{
	struct listed_guest *guest = &bridge->guests[tentative->guest];
	size_t place = place_for_channel(guest);

	secure_channel_end(&guest->channels[place]);
	guest->channels[place] = tentative->channel;
	guest->heard[place] = now;
	tentative_end(tentative);
}

static int open_failed(struct secure_bridge *bridge, int r)
{
	switch (r) {
	case CHANNEL_REPLAYED:
		return drop(&bridge->counts.replayed);
	case CHANNEL_UNDECRYPTABLE:
		return drop(&bridge->counts.undecryptable);
	}
	return drop(&bridge->counts.no_channel);
}

static int receive_data(struct secure_bridge *bridge, uint64_t now,
	const struct secure_frame *frame, struct payload *plaintext,
	struct secure_received *received)
{
	struct tentative *tentative = find_tentative(bridge, frame->channel);
	size_t index = 0;
	struct secure_channel *channel = tentative != NULL ? &tentative->channel :
		find_channel(bridge, frame->channel, &received->guest, &index);
	int r;

	if (channel == NULL)
		return drop(&bridge->counts.no_channel);
	r = secure_channel_open(channel, now, frame, plaintext);
	if (r != 0)
		return open_failed(bridge, r);
	received->channel = frame->channel;
	received->confirmed = tentative != NULL;
	if (tentative != NULL) {
		received->guest = tentative->guest;
		confirm(bridge, now, tentative);
	} else {
		bridge->guests[received->guest].heard[index] = now;
	}
	return 0;
}

bool secure_is_initiate(struct payload_view bytes)
{
	struct secure_frame frame;

	return secure_frame_decode(bytes, &frame) == 0 && frame.type == SECURE_FRAME_INITIATE;
}

int secure_bridge_receive(struct secure_bridge *bridge, uint64_t now,
	const struct secure_fresh *fresh, struct payload_view bytes, struct payload *plaintext,
	struct secure_received *received)
{
	struct secure_frame frame;
	int r = secure_frame_decode(bytes, &frame);

	*received = (struct secure_received){ .channel = 0 };
	payload_clear(plaintext);
	if (r == SECURE_FRAME_FOREIGN)
		return SECURE_PLAIN;
	if (r != 0)
		return drop(&bridge->counts.malformed);
	switch (frame.type) {
	case SECURE_FRAME_INITIATE:
		return receive_initiate(bridge, now, fresh, bytes, &frame, received);
	case SECURE_FRAME_DATA:
		return receive_data(bridge, now, &frame, plaintext, received);
	case SECURE_FRAME_RESPOND:
		/* Only a bridge sends it. */
		break;
	}
	return drop(&bridge->counts.malformed);
}

void secure_bridge_hold(struct secure_bridge *bridge, uint64_t id)
{
	size_t guest, index;

	if (find_channel(bridge, id, &guest, &index) != NULL)
		bridge->guests[guest].held = id;
}

int secure_bridge_seal(struct secure_bridge *bridge, uint64_t now, uint64_t id,
	struct payload_view plaintext, struct payload_view *frame)
{
	size_t guest, index;
	struct secure_channel *channel = find_channel(bridge, id, &guest, &index);

	if (plaintext.size > SECURE_PLAINTEXT_MAX)
		return -EMSGSIZE;
	if (channel == NULL ||
		secure_channel_seal(channel, now, plaintext, &bridge->frame) != 0)
		return SECURE_NO_CHANNEL;
	*frame = payload_view(&bridge->frame);
	return 0;
}

/* ---- time ---- */

void secure_bridge_tick(struct secure_bridge *bridge, uint64_t now)
{
	for (size_t i = 0; i < SECURE_TENTATIVE_MAX; i++) {
		const struct secure_channel *channel = &bridge->tentative[i].channel;

		if (channel->id != 0 && now - channel->began >= SECURE_ATTEMPT) {
			bridge->counts.unfinished++;
			tentative_end(&bridge->tentative[i]);
		}
	}
	for (size_t i = 0; i < bridge->guest_count; i++) {
		for (size_t j = 0; j < SECURE_CHANNELS_MAX; j++) {
			if (secure_channel_is_over(&bridge->guests[i].channels[j], now))
				secure_channel_end(&bridge->guests[i].channels[j]);
		}
	}
}

static uint64_t sooner(uint64_t at, const struct secure_channel *channel, uint64_t life)
{
	return channel->id != 0 && channel->began + life < at ? channel->began + life : at;
}

uint64_t secure_bridge_deadline(const struct secure_bridge *bridge)
{
	uint64_t at = SECURE_NEVER;

	for (size_t i = 0; i < SECURE_TENTATIVE_MAX; i++)
		at = sooner(at, &bridge->tentative[i].channel, SECURE_ATTEMPT);
	for (size_t i = 0; i < bridge->guest_count; i++) {
		for (size_t j = 0; j < SECURE_CHANNELS_MAX; j++)
			at = sooner(at, &bridge->guests[i].channels[j], SECURE_OVER_AGE);
	}
	return at;
}

const struct secure_counts *secure_bridge_counts(const struct secure_bridge *bridge)
{
	return &bridge->counts;
}

/* ---- life ---- */

/* Memory that is locked, kept out of core dumps, and wiped by sodium_free(). */
static void *secret_zeros(size_t count, size_t size)
{
	void *memory = sodium_allocarray(count, size);

	if (memory != NULL)
		memset(memory, 0, count * size);
	return memory;
}

int secure_bridge_new(struct secure_bridge **bridge_out, const struct key_pair *own,
	const struct public_key *guests, size_t count)
{
	struct secure_bridge *bridge = secret_zeros(1, sizeof(*bridge));
	int r = -ENOMEM;

	*bridge_out = NULL;
	if (bridge == NULL)
		return r;
	bridge->own = *own;
	bridge->guest_count = count;
	bridge->guests = secret_zeros(count > 0 ? count : 1, sizeof(*bridge->guests));
	if (bridge->guests != NULL)
		r = payload_init(&bridge->frame, WIRE_FRAME_MAX);
	if (r != 0) {
		(void)secure_bridge_free(bridge);
		return r;
	}
	for (size_t i = 0; i < count; i++)
		bridge->guests[i].key = guests[i];
	*bridge_out = bridge;
	return 0;
}

struct secure_bridge *secure_bridge_free(struct secure_bridge *bridge)
{
	if (bridge == NULL)
		return NULL;
	payload_deinit(&bridge->frame);
	sodium_free(bridge->guests);
	sodium_free(bridge);
	return NULL;
}
