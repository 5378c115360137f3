/*
 * wiretap PORT TARGET RECORD CONTROL: somebody on the way between a guest and a bridge on tcp://, who
 * has no key.
 *
 * Listens at the TCP port PORT of 127.0.0.1 and passes nanomsg's frames to the port TARGET and back,
 * for one guest: a new connection takes the place of the one before. Everything from the guest is
 * written to RECORD (u32 size, little-endian, and the relay's frame), which key-attacker plays. What
 * else it does it is told by CONTROL, a unix socket that card-ctl speaks to:
 *
 *     pass         nothing
 *     replay N     behind each frame, itself again and N that were before it, in both directions
 *     reorder N    every N-th frame goes behind the next one of its direction
 *     damage N     in front of every N-th frame that isn't long, copies of it: cut at each place, and
 *                  with a bit turned in each byte
 *     state        "ok passed=1 replayed=2 reordered=3 damaged=4"
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cursor.h"

#define GREETING_SIZE 8
#define LENGTH_SIZE 8
#define SP_SIZE 4              /* nanomsg's header of a request */
#define BUFFER_SIZE (128 * 1024)
#define KEPT_MAX 64            /* frames of one direction that can be replayed */
#define LONG_FRAME 512         /* bytes of a frame that is not damaged: too many copies */

struct bytes {
	uint8_t *bytes;
	size_t size;
};

/* What comes from one side and goes to the other. */
struct direction {
	int from;
	int to;
	bool greeted;
	uint8_t buffer[BUFFER_SIZE];
	size_t used;
	unsigned long frames;
	struct bytes kept[KEPT_MAX]; /* the last ones, by their number */
	struct bytes aside;          /* waits for the one that goes before it */
};

static struct {
	int listener;
	int control;
	uint16_t target;
	FILE *record;
	struct direction up, down;
	unsigned long replay, reorder, damage;
	unsigned long passed, replayed, reordered, damaged;
} tap = { .up = { .from = -1, .to = -1 }, .down = { .from = -1, .to = -1 } };

