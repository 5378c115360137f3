/*
 * bench-wire: passes TCP connections on, counts what passes, and delays it if it is told to.
 *
 *     bench-wire PORT TARGET-PORT CONTROL-PORT
 *
 * It listens at every address; the target is at 127.0.0.1.
 *
 * Whoever connects to CONTROL-PORT sends a line, gets a line of what was counted since the start,
 * and is left:
 *
 *     counts        nothing more
 *     delay US      from now on a round trip takes so much longer (0 at the start): half of it on
 *                   the way up, half on the way down, as on a wire whose ping says that
 *
 *     turns=12 up-messages=12 down-messages=12 up-bytes=1180 down-bytes=996
 *
 * "Up" is towards the target. A turn is bytes that come down after bytes that went up, in one
 * connection: as long as each question waits for its answer, that is a round trip. Messages are
 * those of nanomsg's framing: of eight bytes that greet, and then for each message its length (be64)
 * and the message. Of another protocol's bytes the number of messages says nothing.
 *
 * The delay is one of distance alone: all that comes is on its way at once. A new connection also
 * waits for the round trip that TCP makes before there is one. Nothing is lost, and a window never
 * closes, so a long way is kinder here than TCP makes it.
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
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/pcsc/timing.h"

#define PAIRS_MAX 64
#define WIRE_GREETING 8
#define WIRE_LENGTH 8
#define CHUNK 65536
#define QUEUE_MAX (4 * 1024 * 1024) /* bytes on their way, before no more are taken */
#define CONTROL_WAIT 1              /* s, for whoever has connected and says nothing */
#define EXIT_USAGE 2

/* Bytes that have come at once, on their way. Without any: the end of the connection. */
struct chunk {
	struct chunk *next;
	uint64_t due; /* us */
	size_t size;
	uint8_t bytes[];
};

/* One direction of a connection. */
struct way {
	int from;
	int to;
	struct chunk *first;
	struct chunk *last;
	size_t queued;    /* bytes */
	bool ended;       /* nothing more will come */
	uint64_t *bytes;
	uint64_t *messages;
	uint64_t left;    /* of the message that is passing, or of the greeting */
	uint64_t length;  /* as far as it has come */
	unsigned int length_bytes;
};

struct pair {
	bool used;
	bool asked;       /* what came last went up */
	uint64_t opened;  /* us */
	struct way up;
	struct way down;
};

static struct pair pairs[PAIRS_MAX];
static uint64_t delay; /* us, of a round trip */
static uint64_t turns, up_bytes, down_bytes, up_messages, down_messages;

