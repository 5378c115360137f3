/*
 * raw-frame guest|bridge ENDPOINT HEX: one end of a link that knows nothing of sessions.
 *
 *     guest    sends the frame HEX until one comes back, and says what that is
 *     bridge   answers every frame with HEX, until it is killed
 *
 * For frames that our own daemons never send, of other versions for example.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/link.h"
#include "relay/wire.h"

#define REPEAT 100 /* ms */
#define TRIES 50

static void fail(const char *what)
{
	(void)fprintf(stderr, "raw-frame: %s\n", what);
	exit(EXIT_FAILURE);
}

static size_t parse(const char *text, uint8_t *bytes, size_t capacity)
{
	size_t size = 0;
	char digits[3] = "";
	char *end;

	for (; text[0] != '\0' && text[1] != '\0'; text += 2) {
		if (size == capacity)
			fail("too many bytes");
		memcpy(digits, text, 2);
		bytes[size++] = (uint8_t)strtoul(digits, &end, 16);
		if (*end != '\0')
			fail("these are no bytes");
	}
	return size;
}

static bool next_frame(struct link *link, struct link_route *from, struct payload *frame)
{
	struct pollfd pollfd = { .fd = link_fd(link), .events = POLLIN };

	(void)poll(&pollfd, 1, REPEAT);
	return link_receive(link, from, frame) == 0;
}

static void ask(struct link *link, struct payload_view question, struct payload *frame)
{
	static char text[8192];
	struct wire_message message;

	for (int i = 0; i < TRIES; i++) {
		(void)link_send(link, NULL, question);
		if (!next_frame(link, NULL, frame))
			continue;
		if (wire_decode(frame->bytes, frame->size, &message) != 0)
			fail("the answer can't be decoded");
		wire_print(&message, text, sizeof text);
		(void)puts(text);
		return;
	}
	fail("no answer");
}

static void answer(struct link *link, struct payload_view with, struct payload *frame)
{
	struct link_route from;

	for (;;) {
		if (next_frame(link, &from, frame))
			(void)link_send(link, &from, with);
	}
}

int main(int argc, char **argv)
{
	static uint8_t bytes[1024];
	struct payload_view view = { .bytes = bytes };
	struct payload frame = PAYLOAD_NULL;
	struct link *link;
	char problem[512];
	bool guest;

	if (argc != 4)
		fail("usage: raw-frame guest|bridge ENDPOINT HEX");
	guest = strcmp(argv[1], "guest") == 0;
	view.size = parse(argv[3], bytes, sizeof bytes);
	if (link_open_nanomsg(&link, guest ? LINK_GUEST : LINK_BRIDGE,
		(const char *const *)&argv[2], 1, problem, sizeof problem) != 0)
		fail(problem);
	if (payload_init(&frame, WIRE_FRAME_MAX) < 0)
		fail("no memory");
	if (guest)
		ask(link, view, &frame);
	else
		answer(link, view, &frame);
	payload_deinit(&frame);
	(void)link_close(link);
	return EXIT_SUCCESS;
}