static void fail(const char *what)
{
	(void)fprintf(stderr, "wiretap: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* ---- frames ---- */

static struct bytes copy_of(struct bytes from)
{
	struct bytes copy = { malloc(from.size), from.size };

	if (copy.bytes == NULL)
		fail("no memory");
	memcpy(copy.bytes, from.bytes, from.size);
	return copy;
}

/* A peer that is gone is noticed when it is read. */
static void put(int fd, const void *bytes, size_t size)
{
	const uint8_t *next = bytes;
	ssize_t n;

	while (size > 0 && (n = send(fd, next, size, MSG_NOSIGNAL)) > 0) {
		next += n;
		size -= (size_t)n;
	}
}

static void put_frame(const struct direction *direction, struct bytes frame)
{
	uint8_t length[LENGTH_SIZE];
	struct cursor_out out = cursor_out(length, sizeof length);

	for (int shift = 48; shift >= 0; shift -= 16)
		out_be16(&out, (uint16_t)((uint64_t)frame.size >> shift));
	put(direction->to, length, sizeof length);
	put(direction->to, frame.bytes, frame.size);
}

static void record(struct bytes frame)
{
	uint8_t size[4];
	struct cursor_out out = cursor_out(size, sizeof size);

	if (frame.size < SP_SIZE)
		return;
	out_le32(&out, (uint32_t)(frame.size - SP_SIZE));
	(void)fwrite(size, 1, sizeof size, tap.record);
	(void)fwrite(frame.bytes + SP_SIZE, 1, frame.size - SP_SIZE, tap.record);
	(void)fflush(tap.record);
}

static void damage(const struct direction *direction, struct bytes frame)
{
	struct bytes copy = copy_of(frame);

	for (copy.size = SP_SIZE; copy.size < frame.size; copy.size++) {
		put_frame(direction, copy);
		tap.damaged++;
	}
	for (size_t i = SP_SIZE; i < frame.size; i++) {
		copy.bytes[i] ^= (uint8_t)(1u << i % 8);
		put_frame(direction, copy);
		copy.bytes[i] ^= (uint8_t)(1u << i % 8);
		tap.damaged++;
	}
	free(copy.bytes);
}

static void replay(const struct direction *direction)
{
	for (unsigned long i = 0; i <= tap.replay && i < KEPT_MAX && i < direction->frames; i++) {
		put_frame(direction, direction->kept[(direction->frames - 1 - i) % KEPT_MAX]);
		tap.replayed++;
	}
}

static void keep(struct direction *direction, struct bytes frame)
{
	struct bytes *place = &direction->kept[direction->frames % KEPT_MAX];

	free(place->bytes);
	*place = copy_of(frame);
	direction->frames++;
}

static void put_aside(struct direction *direction)
{
	put_frame(direction, direction->aside);
	free(direction->aside.bytes);
	direction->aside = (struct bytes){ .bytes = NULL };
	tap.reordered++;
}

static void pass(struct direction *direction, struct bytes frame)
{
	keep(direction, frame);
	if (direction == &tap.up)
		record(frame);
	if (tap.damage != 0 && direction->frames % tap.damage == 0 && frame.size <= LONG_FRAME)
		damage(direction, frame);
	tap.passed++;
	if (tap.reorder != 0 && direction->frames % tap.reorder == 0 &&
		direction->aside.bytes == NULL) {
		direction->aside = copy_of(frame);
		return;
	}
	put_frame(direction, frame);
	if (direction->aside.bytes != NULL)
		put_aside(direction);
	if (tap.replay != 0)
		replay(direction);
}

/* ---- streams ---- */

/* The first frame of the buffer; false if it is not complete. */
static bool first_frame(const struct direction *direction, struct bytes *frame)
{
	struct cursor_in in = cursor_in(direction->buffer, direction->used);
	uint64_t length = 0;

	for (int i = 0; i < 4; i++)
		length = length << 16 | in_be16(&in);
	if (!in_ok(&in) || length > in.left)
		return false;
	*frame = (struct bytes){ (uint8_t *)(uintptr_t)in_bytes(&in, (size_t)length),
		(size_t)length };
	return true;
}

static void drop_first(struct direction *direction, size_t size)
{
	direction->used -= size;
	memmove(direction->buffer, &direction->buffer[size], direction->used);
}

static void carry(struct direction *direction)
{
	struct bytes frame;

	if (!direction->greeted) {
		if (direction->used < GREETING_SIZE)
			return;
		put(direction->to, direction->buffer, GREETING_SIZE);
		drop_first(direction, GREETING_SIZE);
		direction->greeted = true;
	}
	while (first_frame(direction, &frame)) {
		pass(direction, frame);
		drop_first(direction, LENGTH_SIZE + frame.size);
	}
}

static void hang_up(void)
{
	(void)close(tap.up.from);
	(void)close(tap.down.from);
	tap.up.from = tap.up.to = tap.down.from = tap.down.to = -1;
}

static void listen_to(struct direction *direction)
{
	ssize_t n = read(direction->from, &direction->buffer[direction->used],
		sizeof direction->buffer - direction->used);

	if (n <= 0) {
		hang_up();
		return;
	}
	direction->used += (size_t)n;
	carry(direction);
}

/* ---- connections ---- */

static struct sockaddr_in address_of(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void join(struct direction *direction, int from, int to)
{
	const int on = 1;

	direction->from = from;
	direction->to = to;
	direction->greeted = false;
	direction->used = 0;
	free(direction->aside.bytes);
	direction->aside = (struct bytes){ .bytes = NULL };
	(void)setsockopt(from, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void take_guest(void)
{
	struct sockaddr_in address = address_of(tap.target);
	int guest = accept(tap.listener, NULL, NULL);
	int bridge = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	hang_up();
	if (guest < 0 || bridge < 0 ||
		connect(bridge, (const struct sockaddr *)&address, sizeof address) != 0) {
		(void)close(guest);
		(void)close(bridge);
		return;
	}
	join(&tap.up, guest, bridge);
	join(&tap.down, bridge, guest);
}

static void obey(void)
{
	char line[128] = "", answer[256] = "error: no such command\n", verb[16] = "";
	unsigned long number = 0;
	int fd = accept(tap.control, NULL, NULL);

	if (fd < 0 || read(fd, line, sizeof line - 1) <= 0) {
		(void)close(fd);
		return;
	}
	(void)sscanf(line, "%15s %lu", verb, &number);
	if (strcmp(verb, "pass") == 0)
		tap.replay = tap.reorder = tap.damage = 0;
	else if (strcmp(verb, "replay") == 0)
		tap.replay = number;
	else if (strcmp(verb, "reorder") == 0)
		tap.reorder = number;
	else if (strcmp(verb, "damage") == 0)
		tap.damage = number;
	else if (strcmp(verb, "state") != 0)
		verb[0] = '\0';
	if (verb[0] != '\0')
		(void)snprintf(answer, sizeof answer,
			"ok passed=%lu replayed=%lu reordered=%lu damaged=%lu\n", tap.passed,
			tap.replayed, tap.reordered, tap.damaged);
	put(fd, answer, strlen(answer));
	(void)close(fd);
}

/* ---- life ---- */

static void start(char **arguments)
{
	struct sockaddr_in address = address_of((uint16_t)strtoul(arguments[1], NULL, 10));
	struct sockaddr_un control = { .sun_family = AF_UNIX };
	const int on = 1;

	tap.target = (uint16_t)strtoul(arguments[2], NULL, 10);
	tap.record = fopen(arguments[3], "wb");
	if (tap.record == NULL)
		fail(arguments[3]);
	tap.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(tap.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(tap.listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
		listen(tap.listener, 8) != 0)
		fail("can't listen");
	(void)snprintf(control.sun_path, sizeof control.sun_path, "%s", arguments[4]);
	tap.control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(tap.control, (const struct sockaddr *)&control, sizeof control) != 0 ||
		listen(tap.control, 8) != 0)
		fail("can't be told anything");
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		(void)fputs("usage: wiretap PORT TARGET RECORD CONTROL\n", stderr);
		return 64;
	}
	start(argv);
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = tap.control, .events = POLLIN },
			{ .fd = tap.listener, .events = POLLIN },
			{ .fd = tap.up.from, .events = POLLIN },
			{ .fd = tap.down.from, .events = POLLIN },
		};

		if (poll(fds, 4, -1) < 0 && errno != EINTR)
			fail("poll");
		if (fds[0].revents != 0)
			obey();
		if (fds[1].revents != 0)
			take_guest();
		else if (fds[2].revents != 0)
			listen_to(&tap.up);
		else if (fds[3].revents != 0)
			listen_to(&tap.down);
	}
}
