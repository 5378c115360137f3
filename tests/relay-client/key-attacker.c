/*
 * key-attacker ENDPOINT ATTACK ...: somebody who reaches a bridge with keys, speaks its protocol, and
 * either has no key that it knows, or only half of what he needs.
 *
 *     strangers COUNT BRIDGE-KEY         COUNT handshakes, each by a key that nobody has listed
 *     astray COUNT KEY-FILE              COUNT handshakes by this key for another bridge's
 *     half COUNT BRIDGE-KEY KEY-FILE [CONNECTIONS]
 *                                        COUNT handshakes by this key, none of which is ended
 *     play RECORD                        what wiretap has written (tests/faults)
 *
 * Prints what it has sent, and how many frames came back. Handshakes are made beforehand; then all is
 * sent as fast as it is taken.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <poll.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cursor.h"
#include "relay/key_file.h"
#include "relay/link.h"
#include "relay/secure.h"
#include "relay/secure_frame.h"

#define PATIENCE 10000 /* ms for a connection, and for room */
#define LINGER 500     /* ms for what was sent last, and for answers */
#define HANDSHAKES_MAX 20000
#define LINKS_MAX 400

struct attacker {
	const char *endpoint;
	struct link *links[LINKS_MAX];
	unsigned long link_count;
	struct payload frame;
	uint8_t handshakes[HANDSHAKES_MAX][SECURE_INITIATE_SIZE];
	unsigned long made;
	unsigned long sent;
	unsigned long answers;
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "key-attacker: %s\n", what);
	exit(EXIT_FAILURE);
}

static uint64_t now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static void connect_links(struct attacker *attacker, unsigned long count)
{
	char problem[512];

	while (attacker->link_count < count && attacker->link_count < LINKS_MAX) {
		if (link_open_nanomsg(&attacker->links[attacker->link_count], LINK_GUEST,
				&attacker->endpoint, 1, problem, sizeof problem) != 0)
			fail(problem);
		attacker->link_count++;
	}
}

static void hear(struct attacker *attacker, struct link *link, int milliseconds)
{
	struct pollfd pollfd = { .fd = link_fd(link), .events = POLLIN };

	(void)poll(&pollfd, 1, milliseconds);
	while (link_receive(link, NULL, &attacker->frame) == 0)
		attacker->answers++;
}

/* Over each connection in turn. */
static void say(struct attacker *attacker, struct payload_view frame)
{
	struct link *link = attacker->links[attacker->sent % attacker->link_count];
	uint64_t end = now() + PATIENCE;

	hear(attacker, link, 0);
	while (link_send(link, NULL, frame) != 0) {
		if (now() >= end)
			fail("the bridge takes nothing");
		hear(attacker, link, 1);
	}
	attacker->sent++;
}

/* ---- handshakes ---- */

static struct key_pair random_pair(void)
{
	struct key_pair pair;

	randombytes_buf(&pair.private, sizeof pair.private);
	key_public(&pair.private, &pair.public);
	return pair;
}

static struct key_pair read_pair(const char *file)
{
	struct key_pair pair;
	char why[KEY_FILE_WHY_MAX];

	if (key_file_read(file, &pair.private, why) != 0)
		fail(why);
	key_public(&pair.private, &pair.public);
	return pair;
}

static struct public_key read_public(const char *text)
{
	struct public_key key;

	if (key_public_from_text(text, &key) != 0)
		fail("this is no public key");
	return key;
}

/* A message 1 that has never been sent before, and no more than that. */
static void begin(struct attacker *attacker, const struct key_pair *own,
	const struct public_key *bridge)
{
	struct payload_view view = { (const uint8_t *)"x", 1 };
	struct secure_guest *guest;
	struct secure_fresh fresh;

	randombytes_buf(&fresh, sizeof fresh);
	if (secure_guest_new(&guest, own, bridge) != 0)
		fail("no memory");
	(void)secure_guest_seal(guest, 0, view, &view);
	secure_guest_tick(guest, 0, &fresh);
	if (attacker->made == HANDSHAKES_MAX || !secure_guest_pop_frame(guest, 0, &view) ||
			view.size != SECURE_INITIATE_SIZE)
		fail("no handshake");
	memcpy(attacker->handshakes[attacker->made++], view.bytes, view.size);
	secure_guest_free(guest);
}

static void attack_strangers(struct attacker *attacker, unsigned long count, char **arguments)
{
	struct public_key bridge = read_public(arguments[0]);

	for (unsigned long i = 0; i < count; i++) {
		struct key_pair own = random_pair();

		begin(attacker, &own, &bridge);
	}
}

static void attack_astray(struct attacker *attacker, unsigned long count, char **arguments)
{
	struct key_pair own = read_pair(arguments[0]), other = random_pair();

	for (unsigned long i = 0; i < count; i++)
		begin(attacker, &own, &other.public);
}

static void attack_half(struct attacker *attacker, unsigned long count, char **arguments)
{
	struct public_key bridge = read_public(arguments[0]);
	struct key_pair own = read_pair(arguments[1]);

	for (unsigned long i = 0; i < count; i++)
		begin(attacker, &own, &bridge);
}

/* ---- recordings ---- */

static void play(struct attacker *attacker, const char *file)
{
	static uint8_t bytes[WIRE_FRAME_MAX];
	FILE *record = fopen(file, "rb");
	uint8_t head[4];

	if (record == NULL)
		fail("there is no such recording");
	while (fread(head, 1, sizeof head, record) == sizeof head) {
		struct cursor_in in = cursor_in(head, sizeof head);
		size_t size = in_le32(&in);

		if (size > sizeof bytes || fread(bytes, 1, size, record) != size)
			break; /* still being written */
		say(attacker, (struct payload_view){ bytes, size });
	}
	(void)fclose(record);
}

int main(int argc, char **argv)
{
	static struct attacker attacker;
	uint64_t start;
	unsigned long count;

	if (argc < 4 || sodium_init() < 0)
		fail("usage: key-attacker ENDPOINT strangers|astray|half|play ...");
	if (payload_init(&attacker.frame, WIRE_FRAME_MAX) != 0)
		fail("no memory");
	attacker.endpoint = argv[1];
	connect_links(&attacker, argc == 7 ? strtoul(argv[6], NULL, 10) : 1);
	count = strtoul(argv[3], NULL, 10);
	if (strcmp(argv[2], "strangers") == 0 && argc == 5)
		attack_strangers(&attacker, count, &argv[4]);
	else if (strcmp(argv[2], "astray") == 0 && argc == 5)
		attack_astray(&attacker, count, &argv[4]);
	else if (strcmp(argv[2], "half") == 0 && argc >= 6)
		attack_half(&attacker, count, &argv[4]);
	else if (strcmp(argv[2], "play") == 0)
		play(&attacker, argv[3]);
	else
		fail("no such attack");
	start = now();
	for (unsigned long i = 0; i < attacker.made; i++)
		say(&attacker, (struct payload_view){ attacker.handshakes[i],
			SECURE_INITIATE_SIZE });
	(void)poll(NULL, 0, LINGER);
	for (unsigned long i = 0; i < attacker.link_count; i++)
		hear(&attacker, attacker.links[i], 0);
	(void)printf("%s: sent=%lu answers=%lu ms=%llu\n", argv[2], attacker.sent, attacker.answers,
		(unsigned long long)(now() - start));
	for (unsigned long i = 0; i < attacker.link_count; i++)
		attacker.links[i] = link_close(attacker.links[i]);
	payload_deinit(&attacker.frame);
	return EXIT_SUCCESS;
}
