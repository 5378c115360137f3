/*
 * A guest without USB: opens a session at a bridge and makes the calls that it reads from its
 * standard input, one per line, each followed by one line of its result on standard output.
 *
 *     relay-client [--key-file FILE --bridge-key KEY] ENDPOINT GUEST < commands
 *
 *     readers                            every reader that the bridge shows, with its card
 *     reader NAME                        the reader that the next commands are for (else the first)
 *     wait absent|present|mute           until its card is so
 *     wait pin-pad|no-pin-pad            until it has one, or none
 *     wait reader|no-reader              until there is any reader, or none
 *     wait service|no-service            until the bridge says so of the host's pcscd
 *     wait session|no-session            until the session is open, or over
 *     connect [leave|reset|unpower] [t0|t1]
 *     transmit HEX                       an APDU
 *     send HEX                           the same, without waiting for the answer
 *     answer                             waits for the answer to send
 *     secure HEX, send-secure HEX        a PIN entry, as CCID 1.1, 6.1.11, has it in abData
 *     escape HEX                         a command for the reader
 *     cancel                             ends the PIN entry that runs, whose answer comes then
 *     disconnect
 *     sleep MILLISECONDS
 *     quit                               ends without a goodbye
 *
 * A wait that takes longer than --limit SECONDS (20) ends the program with status 1. At the end of
 * the input it says goodbye. It prints what the card answers: for tests, never for cards of real
 * people.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <getopt.h>
#include <poll.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "relay/key_file.h"
#include "relay/link.h"
#include "relay/pattern.h"
#include "relay/secure.h"
#include "relay/session.h"

#define LINE_MAX_SIZE (2 * WIRE_APDU_MAX + 64)

struct client {
	const char *endpoint;
	struct link *link;
	struct guest_session *session;
	struct secure_guest *secure; /* NULL: no keys */
	struct payload frame;
	struct payload plaintext;
	uint64_t limit;              /* ms */
	char name[WIRE_NAME_MAX];    /* pattern of the chosen reader; empty: the first */
	uint32_t number;             /* of the call that is open, 0 for none */
	bool answered;
	bool over;                   /* the last thing heard of the session was its end */
	struct wire_reply reply;     /* of the last call that was answered */
	uint8_t data[WIRE_APDU_MAX];
};

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static void fail(const char *what)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "relay-client: %s\n", what);
	exit(EXIT_FAILURE);
}

/* ---- session and link ---- */

static void open_link(struct client *client)
{
	char problem[512];

	if (link_open_nanomsg(&client->link, LINK_GUEST, &client->endpoint, 1, problem,
		sizeof problem) != 0)
		fail(problem);
}

static void take_reply(struct client *client, const struct wire_reply *reply)
{
	if (reply->number != client->number)
		return;
	client->reply = *reply;
	if (reply->data.size > 0)
		memcpy(client->data, reply->data.bytes, reply->data.size);
	client->answered = true;
}

static void take_event(struct client *client, const struct guest_event *event)
{
	switch (event->type) {
	case GUEST_SESSION_UP:
		client->over = false;
		(void)fprintf(stderr, "relay-client: session up\n");
		break;
	case GUEST_SESSION_DOWN:
		client->over = true;
		(void)fprintf(stderr, "relay-client: session down\n");
		break;
	case GUEST_SESSION_REFUSED:
		(void)printf("refused: %u %s\n", event->refused.reason, event->refused.text);
		(void)fflush(stdout);
		break;
	case GUEST_SESSION_READERS:
		break;
	case GUEST_SESSION_REPLY:
		take_reply(client, &event->reply);
		break;
	case GUEST_SESSION_RELINK:
		client->link = link_close(client->link);
		open_link(client);
		break;
	}
}

static void tick_secure(struct client *client)
{
	struct secure_fresh fresh;

	if (client->secure == NULL || now() < secure_guest_deadline(client->secure))
		return;
	randombytes_buf(&fresh, sizeof fresh);
	secure_guest_tick(client->secure, now(), &fresh);
}

