/*
 * What core and the front say to each other, one record per frame of their pipe: the relay's frames
 * as they are on the network, with the link's route beside each; and, from the front, how its start
 * went. Neither end trusts the other's lengths, and core trusts the front in nothing. Sans-I/O.
 *
 *     u8 type | u8 size of the route | route | the rest: a frame, or a text
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "relay/link.h"
#include "relay/wire.h"

enum front_record_type {
	FRONT_FRAME = 1,   /* both ways: a frame, and where it came from or goes to */
	FRONT_READY = 2,   /* from the front: it listens on every endpoint */
	FRONT_PROBLEM = 3, /* from the front: it can't, and ends; the text says why */
	FRONT_PING = 4,    /* to the front, which sends it back: a sign of life */
};

#define FRONT_PROBLEM_MAX 512 /* bytes of that text, without a terminating zero */

#define FRONT_RECORD_MAX (2 + LINK_ROUTE_MAX + WIRE_FRAME_MAX)

struct front_record {
	enum front_record_type type;
	struct link_route route;     /* FRONT_FRAME; else empty */
	struct payload_view content; /* the frame or the text; else empty */
};

enum {
	FRONT_RECORD_MALFORMED = 1, /* an unknown type, or a length that can't be */
};

/*
 * Takes a record apart; content points into bytes. Returns 0 or FRONT_RECORD_MALFORMED.
 */
int front_record_decode(struct payload_view bytes, struct front_record *record);

/*
 * Writes record with a frame buffer's prefix into bytes, of FRAME_PREFIX + FRONT_RECORD_MAX.
 * Returns 0, or FRONT_RECORD_MALFORMED for what decode would refuse.
 */
int front_record_encode(const struct front_record *record, uint8_t *bytes, size_t *size);
