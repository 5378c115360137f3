/*
 * link-attack SOCKET ATTACK [COUNT]: what a hostile peer can do to a nanomsg socket that it reaches.
 *
 *     wrong-type   after the greeting a message of a type that there is not: nanomsg aborts
 *     publisher    greets as PUB, and publishes
 *     vanish       greets and is gone, at once (COUNT times): leaves zombies
 *     rights       descriptors beside the bytes (COUNT messages of 50): nanomsg keeps them open
 *     oversize     a message of 2^63 - 1 bytes, one of 2 MiB, one that is a byte too large
 *     half         COUNT connections with half a greeting each, held for two seconds
 *     noise        after the greeting, random bytes (COUNT connections; always the same ones)
 *
 * It says how often it came through, and doesn't mind being thrown out.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cursor.h"
#include "relay/wire.h"

#define EXIT_USAGE 2

#define GREETING 8
#define SP_REQ 0x30 /* nanomsg's protocol numbers: sp-protocols */
#define SP_PUB 0x20
#define MESSAGE_TYPE 0x01
#define RIGHTS_MAX 50
#define HALF_SECONDS 2
#define NOISE_SIZE 64

static const char *path;

/* Returns a descriptor, or -1. */
static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static bool put(int fd, const void *bytes, size_t size)
{
	return send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* Greets as this protocol and reads the other's greeting. */
static bool greet(int fd, uint8_t protocol)
{
	const uint8_t greeting[GREETING] = { 0, 'S', 'P', 0, 0, protocol, 0, 0 };
	uint8_t answer[GREETING];

	return put(fd, greeting, sizeof(greeting)) &&
		recv(fd, answer, sizeof(answer), MSG_WAITALL) == sizeof(answer);
}

static int dial_and_greet(uint8_t protocol)
{
	int fd = dial();

	if (fd < 0 || greet(fd, protocol))
		return fd;
	(void)close(fd);
	return -1;
}

/* A message's type and length, without its body. */
static bool announce(int fd, uint64_t length)
{
	uint8_t bytes[9];
	struct cursor_out out = cursor_out(bytes, sizeof(bytes));

	out_u8(&out, MESSAGE_TYPE);
	for (int shift = 48; shift >= 0; shift -= 16)
		out_be16(&out, (uint16_t)(length >> shift));
	return put(fd, bytes, sizeof(bytes));
}

/* Until the other end has had enough of it, or for a second. */
static void linger(int fd)
{
	const struct timeval second = { .tv_sec = 1 };
	char byte;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	(void)recv(fd, &byte, 1, 0);
	(void)close(fd);
}

/* Each attack returns whether it got as far as it wanted. */
static bool attack_wrong_type(unsigned int unused)
{
	const uint8_t header[9] = { 2 };
	int fd = dial_and_greet(SP_REQ);
	bool done = fd >= 0 && put(fd, header, sizeof(header));

	(void)unused;
	if (fd >= 0)
		linger(fd);
	return done;
}

static bool attack_publisher(unsigned int unused)
{
	int fd = dial_and_greet(SP_PUB);
	bool done = fd >= 0;

	(void)unused;
	if (done && announce(fd, 4))
		(void)put(fd, "news", 4);
	if (done)
		linger(fd);
	return done;
}

static bool attack_vanish(unsigned int unused)
{
	const uint8_t greeting[GREETING] = { 0, 'S', 'P', 0, 0, SP_REQ, 0, 0 };
	int fd = dial();
	bool done = fd >= 0 && put(fd, greeting, sizeof(greeting));

	(void)unused;
	if (fd >= 0)
		(void)close(fd);
	return done;
}

static bool put_rights(int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(RIGHTS_MAX * sizeof(int))];
	} control = { .bytes = { 0 } };
	char byte = MESSAGE_TYPE;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int descriptors[RIGHTS_MAX];

	for (size_t i = 0; i < RIGHTS_MAX; i++)
		descriptors[i] = fd;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(descriptors));
	memcpy(CMSG_DATA(header), descriptors, sizeof(descriptors));
	return sendmsg(fd, &message, MSG_NOSIGNAL) == 1;
}

static bool attack_rights(unsigned int unused)
{
	int fd = dial_and_greet(SP_REQ);
	bool done = fd >= 0 && put_rights(fd);

	(void)unused;
	if (fd >= 0)
		(void)close(fd);
	return done;
}

static bool attack_oversize(unsigned int number)
{
	static const uint64_t lengths[] = {
		(uint64_t)INT64_MAX, 2 * 1024 * 1024, WIRE_FRAME_MAX + 4 + 1,
	};
	int fd = dial_and_greet(SP_REQ);
	bool done = fd >= 0 && announce(fd, lengths[number % 3]);

	if (fd >= 0)
		linger(fd);
	return done;
}

static bool attack_half(unsigned int number)
{
	int fd = dial();

	(void)number;
	/* It stays open until the process ends, which waits before that. */
	return fd >= 0 && put(fd, "\0SP", 3);
}

static bool attack_noise(unsigned int unused)
{
	uint8_t bytes[NOISE_SIZE];
	int fd = dial_and_greet(SP_REQ);
	bool done;

	(void)unused;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rand(); /* the same ones each time */
	done = fd >= 0 && put(fd, bytes, sizeof(bytes));
	if (fd >= 0)
		(void)close(fd);
	return done;
}

static const struct attack {
	const char *name;
	bool (*run)(unsigned int number);
	unsigned int count;
} attacks[] = {
	{ "wrong-type", attack_wrong_type, 1 },
	{ "publisher", attack_publisher, 1 },
	{ "vanish", attack_vanish, 2000 },
	{ "rights", attack_rights, 20 },
	{ "oversize", attack_oversize, 3 },
	{ "half", attack_half, 300 },
	{ "noise", attack_noise, 200 },
};

static void run(const struct attack *attack, unsigned int count)
{
	unsigned int done = 0;

	for (unsigned int i = 0; i < count; i++)
		done += attack->run(i);
	if (attack->run == attack_half)
		(void)sleep(HALF_SECONDS);
	(void)printf("%s: %u of %u came through\n", attack->name, done, count);
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	path = argc > 1 ? argv[1] : "";
	for (size_t i = 0; argc >= 3 && i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		if (strcmp(argv[2], attacks[i].name) != 0)
			continue;
		run(&attacks[i], argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 10)
			: attacks[i].count);
		return EXIT_SUCCESS;
	}
	(void)fputs("usage: link-attack SOCKET wrong-type|publisher|vanish|rights|oversize|half|noise "
		"[COUNT]\n", stderr);
	return EXIT_USAGE;
}
