/*
 * The guest's half of the secure channel. See secure.h.
 *
 *     SECURE_IDLE      no channel, and nobody has asked for one
 *     SECURE_OPENING   no channel yet; message 1 is on its way, and what the session sends is held
 *     SECURE_OPEN      a channel
 *     SECURE_RENEWING  a channel, and a message 1 on its way for the one after it
 *
 * Of message 1 the same bytes are repeated for SECURE_ATTEMPT, so that a late answer still fits;
 * then a new one is made. It refuses every frame that isn't encrypted, whatever it says.
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

enum secure_guest_state {
	SECURE_IDLE,
	SECURE_OPENING,
	SECURE_OPEN,
	SECURE_RENEWING,
};

struct secure_guest {
	struct key_pair own;
	struct public_key bridge;
	enum secure_guest_state state;

	/* OPENING, RENEWING */
	struct noise_handshake handshake;
	uint8_t initiate[SECURE_INITIATE_SIZE];
	uint64_t attempt_ends;
	uint64_t repeat_at;
	uint64_t pace;              /* ms between two repetitions */
	bool initiate_due;

	struct secure_channel channel; /* OPEN, RENEWING */
	struct secure_channel former;  /* the one before it, for what is on its way */
	uint64_t former_ends;
	uint64_t silent_since;      /* a frame was sent then, and nothing has come since; or NEVER */
	bool confirm_due;           /* the bridge must see a frame before it uses the channel */

	struct payload held;        /* of the session, until there is a channel; empty: none */
	struct payload frame;       /* what was handed out last */
	struct secure_counts counts;
};

