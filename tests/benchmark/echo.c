/*
 * bench-echo: how long so many bytes take there and so many back over TCP: the wire, without
 * anything that the relay does.
 *
 *     bench-echo PORT                   the host's end: waits for the guest's, at every address
 *     bench-echo ADDRESS PORT TASK...   the guest's end; see samples.h for a task
 *
 * A message to the host is a header, the number of bytes that follow and the number of bytes wanted
 * back (le32 each), and those bytes. Either way BENCH_ECHO_FRAME bytes are added to the data of a
 * task: about what the relay's frames have beside an APDU.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/log.h"
#include "tests/benchmark/samples.h"

#define BENCH_ECHO_HEADER 8
#define BENCH_ECHO_FRAME 96
#define BENCH_ECHO_MAX (SAMPLES_DATA_MAX + BENCH_ECHO_FRAME)
#define EXIT_USAGE 2

static uint8_t buffer[BENCH_ECHO_MAX];

static _Noreturn void give_up(const char *what)
{
	log_error("echo", "%s: %s", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* Returns 0, or 1 when the other end is gone. */
static int receive(int fd, uint8_t *bytes, size_t size)
{
	ssize_t n;

	for (size_t done = 0; done < size; done += (size_t)n) {
		n = read(fd, bytes + done, size - done);
		if (n <= 0)
			return 1;
	}
	return 0;
}

static int deliver(int fd, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	for (size_t done = 0; done < size; done += (size_t)n) {
		n = write(fd, bytes + done, size - done);
		if (n <= 0)
			return 1;
	}
	return 0;
}

static struct sockaddr_in address_of(const char *address, const char *port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
	};

	if (inet_pton(AF_INET, address, &at.sin_addr) != 1)
		give_up(address);
	return at;
}

static void at_once(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* ---- the host ---- */

static void serve(int fd)
{
	uint32_t come, go;

	while (receive(fd, buffer, BENCH_ECHO_HEADER) == 0) {
		struct cursor_in in = cursor_in(buffer, BENCH_ECHO_HEADER);

		come = in_le32(&in);
		go = in_le32(&in);
		if (come > BENCH_ECHO_MAX || go > BENCH_ECHO_MAX ||
		    receive(fd, buffer, come) != 0 || deliver(fd, buffer, go) != 0)
			return;
	}
}

static int listen_for_guests(const char *port)
{
	struct sockaddr_in at = address_of("0.0.0.0", port);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd;

	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(listener, 8) != 0)
		give_up("cannot listen");
	(void)signal(SIGCHLD, SIG_IGN);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		at_once(fd);
		if (fork() == 0) {
			serve(fd);
			_exit(EXIT_SUCCESS);
		}
		(void)close(fd);
	}
	give_up("accept");
}

/* ---- the guest ---- */

static void exchange(int fd, const struct samples_task *task)
{
	size_t come = task->command + BENCH_ECHO_FRAME - BENCH_ECHO_HEADER;
	size_t go = task->response + BENCH_ECHO_FRAME;
	struct cursor_out out = cursor_out(buffer, sizeof(buffer));

	out_le32(&out, (uint32_t)come);
	out_le32(&out, (uint32_t)go);
	if (deliver(fd, buffer, BENCH_ECHO_HEADER + come) != 0 || receive(fd, buffer, go) != 0)
		give_up("the host's end is gone");
}

static void run_task(int fd, const struct samples_task *task)
{
	struct timing timing = TIMING_NULL;
	uint64_t start;

	exchange(fd, task);
	for (size_t i = 0; i < task->count; i++) {
		start = timing_now_us();
		exchange(fd, task);
		if (timing_add(&timing, timing_now_us() - start) != 0)
			give_up("no memory");
	}
	samples_print(task, &timing);
	timing_deinit(&timing);
}

int main(int argc, char **argv)
{
	struct samples_task task;
	struct sockaddr_in at;
	int fd;

	log_init("bench-echo", LOG_LEVEL_INFO);
	if (argc == 2)
		return listen_for_guests(argv[1]);
	if (argc < 4)
		return EXIT_USAGE;
	at = address_of(argv[1], argv[2]);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		give_up("cannot connect");
	at_once(fd);
	for (int i = 3; i < argc; i++) {
		if (samples_parse(argv[i], &task) != 0)
			return EXIT_USAGE;
		run_task(fd, &task);
	}
	(void)close(fd);
	return EXIT_SUCCESS;
}
