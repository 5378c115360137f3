/*
 * A child's end of its pipe to core: blocking, one message at a time, or, for the front, one frame.
 *
 * The end of the pipe is how a child learns that it is no longer wanted, or that core is dead;
 * there is no other message for it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>

#include "host-bridge/frame_buffer.h"
#include "relay/wire.h"

struct channel {
	int fd;
	struct frame_buffer in;
	uint8_t out[FRAME_PREFIX + FRAME_MAX];
};

enum {
	CHANNEL_CLOSED = 1, /* core has closed the pipe, or is gone */
	CHANNEL_BROKEN = 2, /* core sent what can't be understood */
};

/* fd is a connected stream socket, and stays the caller's. */
void channel_init(struct channel *channel, int fd);

/* Wipes. May be called twice. */
void channel_deinit(struct channel *channel);

/*
 * Waits for the next message. Its payload is valid until channel_drop(), which must be called
 * before the next one. Returns 0, CHANNEL_CLOSED or CHANNEL_BROKEN.
 */
int channel_receive(struct channel *channel, struct wire_message *message);

/* Wipes the message that channel_receive() handed out. */
void channel_drop(struct channel *channel);

/*
 * Sends message. Returns 0, CHANNEL_CLOSED or, for a message that fits into no frame,
 * CHANNEL_BROKEN.
 */
int channel_send(struct channel *channel, const struct wire_message *message);

/*
 * Reads once what has come, and waits for it if nothing has. The frames that are whole then are
 * those of channel->in, and each must be dropped. Returns 0 or CHANNEL_CLOSED.
 */
int channel_fill(struct channel *channel);

/* Writes the first size bytes of channel->out, and wipes them. Returns 0 or CHANNEL_CLOSED. */
int channel_flush(struct channel *channel, size_t size);

/*
 * Sleeps, but no longer than until core sends something or closes the pipe. Returns whether the
 * whole time has passed.
 */
bool channel_sleep(const struct channel *channel, unsigned int milliseconds);
