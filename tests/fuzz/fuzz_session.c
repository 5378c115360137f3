/*
 * Fuzzes both halves of a session with frames in any order. The input is a list of records, each a
 * byte that says what to do, a byte or two of detail, and for frames their size and bytes. A frame
 * can be sent as it is, or with the number of the open session, since no fuzzer would guess that.
 *
 * Whatever comes: the halves neither crash nor fail, no number is executed twice in a session,
 * numbers are executed in order, and each call of the guest has one reply.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "relay/session.h"

#define SESSION_OFFSET 4 /* of the session's number in a frame (PROTOCOL.md, 2) */
#define FRAME_MAX 1024

enum record {
	RECORD_TIME,           /* u16 ms pass */
	RECORD_TO_GUEST,       /* u8 size, frame */
	RECORD_TO_GUEST_OPEN,  /* the same, with the number of the guest's session */
	RECORD_TO_BRIDGE,      /* u8 size, frame */
	RECORD_TO_BRIDGE_OPEN, /* the same, with the number of the bridge's session */
	RECORD_CALL,           /* u8 size of the data */
	RECORD_COMPLETE,       /* u8: which of the last calls has ended */
	RECORD_READERS,        /* u8: how many */
	RECORD_CROSS,          /* u8: what both have to send arrives, or is lost, by its bits */
	RECORD_BYE,
	RECORD_COUNT,
};

struct world {
	struct guest_session *guest;
	struct bridge_session *bridge;
	uint64_t now;
	uint64_t identity;
	uint64_t known; /* the number that a frame of this guest would carry */
	uint64_t executing;
	uint32_t executed;
	uint32_t called;
	uint32_t replied;
};

static void take_guest_events(struct world *world)
{
	struct guest_event event;

	while (guest_session_pop_event(world->guest, &event)) {
		if (event.type != GUEST_SESSION_REPLY)
			continue;
		world->replied++;
		assert(event.reply.number > 0 && event.reply.number <= world->called);
		assert(world->replied <= world->called);
	}
}

static void take_bridge_events(struct world *world)
{
	struct bridge_event event;

	while (bridge_session_pop_event(world->bridge, &event)) {
		switch (event.type) {
		case BRIDGE_SESSION_UP:
			assert(event.session != world->executing);
			world->executing = event.session;
			world->executed = 0;
			break;
		case BRIDGE_SESSION_DOWN:
		case BRIDGE_SESSION_CONTESTED:
			assert(event.session == world->executing);
			break;
		case BRIDGE_SESSION_EXECUTE:
			assert(event.session == world->executing);
			assert(event.call.number == world->executed + 1);
			world->executed++;
			break;
		}
	}
}

static void to_guest(struct world *world, const uint8_t *frame, size_t size)
{
	assert(guest_session_receive(world->guest, world->now, frame, size) >= 0);
	take_guest_events(world);
}

static void to_bridge(struct world *world, const uint8_t *frame, size_t size)
{
	struct wire_message message;

	if (wire_decode(frame, size, &message) != 0)
		return;
	assert(bridge_session_receive(world->bridge, world->now, &message, ++world->identity) >= 0);
	if (bridge_session_knows(world->bridge, world->identity))
		world->known = world->identity;
	take_bridge_events(world);
}

static void pass_time(struct world *world, uint64_t ms)
{
	world->now += ms;
	if (world->now >= guest_session_deadline(world->guest))
		assert(guest_session_tick(world->guest, world->now) == 0);
	take_guest_events(world);
	if (world->now >= bridge_session_deadline(world->bridge))
		assert(bridge_session_tick(world->bridge, world->now) == 0);
	take_bridge_events(world);
}

/* The frames that both have to send; where the bit is set, it arrives. */
static void cross(struct world *world, unsigned bits)
{
	static uint8_t copy[WIRE_FRAME_MAX];
	struct payload_view frame;

	for (; guest_session_pop_frame(world->guest, &frame); bits = bits >> 1 | bits << 7) {
		memcpy(copy, frame.bytes, frame.size);
		if (bits & 1)
			to_bridge(world, copy, frame.size);
	}
	for (; bridge_session_pop_frame(world->bridge, &frame); bits = bits >> 1 | bits << 7) {
		memcpy(copy, frame.bytes, frame.size);
		if (bits & 1)
			to_guest(world, copy, frame.size);
	}
}

static void call(struct world *world, uint8_t size)
{
	static const uint8_t zeros[UINT8_MAX];
	struct wire_call wanted = { .operation = WIRE_TRANSMIT, .data = { zeros, size } };
	uint32_t number;
	int result = guest_session_call(world->guest, world->now, &wanted, &number);

	assert(result >= 0);
	if (result == 0)
		assert(number == ++world->called);
}

static void complete(struct world *world, uint8_t which)
{
	struct wire_reply reply = { .number = world->executed - which % SESSION_WINDOW };

	assert(bridge_session_complete(world->bridge, world->now, world->executing, &reply) == 0);
}

static void set_readers(struct world *world, uint8_t count)
{
	struct wire_readers readers;

	memset(&readers, 0, sizeof(readers));
	readers.count = count % (WIRE_READERS_MAX + 1);
	bridge_session_set_readers(world->bridge, world->now, &readers);
}

/* A frame of the input, with the number of a session where id isn't 0. */
static size_t take_frame(struct cursor_in *in, uint8_t *frame, uint64_t id)
{
	size_t size = in_u8(in);
	struct cursor_out number = cursor_out(frame + SESSION_OFFSET, sizeof(id));

	in_copy(in, frame, size);
	if (id != 0 && size >= SESSION_OFFSET + sizeof(id))
		out_le64(&number, id);
	return size;
}

static void play_record(struct world *world, struct cursor_in *in)
{
	uint8_t frame[FRAME_MAX];

	switch (in_u8(in) % RECORD_COUNT) {
	case RECORD_TIME:
		pass_time(world, in_le16(in));
		break;
	case RECORD_TO_GUEST:
		to_guest(world, frame, take_frame(in, frame, 0));
		break;
	case RECORD_TO_GUEST_OPEN:
		to_guest(world, frame, take_frame(in, frame, world->known));
		break;
	case RECORD_TO_BRIDGE:
		to_bridge(world, frame, take_frame(in, frame, 0));
		break;
	case RECORD_TO_BRIDGE_OPEN:
		to_bridge(world, frame, take_frame(in, frame, world->known));
		break;
	case RECORD_CALL:
		call(world, in_u8(in));
		break;
	case RECORD_COMPLETE:
		complete(world, in_u8(in));
		break;
	case RECORD_READERS:
		set_readers(world, in_u8(in));
		break;
	case RECORD_CROSS:
		cross(world, in_u8(in));
		break;
	case RECORD_BYE:
		guest_session_bye(world->guest);
		break;
	}
	take_guest_events(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct cursor_in in = cursor_in(bytes, size);
	struct world world = { .now = 0 };

	assert(guest_session_new(&world.guest, "vm1", 1, 0) == 0);
	assert(bridge_session_new(&world.bridge, 2) == 0);
	while (in_ok(&in) && in.left > 0)
		play_record(&world, &in);
	guest_session_free(world.guest);
	bridge_session_free(world.bridge);
	return 0;
}
