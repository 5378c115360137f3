/*
 * A child's end of the pipe. See channel.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/channel.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

void channel_init(struct channel *channel, int fd)
{
	channel->fd = fd;
	channel->in.size = 0;
}

void channel_deinit(struct channel *channel)
{
	frame_buffer_deinit(&channel->in);
}

/* Any error is the end: a core that died with our answer unread is seen as ECONNRESET. */
int channel_fill(struct channel *channel)
{
	uint8_t *room;
	size_t size;
	ssize_t n;

	frame_buffer_room(&channel->in, &room, &size);
	do {
		n = read(channel->fd, room, size);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return CHANNEL_CLOSED;
	frame_buffer_filled(&channel->in, (size_t)n);
	return 0;
}

int channel_receive(struct channel *channel, struct wire_message *message)
{
	struct payload_view frame;
	int r;

	for (;;) {
		r = frame_buffer_first(&channel->in, &frame);
		if (r == 0) {
			r = wire_decode(frame.bytes, frame.size, message);
			return r == 0 ? 0 : CHANNEL_BROKEN;
		}
		if (r == FRAME_MALFORMED)
			return CHANNEL_BROKEN;
		r = channel_fill(channel);
		if (r != 0)
			return r;
	}
}

void channel_drop(struct channel *channel)
{
	frame_buffer_drop(&channel->in);
}

int channel_flush(struct channel *channel, size_t size)
{
	ssize_t n = 0;

	for (size_t done = 0; done < size && n >= 0; done += (size_t)n) {
		do {
			n = write(channel->fd, &channel->out[done], size - done);
		} while (n < 0 && errno == EINTR);
		if (n < 0)
			break;
	}
	payload_wipe(channel->out, size);
	return n < 0 ? CHANNEL_CLOSED : 0;
}

int channel_send(struct channel *channel, const struct wire_message *message)
{
	size_t size = 0;

	if (frame_encode(message, channel->out, &size) != 0)
		return CHANNEL_BROKEN;
	return channel_flush(channel, size);
}

bool channel_sleep(const struct channel *channel, unsigned int milliseconds)
{
	struct pollfd pollfd = { .fd = channel->fd, .events = POLLIN };

	return poll(&pollfd, 1, (int)milliseconds) == 0;
}