static uint64_t earlier(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

/* ---- handshakes ---- */

static void attempt_end(struct secure_guest *guest)
{
	noise_end(&guest->handshake);
	payload_wipe(guest->initiate, sizeof(guest->initiate));
	guest->initiate_due = false;
	guest->attempt_ends = SECURE_NEVER;
	guest->repeat_at = SECURE_NEVER;
}

static void attempt_begin(struct secure_guest *guest, uint64_t now,
	const struct secure_fresh *fresh)
{
	struct cursor_out out = cursor_out(guest->initiate, sizeof(guest->initiate));
	uint8_t *header = out_room(&out, SECURE_HEADER_SIZE);
	uint8_t *message = out_room(&out, NOISE_FIRST_SIZE);
	const struct payload_view none = { NULL, 0 };

	secure_frame_header(header, SECURE_FRAME_INITIATE);
	noise_begin(&guest->handshake, secure_prologue(), &guest->bridge);
	/* The only failure is a key of small order, which key_public_from_text() refuses. */
	(void)noise_write_first(&guest->handshake, &guest->own, &fresh->ephemeral, none, message);
	guest->attempt_ends = now + SECURE_ATTEMPT;
	guest->repeat_at = now + guest->pace;
	guest->initiate_due = true;
}

static void attempt_tick(struct secure_guest *guest, uint64_t now,
	const struct secure_fresh *fresh)
{
	if (now >= guest->attempt_ends) {
		attempt_begin(guest, now, fresh);
	} else if (now >= guest->repeat_at) {
		guest->pace = earlier(guest->pace * 2, SECURE_REPEAT);
		guest->repeat_at = now + guest->pace;
		guest->initiate_due = true;
	}
}

/* The answer has come: the new channel is used at once, the one before it only listened to. */
static void channel_begin(struct secure_guest *guest, uint64_t now,
	struct noise_handshake *handshake, uint64_t id)
{
	secure_channel_end(&guest->former);
	if (guest->channel.id != 0) {
		guest->former = guest->channel;
		guest->former_ends = now + SECURE_FORMER;
	}
	secure_channel_begin(&guest->channel, id, now, handshake, true);
	attempt_end(guest);
	guest->silent_since = SECURE_NEVER;
	guest->confirm_due = true;
	guest->pace = SECURE_REPEAT_FIRST;
	guest->state = SECURE_OPEN;
}

static int receive_response(struct secure_guest *guest, uint64_t now,
	const struct secure_frame *frame)
{
	/* A copy: a false answer must not spoil the handshake for the true one. */
	struct noise_handshake handshake = guest->handshake;
	uint8_t payload[SECURE_PAYLOAD_SIZE] = { 0 };
	struct cursor_in in = cursor_in(payload, sizeof(payload));
	int r = SECURE_DROPPED;
	uint64_t id;

	if (noise_read_second(&handshake, &guest->own, frame->content, payload) == 0) {
		id = in_le64(&in);
		if (id != 0) {
			channel_begin(guest, now, &handshake, id);
			r = SECURE_NOTHING;
		}
	} else {
		guest->counts.undecryptable++;
	}
	noise_end(&handshake);
	return r;
}

/* ---- frames ---- */

static int receive_data(struct secure_guest *guest, uint64_t now,
	const struct secure_frame *frame, struct payload *plaintext)
{
	struct secure_channel *channel = &guest->channel;
	int r;

	if (frame->channel != channel->id && frame->channel == guest->former.id)
		channel = &guest->former;
	if (channel->id == 0 || frame->channel != channel->id) {
		guest->counts.no_channel++;
		return SECURE_DROPPED;
	}
	r = secure_channel_open(channel, now, frame, plaintext);
	switch (r) {
	case CHANNEL_OVER:
		guest->counts.no_channel++;
		return SECURE_DROPPED;
	case CHANNEL_REPLAYED:
		guest->counts.replayed++;
		return SECURE_DROPPED;
	case CHANNEL_UNDECRYPTABLE:
		guest->counts.undecryptable++;
		return SECURE_DROPPED;
	}
	guest->silent_since = SECURE_NEVER;
	return plaintext->size > 0 ? 0 : SECURE_NOTHING;
}

int secure_guest_receive(struct secure_guest *guest, uint64_t now, struct payload_view bytes,
	struct payload *plaintext)
{
	struct secure_frame frame;
	int r = secure_frame_decode(bytes, &frame);

	payload_clear(plaintext);
	if (r == SECURE_FRAME_FOREIGN)
		return SECURE_PLAIN;
	if (r != 0 || frame.type == SECURE_FRAME_INITIATE) {
		guest->counts.malformed++;
		return SECURE_DROPPED;
	}
	if (frame.type == SECURE_FRAME_DATA)
		return receive_data(guest, now, &frame, plaintext);
	switch (guest->state) {
	case SECURE_IDLE:
	case SECURE_OPEN:
		/* Nothing was asked: it is the answer to a repetition. */
		return SECURE_DROPPED;
	case SECURE_OPENING:
	case SECURE_RENEWING:
		/* The answer that is waited for, if it is the true one. */
		return receive_response(guest, now, &frame);
	}
	return SECURE_DROPPED;
}

static int hold(struct secure_guest *guest, struct payload_view plaintext)
{
	(void)payload_set(&guest->held, plaintext);
	return SECURE_HELD;
}

static int seal(struct secure_guest *guest, uint64_t now, struct payload_view plaintext,
	struct payload_view *frame)
{
	if (secure_channel_seal(&guest->channel, now, plaintext, &guest->frame) != 0)
		return SECURE_HELD;
	guest->silent_since = earlier(guest->silent_since, now);
	guest->confirm_due = false;
	*frame = payload_view(&guest->frame);
	return 0;
}

int secure_guest_seal(struct secure_guest *guest, uint64_t now, struct payload_view plaintext,
	struct payload_view *frame)
{
	if (plaintext.size > SECURE_PLAINTEXT_MAX)
		return -EMSGSIZE;
	switch (guest->state) {
	case SECURE_IDLE:
	case SECURE_OPENING:
		/* It is the reason for a handshake, or waits for the end of one. */
		return hold(guest, plaintext);
	case SECURE_OPEN:
	case SECURE_RENEWING:
		/* A channel that is over is left at the next tick, and is no use before. */
		return seal(guest, now, plaintext, frame) == 0 ? 0 : hold(guest, plaintext);
	}
	return SECURE_HELD;
}

bool secure_guest_pop_frame(struct secure_guest *guest, uint64_t now, struct payload_view *frame)
{
	const struct payload_view nothing = { NULL, 0 };
	bool open = secure_guest_is_open(guest);

	if (guest->initiate_due) {
		guest->initiate_due = false;
		*frame = (struct payload_view){ guest->initiate, sizeof(guest->initiate) };
		return true;
	}
	if (open && guest->held.size > 0) {
		int r = seal(guest, now, payload_view(&guest->held), frame);

		if (r == 0)
			payload_clear(&guest->held);
		return r == 0;
	}
	return open && guest->confirm_due && seal(guest, now, nothing, frame) == 0;
}

/* ---- time ---- */

void secure_guest_tick(struct secure_guest *guest, uint64_t now, const struct secure_fresh *fresh)
{
	if (guest->former.id != 0 && now >= guest->former_ends)
		secure_channel_end(&guest->former);
	if (guest->channel.id != 0 && secure_channel_is_over(&guest->channel, now)) {
		secure_channel_end(&guest->channel);
		guest->silent_since = SECURE_NEVER;
		guest->state = guest->state == SECURE_OPEN ? SECURE_IDLE : SECURE_OPENING;
	}
	switch (guest->state) {
	case SECURE_IDLE:
		/* A handshake begins when the session has something to say. */
		if (guest->held.size > 0) {
			attempt_begin(guest, now, fresh);
			guest->state = SECURE_OPENING;
		}
		break;
	case SECURE_OPEN:
		/* And when the channel has served its time, or doesn't seem to be one any more. */
		if (secure_channel_is_worn(&guest->channel, now) ||
			(guest->silent_since != SECURE_NEVER &&
				now - guest->silent_since >= SECURE_SILENCE)) {
			attempt_begin(guest, now, fresh);
			guest->state = SECURE_RENEWING;
		}
		break;
	case SECURE_OPENING:
	case SECURE_RENEWING:
		/* It is repeated until it is answered. */
		attempt_tick(guest, now, fresh);
		break;
	}
}

/* When an open channel needs a successor. */
static uint64_t renewal_at(const struct secure_guest *guest)
{
	uint64_t at = guest->channel.began + SECURE_WORN_AGE;

	if (secure_channel_is_worn(&guest->channel, guest->channel.began))
		at = 0;
	if (guest->silent_since != SECURE_NEVER)
		at = earlier(at, guest->silent_since + SECURE_SILENCE);
	return at;
}

uint64_t secure_guest_deadline(const struct secure_guest *guest)
{
	uint64_t at = SECURE_NEVER;

	switch (guest->state) {
	case SECURE_IDLE:
		/* At once, if there is something to say. */
		at = guest->held.size > 0 ? 0 : SECURE_NEVER;
		break;
	case SECURE_OPEN:
		/* The successor; the end of the channel comes after it. */
		at = renewal_at(guest);
		break;
	case SECURE_OPENING:
	case SECURE_RENEWING:
		/* The next repetition; the end of the channel is noticed with it. */
		at = earlier(guest->repeat_at, guest->attempt_ends);
		break;
	}
	if (guest->former.id != 0)
		at = earlier(at, guest->former_ends);
	return at;
}

void secure_guest_relinked(struct secure_guest *guest, uint64_t now)
{
	guest->pace = SECURE_REPEAT_FIRST;
	if (guest->repeat_at != SECURE_NEVER)
		guest->repeat_at = now;
}

bool secure_guest_is_open(const struct secure_guest *guest)
{
	return guest->channel.id != 0;
}

const struct secure_counts *secure_guest_counts(const struct secure_guest *guest)
{
	return &guest->counts;
}

/* ---- life ---- */

int secure_guest_new(struct secure_guest **guest_out, const struct key_pair *own,
	const struct public_key *bridge)
{
	/* Locked into memory, kept out of core dumps, and wiped by sodium_free(). */
	struct secure_guest *guest = sodium_malloc(sizeof(*guest));
	int r = -ENOMEM;

	*guest_out = NULL;
	if (guest == NULL)
		return r;
	*guest = (struct secure_guest){ .own = *own, .bridge = *bridge, .state = SECURE_IDLE,
		.pace = SECURE_REPEAT_FIRST, .attempt_ends = SECURE_NEVER,
		.repeat_at = SECURE_NEVER, .silent_since = SECURE_NEVER };
	r = payload_init(&guest->held, SECURE_PLAINTEXT_MAX);
	if (r == 0)
		r = payload_init(&guest->frame, WIRE_FRAME_MAX);
	if (r == 0)
		*guest_out = guest;
	else
		(void)secure_guest_free(guest);
	return r;
}

struct secure_guest *secure_guest_free(struct secure_guest *guest)
{
	if (guest == NULL)
		return NULL;
	payload_deinit(&guest->held);
	payload_deinit(&guest->frame);
	sodium_free(guest);
	return NULL;
}