static void pump(struct client *client)
{
	struct payload_view frame;
	struct guest_event event;

	while (guest_session_pop_event(client->session, &event))
		take_event(client, &event);
	while (guest_session_pop_frame(client->session, &frame)) {
		if (client->secure == NULL ||
			secure_guest_seal(client->secure, now(), frame, &frame) == 0)
			(void)link_send(client->link, NULL, frame);
	}
	tick_secure(client);
	while (client->secure != NULL && secure_guest_pop_frame(client->secure, now(), &frame))
		(void)link_send(client->link, NULL, frame);
}

/* Returns as guest_session_receive() does. */
static int take_frame(struct client *client)
{
	const struct payload *frame = &client->frame;

	if (client->secure != NULL) {
		frame = &client->plaintext;
		if (secure_guest_receive(client->secure, now(), payload_view(&client->frame),
				&client->plaintext) != 0)
			return SESSION_IGNORED;
	}
	return guest_session_receive(client->session, now(), frame->bytes, frame->size);
}

/* Lets the session live for at most the given time, or until something has come. */
static void run(struct client *client, uint64_t milliseconds)
{
	struct pollfd pollfd = { .fd = link_fd(client->link), .events = POLLIN };
	uint64_t deadline = guest_session_deadline(client->session);
	uint64_t start = now();
	int r = 0;

	if (client->secure != NULL && secure_guest_deadline(client->secure) < deadline)
		deadline = secure_guest_deadline(client->secure);
	if (deadline < start + milliseconds)
		milliseconds = deadline > start ? deadline - start : 0;
	(void)poll(&pollfd, 1, (int)milliseconds);
	while (r == 0) {
		r = link_receive(client->link, NULL, &client->frame);
		if (r == 0 && take_frame(client) < 0)
			fail("the session is broken");
	}
	if (now() >= guest_session_deadline(client->session) &&
	    guest_session_tick(client->session, now()) < 0)
		fail("the session is broken");
	pump(client);
}

/* Runs until condition holds; ends the program when that takes too long. */
static void run_until(struct client *client, bool (*condition)(struct client *, const char *),
	const char *argument)
{
	uint64_t end = now() + client->limit;

	pump(client);
	while (!condition(client, argument)) {
		if (now() >= end)
			fail("that took too long");
		run(client, end - now());
	}
}

/* ---- readers ---- */

static const struct wire_reader *chosen(struct client *client)
{
	const struct wire_readers *readers = guest_session_readers(client->session);

	for (size_t i = 0; i < readers->count; i++) {
		if (client->name[0] == '\0' ||
		    pattern_matches(client->name, readers->readers[i].name))
			return &readers->readers[i];
	}
	return NULL;
}

static const char *card_name(uint8_t card)
{
	static const char *const names[] = { "absent", "present", "mute" };

	return card < sizeof names / sizeof names[0] ? names[card] : "?";
}

static bool holds(struct client *client, const char *what)
{
	const struct wire_readers *readers = guest_session_readers(client->session);
	const struct wire_reader *reader = chosen(client);
	bool up = guest_session_is_up(client->session);

	if (strcmp(what, "session") == 0)
		return up;
	if (strcmp(what, "no-session") == 0)
		return !up;
	/* Version 0: no list has come yet, and nothing is known. */
	if (readers->version == 0)
		return false;
	if (strcmp(what, "service") == 0)
		return readers->service;
	if (strcmp(what, "no-service") == 0)
		return !readers->service;
	if (strcmp(what, "reader") == 0)
		return reader != NULL;
	if (strcmp(what, "no-reader") == 0)
		return reader == NULL;
	if (strcmp(what, "pin-pad") == 0)
		return reader != NULL && reader->pin_support != 0;
	if (strcmp(what, "no-pin-pad") == 0)
		return reader != NULL && reader->pin_support == 0;
	return reader != NULL && strcmp(what, card_name(reader->card)) == 0;
}

static void print_hex(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		(void)printf("%02X", bytes[i]);
}

static void do_readers(struct client *client)
{
	const struct wire_readers *readers = guest_session_readers(client->session);

	(void)printf("readers: version %u, service %u, %u readers\n", readers->version,
		readers->service, readers->count);
	for (size_t i = 0; i < readers->count; i++) {
		const struct wire_reader *reader = &readers->readers[i];

		(void)printf("reader: %u \"%s\" %s insertion=%u atr=", reader->id, reader->name,
			card_name(reader->card), reader->insertion);
		print_hex(reader->atr, reader->atr_size);
		(void)printf("\n");
	}
}

