/*
 * Fuzzes both halves of the secure channel. The input is a list of records, each a byte that says
 * what to do and a byte or two of detail: the guest or the bridge says something, frames on their
 * way arrive, get lost, come again, are cut or changed, raw frames are thrown in, time passes, the
 * bridge is started anew, a stranger knocks.
 *
 * Whatever comes: nothing crashes; what one side hears the other has said, once, and in each channel
 * in order; a stranger is never heard and never answered.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "relay/secure.h"

#define FRAMES 16     /* that are on their way, or were */
#define FRAME_MAX 256 /* bytes of those */
#define HEARD_MAX 65536 /* numbers that are remembered */

enum record {
	RECORD_GUEST_SAYS,    /* the next number */
	RECORD_BRIDGE_SAYS,   /* the next number, in the channel heard last */
	RECORD_GUEST_SENDS,   /* what its channel wants to send */
	RECORD_ARRIVES,       /* u8: which frame, once more or for the first time */
	RECORD_DAMAGED,       /* u8 frame, u8 offset, u8 xor */
	RECORD_CUT,           /* u8 frame, u8 size */
	RECORD_RAW_TO_GUEST,  /* u8 size, frame */
	RECORD_RAW_TO_BRIDGE, /* u8 size, frame */
	RECORD_TIME,          /* u16 ms */
	RECORD_LONG_TIME,     /* u16 s */
	RECORD_RESTART,       /* the bridge */
	RECORD_RELINK,
	RECORD_STRANGER,      /* sends its message 1 */
	RECORD_COUNT,
};

struct stored {
	uint8_t bytes[FRAME_MAX];
	size_t size;
	bool to_bridge;
};

struct world {
	struct secure_guest *guest;
	struct secure_guest *stranger;
	struct secure_bridge *bridge;
	struct stored frames[FRAMES];
	size_t stored;
	struct payload plaintext;
	uint64_t now;
	uint64_t channel;      /* heard last at the bridge */
	uint64_t fresh;
	uint32_t guest_said;   /* the last number */
	uint32_t bridge_said;
	uint64_t heard_at_bridge[HEARD_MAX / 64]; /* a bit for each number */
	uint64_t heard_at_guest[HEARD_MAX / 64];
};

static struct key_pair pair_of(uint8_t number)
{
	struct key_pair pair;

	memset(pair.private.bytes, number, KEY_SIZE);
	key_public(&pair.private, &pair.public);
	return pair;
}

static struct secure_fresh fresh_bytes(struct world *world)
{
	struct secure_fresh fresh = { .channel = ++world->fresh };

	/* X25519 takes no notice of the lowest three bits (RFC 7748, 5): not at the beginning. */
	memcpy(&fresh.ephemeral.bytes[8], &world->fresh, sizeof(world->fresh));
	return fresh;
}

static void start_bridge(struct world *world)
{
	struct key_pair own = pair_of(1);
	struct public_key guests[] = { pair_of(2).public, pair_of(3).public };

	secure_bridge_free(world->bridge);
	assert(secure_bridge_new(&world->bridge, &own, guests, 2) == 0);
	world->channel = 0;
}

static void store(struct world *world, struct payload_view frame, bool to_bridge)
{
	struct stored *stored = &world->frames[world->stored++ % FRAMES];

	assert(frame.size <= FRAME_MAX);
	memcpy(stored->bytes, frame.bytes, frame.size);
	stored->size = frame.size;
	stored->to_bridge = to_bridge;
}

/* ---- what is heard ---- */

/* A number that was said, and was not heard before. */
static void check_number(const struct world *world, uint32_t said, uint64_t *heard)
{
	struct cursor_in in = cursor_in(world->plaintext.bytes, world->plaintext.size);
	uint32_t number = in_le32(&in);

	assert(in_done(&in) && number >= 1 && number <= said);
	if (number >= HEARD_MAX)
		return;
	assert((heard[number / 64] >> number % 64 & 1) == 0);
	heard[number / 64] |= UINT64_C(1) << number % 64;
}

static void to_bridge(struct world *world, struct payload_view frame)
{
	struct secure_fresh fresh = fresh_bytes(world);
	struct secure_received received;
	int r = secure_bridge_receive(world->bridge, world->now, &fresh, frame, &world->plaintext,
		&received);

	assert(r >= 0);
	if (r == SECURE_ANSWER)
		store(world, received.answer, false);
	if (r == 0) {
		assert(received.guest == 0 && received.channel != 0);
		world->channel = received.channel;
		if (world->plaintext.size > 0)
			check_number(world, world->guest_said, world->heard_at_bridge);
	} else {
		assert(world->plaintext.size == 0);
	}
	payload_clear(&world->plaintext);
}

static void to_guest(struct world *world, struct payload_view frame)
{
	int r = secure_guest_receive(world->guest, world->now, frame, &world->plaintext);

	assert(r >= 0);
	if (r == 0)
		check_number(world, world->bridge_said, world->heard_at_guest);
	else
		assert(world->plaintext.size == 0);
	payload_clear(&world->plaintext);
}

static void arrive(struct world *world, struct payload_view frame, bool at_bridge)
{
	if (at_bridge)
		to_bridge(world, frame);
	else
		to_guest(world, frame);
}

