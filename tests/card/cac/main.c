/*
 * cac-card: the CAC in a reader of vpcd's. Its log is the scripted card's (tests/card/README.md), so
 * that what a program does to the card can be compared from run to run.
 *
 * A plain blocking loop, since there is one connection and nothing but vpcd to wait for: connect,
 * and again every 50 ms as long as nobody listens; frame after frame; when vpcd has closed the
 * connection, power is gone and it begins again. It is ended by a signal.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "tests/card/cac/cac.h"
#include "tests/card/cardlog.h"
#include "tests/card/vpcd.h"

#define RETRY_NS 50000000
#define EXIT_USAGE 2

struct program {
	struct cac cac;
	struct cardlog log;
	struct vpcd vpcd;
	uint64_t apdu_number;
	uint16_t port;
	int fd;
};

static uint64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Returns 0, or fatal. */
static int program_connect(struct program *program)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(program->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int on = 1;
	int r;

	program->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (program->fd < 0)
		return error_from_errno();
	if (connect(program->fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		r = error_from_errno();
		(void)close(program->fd);
		return r;
	}
	(void)setsockopt(program->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return 0;
}

static void program_wait_for_vpcd(struct program *program)
{
	const struct timespec pause = { .tv_nsec = RETRY_NS };

	while (program_connect(program) != 0)
		(void)nanosleep(&pause, NULL);
	vpcd_init(&program->vpcd);
	cardlog_event(&program->log, 0, "connect", "port=%u", program->port);
}

/* The header and the answer in one segment, as vpcd waits for both. Returns 0 or fatal. */
static int program_send(struct program *program, struct payload_view answer)
{
	uint8_t header[VPCD_HEADER_SIZE];
	struct iovec parts[2] = {
		{ .iov_base = header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)(uintptr_t)answer.bytes, .iov_len = answer.size },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent;

	vpcd_header(header, answer.size);
	sent = sendmsg(program->fd, &message, MSG_NOSIGNAL);
	if (sent < 0)
		return error_from_errno();
	return (size_t)sent == sizeof(header) + answer.size ? 0 : -EPIPE;
}

static int program_send_atr(struct program *program)
{
	uint8_t bytes[CAC_ATR_MAX];
	const struct payload_view atr = { .bytes = bytes, .size = cac_atr(&program->cac, bytes) };

	return program_send(program, atr);
}

/* The log comes first: nobody shall have seen the answer before it says so. */
static int program_execute(struct program *program, struct payload_view command)
{
	struct payload_view response;
	uint64_t start = now_us(), number = ++program->apdu_number;

	cardlog_apdu_begin(&program->log, 0, number, command);
	response = cac_execute(&program->cac, command);
	cardlog_apdu_end(&program->log, 0, number, "answer", response, now_us() - start);
	return program_send(program, response);
}

/* Returns 0, or fatal for the connection. */
static int program_handle(struct program *program, const struct vpcd_message *message)
{
	switch (message->kind) {
	case VPCD_POWER_OFF:
		cac_power_off(&program->cac);
		cardlog_event(&program->log, 0, "power-off", "n=%llu",
			      (unsigned long long)program->apdu_number);
		return 0;
	case VPCD_POWER_ON:
	case VPCD_RESET:
		cac_reset(&program->cac);
		cardlog_event(&program->log, 0,
			      message->kind == VPCD_RESET ? "reset" : "power-on", "n=%llu",
			      (unsigned long long)program->apdu_number);
		return 0;
	case VPCD_ATR: /* not logged: it comes every 400 ms */
		return program_send_atr(program);
	case VPCD_APDU:
		return program_execute(program, message->apdu);
	case VPCD_UNKNOWN:
		cardlog_event(&program->log, 0, "unknown-message", "n=%llu",
			      (unsigned long long)program->apdu_number);
		return 0;
	}
	return -EPROTO;
}

/*
 * vpcd sends a header and a body, each in its own segment, and waits for the acknowledgement of the
 * first (Nagle): without QUICKACK, which the kernel clears by itself, each APDU costs 44 ms.
 * Returns 0, or fatal for the connection.
 */
static int program_receive(struct program *program)
{
	const int on = 1;
	size_t room;
	uint8_t *bytes = vpcd_room(&program->vpcd, &room);
	ssize_t size = recv(program->fd, bytes, room, 0);

	if (size < 0)
		return error_from_errno();
	if (size == 0)
		return -EPIPE;
	(void)setsockopt(program->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	vpcd_received(&program->vpcd, (size_t)size);
	return 0;
}

/* Serves the connection until it ends. */
static void program_serve(struct program *program)
{
	struct vpcd_message message;
	int r = 0;

	while (r == 0) {
		r = program_receive(program);
		while (r == 0 && vpcd_next(&program->vpcd, &message) == 0) {
			r = program_handle(program, &message);
			vpcd_pop(&program->vpcd);
		}
	}
	cardlog_event(&program->log, 0, "disconnect", "by=vpcd");
	cac_power_off(&program->cac);
	(void)close(program->fd);
}

static int program_start(struct program *program, char **argv)
{
	char *end;
	unsigned long port = strtoul(argv[1], &end, 10);
	int r;

	if (*end != '\0' || port == 0 || port > UINT16_MAX) {
		log_error("options", "not a port: %s", argv[1]);
		return EXIT_USAGE;
	}
	program->port = (uint16_t)port;
	r = cardlog_init(&program->log, argv[3]);
	if (r != 0) {
		log_error("log", "%s: %s", argv[3], strerror(-r));
		return EXIT_FAILURE;
	}
	r = cac_init(&program->cac, argv[2]);
	if (r == CAC_BAD_DATABASE)
		log_error("card", "no token with certificates in %s (is SOFTHSM2_CONF set?)",
			  argv[2]);
	else if (r != 0)
		log_error("card", "%s", strerror(-r));
	return r == 0 ? 0 : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static struct program program;
	int status;

	log_init("cac-card", LOG_LEVEL_INFO);
	if (argc != 4) {
		(void)fputs("usage: cac-card PORT NSS-DATABASE LOG\n", stderr);
		return EXIT_USAGE;
	}
	status = program_start(&program, argv);
	if (status != 0)
		return status;
	cardlog_event(&program.log, 0, "start", "port=%u", program.port);
	for (;;) {
		program_wait_for_vpcd(&program);
		program_serve(&program);
	}
}