static void do_wait(struct client *client, const char *what)
{
	uint64_t start = now();

	run_until(client, holds, what);
	(void)printf("wait: %s after %llu ms\n", what, (unsigned long long)(now() - start));
}

/* ---- calls ---- */

static bool is_answered(struct client *client, const char *unused)
{
	(void)unused;
	return client->answered;
}

static bool start_call(struct client *client, struct wire_call *call)
{
	const struct wire_reader *reader = chosen(client);

	client->answered = false;
	client->number = 0;
	call->reader = reader != NULL ? reader->id : 0;
	return guest_session_call(client->session, now(), call, &client->number) == 0;
}

static void finish_call(struct client *client, const char *name)
{
	if (client->number == 0) {
		(void)printf("%s: no session\n", name);
		return;
	}
	run_until(client, is_answered, NULL);
	(void)printf("%s: %s", name, wire_outcome_name(client->reply.outcome));
	if (client->reply.protocol != 0)
		(void)printf(" T=%d", client->reply.protocol == WIRE_PROTOCOL_T0 ? 0 : 1);
	(void)printf(" ");
	print_hex(client->data, client->reply.data.size);
	(void)printf("\n");
}

static void do_connect(struct client *client, const char *words)
{
	struct wire_call call = { .operation = WIRE_CONNECT };

	if (strstr(words, "unpower") != NULL)
		call.initialization = WIRE_UNPOWER;
	else if (strstr(words, "reset") != NULL)
		call.initialization = WIRE_RESET;
	if (strstr(words, "t1") == NULL)
		call.protocols |= WIRE_PROTOCOL_T0;
	if (strstr(words, "t0") == NULL)
		call.protocols |= WIRE_PROTOCOL_T1;
	(void)start_call(client, &call);
	finish_call(client, "connect");
}

static void do_disconnect(struct client *client)
{
	struct wire_call call = { .operation = WIRE_DISCONNECT };

	(void)start_call(client, &call);
	finish_call(client, "disconnect");
}

static void do_send(struct client *client, uint8_t operation, const char *hex)
{
	static uint8_t apdu[WIRE_APDU_MAX];
	struct wire_call call = { .operation = operation };
	size_t size = 0;

	if (sodium_hex2bin(apdu, sizeof apdu, hex, strlen(hex), " ", &size, NULL) != 0)
		fail("these are no bytes");
	call.data = (struct payload_view){ .bytes = apdu, .size = size };
	(void)start_call(client, &call);
}

/* The call before it stays the one that is open. */
static void do_cancel(struct client *client)
{
	const struct wire_reader *reader = chosen(client);
	struct wire_call call = { .operation = WIRE_CANCEL };
	uint32_t number;

	call.reader = reader != NULL ? reader->id : 0;
	if (guest_session_call(client->session, now(), &call, &number) != 0)
		fail("cancel: no session");
	(void)printf("cancel: sent\n");
}

static void do_sleep(struct client *client, const char *milliseconds)
{
	uint64_t end = now() + strtoull(milliseconds, NULL, 10);

	while (now() < end)
		run(client, end - now());
	(void)printf("sleep: over\n");
}

/* ---- commands ---- */

static void do_command(struct client *client, const char *verb, const char *rest)
{
	if (strcmp(verb, "readers") == 0) {
		do_readers(client);
	} else if (strcmp(verb, "reader") == 0) {
		(void)snprintf(client->name, sizeof client->name, "%s", rest);
	} else if (strcmp(verb, "wait") == 0) {
		do_wait(client, rest);
	} else if (strcmp(verb, "connect") == 0) {
		do_connect(client, rest);
	} else if (strcmp(verb, "disconnect") == 0) {
		do_disconnect(client);
	} else if (strcmp(verb, "send") == 0) {
		do_send(client, WIRE_TRANSMIT, rest);
	} else if (strcmp(verb, "answer") == 0) {
		finish_call(client, "transmit");
	} else if (strcmp(verb, "transmit") == 0) {
		do_send(client, WIRE_TRANSMIT, rest);
		finish_call(client, "transmit");
	} else if (strcmp(verb, "send-secure") == 0) {
		do_send(client, WIRE_SECURE, rest);
	} else if (strcmp(verb, "secure") == 0) {
		do_send(client, WIRE_SECURE, rest);
		finish_call(client, "secure");
	} else if (strcmp(verb, "escape") == 0) {
		do_send(client, WIRE_ESCAPE, rest);
		finish_call(client, "escape");
	} else if (strcmp(verb, "cancel") == 0) {
		do_cancel(client);
	} else if (strcmp(verb, "sleep") == 0) {
		do_sleep(client, rest);
	} else if (strcmp(verb, "quit") == 0) {
		(void)fflush(stdout);
		exit(EXIT_SUCCESS);
	} else {
		fail("unknown command");
	}
}

