/*
 * See played_daemon.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/unit/control/played_daemon.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/control/folder.h"
#include "trace/pcapng.h"

#define LIMIT 20000 /* ms for what should come at once, but for a disk that others keep busy */
#define PACKET 40  /* bytes of an ordinary one */
#define HALF 30    /* bytes of its block */

uint8_t daemon_expected[2 * TRACE_QUEUE_MAX];

/* What has been said, and not been sent. */
static uint8_t text[2 * TRACE_QUEUE_MAX];

/* ---- the words ---- */

static void say_begin(struct cursor_out *out, size_t nothing)
{
	(void)nothing;
	pcapng_begin(out, "a program", "an interface");
}

static void say_packet(struct cursor_out *out, size_t size)
{
	static const uint8_t bytes[TRACE_QUEUE_MAX];
	const struct pcapng_packet packet = { .time = 1, .head = bytes, .bytes = bytes, .captured = size,
		.size = size };

	pcapng_packet(out, &packet);
}

static void say_without_end(struct cursor_out *out, size_t missing)
{
	say_packet(out, PACKET);
	out->size -= missing;
}

static void say_up_to(struct cursor_out *out, size_t end)
{
	say_packet(out, PACKET);
	out->size = end;
}

static void say_from(struct cursor_out *out, size_t begin)
{
	say_packet(out, PACKET);
	out->size -= begin;
	memmove(out->start, out->start + begin, out->size);
}

static void say_counts(struct cursor_out *out, size_t lost)
{
	const struct pcapng_counts counts = { .time = 1, .received = 1000, .lost = lost };

	pcapng_counts(out, &counts);
}

static void say_nonsense(struct cursor_out *out, size_t size)
{
	out_bytes(out, "not a trace", size);
}

static void say_refusal(struct cursor_out *out, size_t size)
{
	out_bytes(out, "{\"schema\":1,\"error\":\"no trace today\"}\n", size);
}

static void say_size(struct cursor_out *out, size_t size)
{
	out_le32(out, PCAPNG_PACKET);
	out_le32(out, (uint32_t)size);
	out_zeros(out, 64);
}

struct word {
	char letter;
	char file; /* the file gets what this letter says; 0: nothing */
	void (*say)(struct cursor_out *out, size_t n);
	size_t n;
};

static const struct word vocabulary[] = {
	{ 'b', 'b', say_begin, 0 },
	{ 'p', 'p', say_packet, PACKET },
	{ 's', 's', say_packet, PCAPNG_COUNTS_SIZE - 32 },
	{ 'm', 'm', say_packet, TRACE_QUEUE_MAX - 32 },
	{ 'c', 'c', say_counts, 0 },
	{ 'l', 'l', say_counts, 300 },
	{ 'h', 0, say_without_end, 10 },
	{ 'x', 0, say_up_to, HALF },
	{ 'y', 'p', say_from, HALF },
	{ 'n', 0, say_nonsense, 11 },
	{ 'j', 0, say_refusal, 38 },
	{ '0', 0, say_size, 0 },
	{ '8', 0, say_size, 8 },
	{ '9', 0, say_size, 13 },
	{ '+', 0, say_size, TRACE_QUEUE_MAX + 4 },
};

static const struct word *find(char letter)
{
	for (size_t i = 0; i < sizeof vocabulary / sizeof vocabulary[0]; i++)
		if (vocabulary[i].letter == letter)
			return &vocabulary[i];
	fail_msg("no such letter: %c", letter);
	return NULL;
}

/* What letter says, behind the bytes that buffer has already. Returns how many more there are. */
static size_t put(uint8_t *buffer, size_t used, char letter)
{
	struct cursor_out out = cursor_out(buffer + used, sizeof text - used);
	const struct word *word = find(letter);

	word->say(&out, word->n);
	assert_true(out_ok(&out));
	return out.size;
}

/* ---- the conversation ---- */

static void say(struct daemon *daemon, char letter)
{
	const struct word *word = find(letter);

	daemon->waiting += put(text, daemon->waiting, letter);
	if (word->file != 0)
		daemon->expected += put(daemon_expected, daemon->expected, word->file);
}

static void send_all(struct daemon *daemon)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < daemon->waiting && n > 0) {
		n = send(daemon->fd, text + done, daemon->waiting - done, MSG_NOSIGNAL);
		done += n > 0 ? (size_t)n : 0;
	}
	daemon->waiting = 0;
}

/* Signals the command once its file has everything, and awaits what it does. */
static void signal_command(const struct daemon *daemon, int number, const char *file)
{
	for (int i = 0; i < LIMIT && file_size(file) < daemon->expected; i++)
		(void)poll(NULL, 0, 1);
	assert_int_equal(file_size(file), daemon->expected);
	(void)kill(daemon->child, number);
	assert_true(daemon_sees_end(daemon));
}

void daemon_talk(struct daemon *daemon, const char *words, const char *file)
{
	for (; *words != '\0'; words++) {
		if (strchr("|itk", *words) == NULL) {
			say(daemon, *words);
			continue;
		}
		send_all(daemon);
		if (*words == '|')
			(void)poll(NULL, 0, 20);
		else
			signal_command(daemon, *words == 't' ? SIGTERM : SIGINT, file);
		if (*words == 'k')
			(void)kill(daemon->child, SIGINT);
	}
	send_all(daemon);
}

bool daemon_sees_end(const struct daemon *daemon)
{
	struct pollfd end = { .fd = daemon->fd, .events = POLLIN };
	char byte;

	return poll(&end, 1, LIMIT) == 1 && recv(daemon->fd, &byte, 1, 0) <= 0;
}

/* ---- its sockets ---- */

void daemon_listen(struct daemon *daemon)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", folder_socket);
	*daemon = (struct daemon){ .listens = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .fd = -1 };
	(void)unlink(folder_socket);
	assert_int_equal(bind(daemon->listens, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(chmod(folder_socket, 0666), 0);
	assert_int_equal(listen(daemon->listens, 4), 0);
}

const char *daemon_accept(struct daemon *daemon)
{
	static char line[64];
	ssize_t n;

	daemon->fd = accept(daemon->listens, NULL, NULL);
	assert_true(daemon->fd >= 0);
	n = recv(daemon->fd, line, sizeof line - 1, 0);
	assert_true(n > 0);
	line[n] = '\0';
	return line;
}

void daemon_hang_up(struct daemon *daemon)
{
	if (daemon->fd >= 0)
		(void)close(daemon->fd);
	daemon->fd = -1;
}

void daemon_close(struct daemon *daemon)
{
	(void)close(daemon->listens);
	(void)unlink(folder_socket);
}