/* ---- what is said ---- */

static struct payload_view number_text(uint8_t text[4], uint32_t number)
{
	struct cursor_out out = cursor_out(text, 4);

	out_le32(&out, number);
	return (struct payload_view){ text, 4 };
}

static void guest_says(struct world *world)
{
	struct payload_view frame;
	uint8_t text[4];
	int r = secure_guest_seal(world->guest, world->now,
		number_text(text, ++world->guest_said), &frame);

	assert(r == 0 || r == SECURE_HELD);
	if (r == 0)
		store(world, frame, true);
}

static void bridge_says(struct world *world)
{
	struct payload_view frame;
	uint8_t text[4];
	int r = secure_bridge_seal(world->bridge, world->now, world->channel,
		number_text(text, ++world->bridge_said), &frame);

	assert(r == 0 || r == SECURE_NO_CHANNEL);
	if (r == 0)
		store(world, frame, false);
}

static void ticks(struct world *world)
{
	for (int i = 0; secure_guest_deadline(world->guest) <= world->now; i++) {
		struct secure_fresh fresh = fresh_bytes(world);

		assert(i < 8);
		secure_guest_tick(world->guest, world->now, &fresh);
	}
	if (secure_bridge_deadline(world->bridge) <= world->now)
		secure_bridge_tick(world->bridge, world->now);
	assert(secure_bridge_deadline(world->bridge) > world->now);
}

static void guest_sends(struct world *world)
{
	struct payload_view frame;

	while (secure_guest_pop_frame(world->guest, world->now, &frame))
		store(world, frame, true);
}

static void stranger_knocks(struct world *world)
{
	struct secure_fresh fresh = fresh_bytes(world);
	struct secure_received received;
	struct payload_view frame;
	uint8_t text[4];

	(void)secure_guest_seal(world->stranger, world->now, number_text(text, 0), &frame);
	secure_guest_tick(world->stranger, world->now, &fresh);
	while (secure_guest_pop_frame(world->stranger, world->now, &frame))
		assert(secure_bridge_receive(world->bridge, world->now, &fresh, frame,
			&world->plaintext, &received) == SECURE_UNKNOWN_KEY);
}

/* ---- records ---- */

static void play_stored(struct world *world, struct cursor_in *in, enum record record)
{
	struct stored *stored = &world->frames[in_u8(in) % FRAMES];
	uint8_t copy[FRAME_MAX];
	struct payload_view frame = { copy, stored->size };
	size_t detail;

	memcpy(copy, stored->bytes, stored->size);
	if (record == RECORD_CUT) {
		detail = in_u8(in);
		frame.size = detail < frame.size ? detail : frame.size;
	}
	if (record == RECORD_DAMAGED && frame.size > 0) {
		detail = in_u8(in);
		copy[detail % frame.size] ^= in_u8(in);
	}
	arrive(world, frame, stored->to_bridge);
}

static void play_raw(struct world *world, struct cursor_in *in, bool at_bridge)
{
	uint8_t bytes[FRAME_MAX];
	size_t size = in_u8(in);

	in_copy(in, bytes, size);
	arrive(world, (struct payload_view){ bytes, size }, at_bridge);
}

static void play_record(struct world *world, struct cursor_in *in)
{
	enum record record = (enum record)(in_u8(in) % RECORD_COUNT);

	switch (record) {
	case RECORD_GUEST_SAYS:
		guest_says(world);
		break;
	case RECORD_BRIDGE_SAYS:
		bridge_says(world);
		break;
	case RECORD_GUEST_SENDS:
		guest_sends(world);
		break;
	case RECORD_ARRIVES:
	case RECORD_DAMAGED:
	case RECORD_CUT:
		play_stored(world, in, record);
		break;
	case RECORD_RAW_TO_GUEST:
	case RECORD_RAW_TO_BRIDGE:
		play_raw(world, in, record == RECORD_RAW_TO_BRIDGE);
		break;
	case RECORD_TIME:
		world->now += in_le16(in);
		break;
	case RECORD_LONG_TIME:
		world->now += UINT64_C(1000) * in_le16(in);
		break;
	case RECORD_RESTART:
		start_bridge(world);
		break;
	case RECORD_RELINK:
		secure_guest_relinked(world->guest, world->now);
		break;
	case RECORD_STRANGER:
		stranger_knocks(world);
		break;
	case RECORD_COUNT:
		break;
	}
	ticks(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct world world;
	struct cursor_in in = cursor_in(bytes, size);
	struct key_pair bridge = pair_of(1), guest = pair_of(2), stranger = pair_of(4);

	if (sodium_init() < 0)
		return 0;
	memset(&world, 0, sizeof(world));
	assert(payload_init(&world.plaintext, SECURE_PLAINTEXT_MAX) == 0);
	assert(secure_guest_new(&world.guest, &guest, &bridge.public) == 0);
	assert(secure_guest_new(&world.stranger, &stranger, &bridge.public) == 0);
	start_bridge(&world);
	while (in_ok(&in) && in.left > 0)
		play_record(&world, &in);
	secure_guest_free(world.guest);
	secure_guest_free(world.stranger);
	secure_bridge_free(world.bridge);
	payload_deinit(&world.plaintext);
	return 0;
}
