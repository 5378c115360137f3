/*
 * bench-wire: passes TCP connections on, and counts what passes.
 *
 *     bench-wire PORT TARGET-PORT COUNT-PORT            all of them at 127.0.0.1
 *
 * Whoever connects to COUNT-PORT gets a line of what was counted since the start, and is left:
 *
 *     turns=12 up-messages=12 down-messages=12 up-bytes=1180 down-bytes=996
 *
 * "Up" is towards the target. A turn is bytes that come down after bytes that went up, in one
 * connection: as long as each question waits for its answer, that is a round trip. Messages are
 * those of nanomsg's framing: of eight bytes that greet, and then for each message its length (be64)
 * and the message. Of another protocol's bytes the number of messages says nothing.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

#define PAIRS_MAX 16
#define WIRE_GREETING 8
#define WIRE_LENGTH 8
#define CHUNK 65536
#define EXIT_USAGE 2

/* One direction of a connection. */
struct way {
	int from;
	int to;
	uint64_t *bytes;
	uint64_t *messages;
	uint64_t left;    /* of the message that is passing, or of the greeting */
	uint64_t length;  /* as far as it has come */
	unsigned int length_bytes;
};

struct pair {
	bool used;
	bool asked;       /* what passed last went up */
	struct way up;
	struct way down;
};

static struct pair pairs[PAIRS_MAX];
static uint64_t turns, up_bytes, down_bytes, up_messages, down_messages;

static _Noreturn void give_up(const char *what)
{
	log_error("wire", "%s: %s", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static struct sockaddr_in address_of(const char *port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int listen_at(const char *port)
{
	struct sockaddr_in at = address_of(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 8) != 0)
		give_up(port);
	return fd;
}

static void at_once(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void pair_close(struct pair *pair)
{
	(void)close(pair->up.from);
	(void)close(pair->up.to);
	pair->used = false;
}

static void pair_open(int guest, const struct sockaddr_in *target)
{
	int host = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pair *pair = pairs;

	while (pair < &pairs[PAIRS_MAX] && pair->used)
		pair++;
	if (pair == &pairs[PAIRS_MAX] || host < 0 ||
	    connect(host, (const struct sockaddr *)target, sizeof(*target)) != 0) {
		(void)close(host);
		(void)close(guest);
		return;
	}
	at_once(guest);
	at_once(host);
	*pair = (struct pair){
		.used = true,
		.up = { .from = guest, .to = host, .bytes = &up_bytes, .messages = &up_messages,
			.left = WIRE_GREETING },
		.down = { .from = host, .to = guest, .bytes = &down_bytes,
			.messages = &down_messages, .left = WIRE_GREETING },
	};
}

static void way_count(struct way *way, const uint8_t *bytes, size_t size)
{
	*way->bytes += size;
	for (size_t i = 0; i < size;) {
		uint64_t skip = way->left < size - i ? way->left : size - i;

		way->left -= skip;
		i += skip;
		if (way->left > 0 || i == size)
			continue;
		way->length = way->length << 8 | bytes[i++];
		if (++way->length_bytes < WIRE_LENGTH)
			continue;
		way->left = way->length;
		way->length = 0;
		way->length_bytes = 0;
		(*way->messages)++;
	}
}

/* Passes on what there is. Returns false when the connection is over. */
static bool way_pass(struct way *way)
{
	static uint8_t bytes[CHUNK];
	ssize_t size = read(way->from, bytes, sizeof(bytes));
	ssize_t n;

	if (size <= 0)
		return false;
	way_count(way, bytes, (size_t)size);
	for (ssize_t done = 0; done < size; done += n) {
		n = write(way->to, bytes + done, (size_t)(size - done));
		if (n <= 0)
			return false;
	}
	return true;
}

static void pair_pass(struct pair *pair, bool up, bool down)
{
	bool over = false;

	if (down) {
		turns += pair->asked ? 1 : 0;
		pair->asked = false;
		over = !way_pass(&pair->down);
	}
	if (up && !over) {
		pair->asked = true;
		over = !way_pass(&pair->up);
	}
	if (over)
		pair_close(pair);
}

static void tell_counts(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	(void)dprintf(fd, "turns=%llu up-messages=%llu down-messages=%llu up-bytes=%llu "
		"down-bytes=%llu\n", (unsigned long long)turns, (unsigned long long)up_messages,
		(unsigned long long)down_messages, (unsigned long long)up_bytes,
		(unsigned long long)down_bytes);
	(void)close(fd);
}

static void run(int listener, int counts, const struct sockaddr_in *target)
{
	struct pollfd fds[2 + 2 * PAIRS_MAX] = {
		{ .fd = listener, .events = POLLIN },
		{ .fd = counts, .events = POLLIN },
	};

	for (;;) {
		for (size_t i = 0; i < PAIRS_MAX; i++) {
			fds[2 + 2 * i] = (struct pollfd){ .events = POLLIN,
				.fd = pairs[i].used ? pairs[i].up.from : -1 };
			fds[3 + 2 * i] = (struct pollfd){ .events = POLLIN,
				.fd = pairs[i].used ? pairs[i].down.from : -1 };
		}
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0)
			give_up("poll");
		for (size_t i = 0; i < PAIRS_MAX; i++) {
			if (pairs[i].used)
				pair_pass(&pairs[i], fds[2 + 2 * i].revents != 0,
					fds[3 + 2 * i].revents != 0);
		}
		if (fds[0].revents != 0)
			pair_open(accept(listener, NULL, NULL), target);
		if (fds[1].revents != 0)
			tell_counts(counts);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in target;

	log_init("bench-wire", LOG_LEVEL_INFO);
	if (argc != 4)
		return EXIT_USAGE;
	target = address_of(argv[2]);
	run(listen_at(argv[1]), listen_at(argv[3]), &target);
}