static _Noreturn void give_up(const char *what)
{
	log_error("wire", "%s: %s", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static struct sockaddr_in address_of(in_addr_t address, const char *port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(address),
	};
}

static int listen_at(const char *port)
{
	struct sockaddr_in at = address_of(INADDR_ANY, port);
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

static void way_empty(struct way *way)
{
	struct chunk *chunk;

	while ((chunk = way->first) != NULL) {
		way->first = chunk->next;
		free(chunk);
	}
}

static void pair_close(struct pair *pair)
{
	way_empty(&pair->up);
	way_empty(&pair->down);
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
		.opened = timing_now_us(),
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

/* Takes what has come, which is due half a round trip later; after what came before in any case. */
static void way_take(struct way *way, uint64_t opened)
{
	static uint8_t bytes[CHUNK];
	ssize_t size = read(way->from, bytes, sizeof(bytes));
	uint64_t now = timing_now_us(), connected = opened + delay;
	struct chunk *chunk;

	way->ended = size <= 0;
	chunk = malloc(sizeof(*chunk) + (way->ended ? 0 : (size_t)size));
	if (chunk == NULL)
		give_up("no memory");
	chunk->next = NULL;
	chunk->size = way->ended ? 0 : (size_t)size;
	chunk->due = (now > connected ? now : connected) + delay / 2;
	memcpy(chunk->bytes, bytes, chunk->size);
	way_count(way, chunk->bytes, chunk->size);
	way->queued += chunk->size;
	if (way->first == NULL) {
		way->first = chunk;
	} else {
		way->last->next = chunk;
		if (chunk->due < way->last->due)
			chunk->due = way->last->due;
	}
	way->last = chunk;
}

/* Passes on what is due. Returns false when the connection is over. */
static bool way_pass(struct way *way, uint64_t now)
{
	struct chunk *chunk;
	bool over = false;
	ssize_t n;

	while (!over && (chunk = way->first) != NULL && chunk->due <= now) {
		over = chunk->size == 0;
		for (size_t done = 0; !over && done < chunk->size; done += (size_t)n) {
			n = write(way->to, chunk->bytes + done, chunk->size - done);
			over = n <= 0;
		}
		way->queued -= chunk->size;
		way->first = chunk->next;
		free(chunk);
	}
	return !over;
}

static void pair_take(struct pair *pair, bool up, bool down)
{
	if (down) {
		turns += pair->asked ? 1 : 0;
		pair->asked = false;
		way_take(&pair->down, pair->opened);
	}
	if (up) {
		pair->asked = true;
		way_take(&pair->up, pair->opened);
	}
}

/* ---- control ---- */

static void obey(int listener)
{
	static const struct timeval patience = { .tv_sec = CONTROL_WAIT };
	int fd = accept(listener, NULL, NULL);
	unsigned long long us;
	char line[64] = "";

	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)!read(fd, line, sizeof(line) - 1);
	if (sscanf(line, "delay %llu", &us) == 1)
		delay = us;
	(void)dprintf(fd, "turns=%llu up-messages=%llu down-messages=%llu up-bytes=%llu "
		"down-bytes=%llu\n", (unsigned long long)turns, (unsigned long long)up_messages,
		(unsigned long long)down_messages, (unsigned long long)up_bytes,
		(unsigned long long)down_bytes);
	(void)close(fd);
}

/* ---- the loop ---- */

/* What way waits for: bytes, unless it has too many already. Brings the time forward to its next. */
static struct pollfd way_waits(const struct way *way, bool used, uint64_t *next)
{
	bool takes = used && !way->ended && way->queued < QUEUE_MAX;

	if (used && way->first != NULL && way->first->due < *next)
		*next = way->first->due;
	return (struct pollfd){ .events = POLLIN, .fd = takes ? way->from : -1 };
}

/* Waits for any of these, at most until the time next. */
static void wait_until(struct pollfd *fds, nfds_t count, uint64_t next)
{
	uint64_t now = timing_now_us(), us = next > now ? next - now : 0;
	struct timespec time = {
		.tv_sec = (time_t)(us / 1000000),
		.tv_nsec = (long)(us % 1000000) * 1000,
	};

	if (ppoll(fds, count, next == UINT64_MAX ? NULL : &time, NULL) < 0)
		give_up("poll");
}

static void run(int listener, int control, const struct sockaddr_in *target)
{
	struct pollfd fds[2 + 2 * PAIRS_MAX] = {
		{ .fd = listener, .events = POLLIN },
		{ .fd = control, .events = POLLIN },
	};
	uint64_t next;

	for (;;) {
		next = UINT64_MAX;
		for (size_t i = 0; i < PAIRS_MAX; i++) {
			fds[2 + 2 * i] = way_waits(&pairs[i].up, pairs[i].used, &next);
			fds[3 + 2 * i] = way_waits(&pairs[i].down, pairs[i].used, &next);
		}
		wait_until(fds, sizeof(fds) / sizeof(fds[0]), next);
		for (size_t i = 0; i < PAIRS_MAX; i++) {
			if (!pairs[i].used)
				continue;
			pair_take(&pairs[i], fds[2 + 2 * i].revents != 0,
				fds[3 + 2 * i].revents != 0);
			if (!way_pass(&pairs[i].up, timing_now_us()) ||
			    !way_pass(&pairs[i].down, timing_now_us()))
				pair_close(&pairs[i]);
		}
		if (fds[0].revents != 0)
			pair_open(accept(listener, NULL, NULL), target);
		if (fds[1].revents != 0)
			obey(control);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in target;

	log_init("bench-wire", LOG_LEVEL_INFO);
	if (argc != 4)
		return EXIT_USAGE;
	target = address_of(INADDR_LOOPBACK, argv[2]);
	run(listen_at(argv[1]), listen_at(argv[3]), &target);
}