static void do_line(struct client *client, char *line)
{
	char *rest;

	line[strcspn(line, "\n")] = '\0';
	rest = &line[strcspn(line, " ")];
	if (*rest != '\0')
		*rest++ = '\0';
	if (line[0] == '\0' || line[0] == '#')
		return;
	do_command(client, line, rest);
	(void)fflush(stdout);
}

/* One line from standard input; the session goes on living until it is there. False at the end. */
static bool read_line(struct client *client, char *line)
{
	struct pollfd pollfd = { .fd = 0, .events = POLLIN };

	/* unbuffered, so that poll() sees what fgets() has not taken */
	while (poll(&pollfd, 1, 0) == 0)
		run(client, 20);
	return fgets(line, LINE_MAX_SIZE, stdin) != NULL;
}

static bool is_over(struct client *client, const char *unused)
{
	(void)unused;
	return client->over;
}

/* Closing the link at once would drop the goodbye. */
static void say_goodbye(struct client *client)
{
	if (!guest_session_is_up(client->session))
		return;
	guest_session_bye(client->session);
	run_until(client, is_over, NULL);
}

/* The keys, where there are some. */
static void use_keys(struct client *client, const char *file, const char *bridge_text)
{
	char why[KEY_FILE_WHY_MAX];
	struct public_key bridge;
	struct key_pair own;

	if (key_file_read(file, &own.private, why) != 0)
		fail(why);
	key_public(&own.private, &own.public);
	if (key_public_from_text(bridge_text, &bridge) != 0)
		fail("the bridge's key is none");
	if (secure_guest_new(&client->secure, &own, &bridge) != 0 ||
		payload_init(&client->plaintext, SECURE_PLAINTEXT_MAX) != 0)
		fail("no memory");
}

/* Returns the index of the first word behind the options. */
static int read_options(struct client *client, int argc, char **argv)
{
	static const struct option options[] = {
		{ "limit", required_argument, NULL, 'l' },
		{ "key-file", required_argument, NULL, 'k' },
		{ "bridge-key", required_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 },
	};
	const char *key_file = NULL, *bridge_key = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'l')
			client->limit = strtoull(optarg, NULL, 10) * 1000;
		else if (option == 'k')
			key_file = optarg;
		else if (option == 'b')
			bridge_key = optarg;
		else
			fail("no such option");
	}
	if (key_file != NULL && bridge_key != NULL)
		use_keys(client, key_file, bridge_key);
	return optind;
}

int main(int argc, char **argv)
{
	static struct client client = { .limit = 20000 };
	static char line[LINE_MAX_SIZE];
	uint64_t boot;

	if (sodium_init() < 0 || argc - read_options(&client, argc, argv) != 2)
		fail("usage: relay-client [--limit SECONDS] [--key-file FILE --bridge-key KEY] "
			"ENDPOINT GUEST");
	client.endpoint = argv[optind];
	randombytes_buf(&boot, sizeof boot);
	if (payload_init(&client.frame, WIRE_FRAME_MAX) < 0 ||
	    guest_session_new(&client.session, argv[optind + 1], boot, now()) < 0)
		fail("no memory");
	open_link(&client);
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	while (read_line(&client, line))
		do_line(&client, line);
	say_goodbye(&client);
	client.link = link_close(client.link);
	client.session = guest_session_free(client.session);
	client.secure = secure_guest_free(client.secure);
	payload_deinit(&client.plaintext);
	payload_deinit(&client.frame);
	return EXIT_SUCCESS;
}
