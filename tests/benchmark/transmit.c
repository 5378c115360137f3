/*
 * bench-transmit: an ordinary SCard program that says how long each SCardTransmit took.
 *
 *     bench-transmit [--reader R] [--transaction] [--gate FIFO] TASK...   see samples.h for a task
 *
 * It runs unmodified on the host, against the bare reader, through the relay, and over a forwarded
 * socket of pcscd's. A command without data asks the scripted card for so many bytes (SOURCE), one
 * with data brings them (SINK). Before each task one exchange is made that isn't counted: the first
 * one after a pause also pays for what a sequence begins with, as a transaction on the host.
 *
 * --transaction: all of it within one transaction of its own.
 * --gate: connected, it says "ready" on standard error, and begins when somebody opens FIFO for
 * writing: so that several of these begin at the same time.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/log.h"
#include "tests/benchmark/samples.h"
#include "tests/card/commands.h"
#include "tests/card/pattern.h"
#include "tests/pcsc/names.h"
#include "tests/pcsc/session.h"

#define WAIT_MS 20000
#define EXIT_USAGE 2
#define APDU_MAX (7 + SAMPLES_DATA_MAX)

static _Noreturn void give_up(const char *what, const char *why)
{
	log_error("transmit", "%s: %s", what, why);
	exit(EXIT_FAILURE);
}

static void check(const char *what, LONG result)
{
	if (result != SCARD_S_SUCCESS)
		give_up(what, scard_name(result));
}

/* The data of a command, extended if it is long; without data, what asks for the response. */
static size_t make_apdu(const struct samples_task *task, uint8_t *apdu)
{
	struct cursor_out out = cursor_out(apdu, APDU_MAX);

	out_u8(&out, COMMAND_CLA_OWN);
	out_u8(&out, task->command > 0 ? COMMAND_SINK : COMMAND_SOURCE);
	out_be16(&out, (uint16_t)(task->command > 0 ? task->command : task->response));
	if (task->command > 255) {
		out_u8(&out, 0);
		out_be16(&out, (uint16_t)task->command);
	} else if (task->command > 0) {
		out_u8(&out, (uint8_t)task->command);
	} else if (task->response > 256) {
		out_u8(&out, 0);
		out_be16(&out, 0);
	} else if (task->response > 0) {
		out_u8(&out, 0);
	}
	if (task->command > 0)
		pattern_fill(out_room(&out, task->command), task->command, (uint32_t)task->command);
	return out.size;
}

static void exchange(struct session *session, const struct samples_task *task, const uint8_t *apdu,
	size_t size)
{
	check("SCardTransmit", session_transmit(session, apdu, size));
	if (session_sw(session) != 0x9000 || session->response_size != task->response + 2)
		give_up("SCardTransmit", "this is not the answer");
}

static void run_task(struct session *session, const struct samples_task *task)
{
	static uint8_t apdu[APDU_MAX];
	size_t size = make_apdu(task, apdu);

	exchange(session, task, apdu, size);
	timing_clear(&session->timing);
	for (size_t i = 0; i < task->count; i++)
		exchange(session, task, apdu, size);
	samples_print(task, &session->timing);
}

/* fifo(7): an open() for reading waits for one for writing. */
static void pass_gate(const char *path)
{
	int fd;

	(void)fprintf(stderr, "ready\n");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		give_up("the gate", path);
	(void)close(fd);
}

/* Returns the index of the first task. */
static int parse_options(int argc, char **argv, const char **reader, bool *transaction,
	const char **gate)
{
	static const struct option table[] = {
		{ "reader", required_argument, NULL, 'r' },
		{ "transaction", no_argument, NULL, 't' },
		{ "gate", required_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", table, NULL)) != -1) {
		switch (c) {
		case 'r':
			*reader = optarg;
			break;
		case 't':
			*transaction = true;
			break;
		case 'g':
			*gate = optarg;
			break;
		default:
			exit(EXIT_USAGE);
		}
	}
	return optind;
}

int main(int argc, char **argv)
{
	static struct session session;
	struct session_options options = {
		.reader = "0",
		.protocols = SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
		.share = SCARD_SHARE_SHARED,
		.disposition = SCARD_LEAVE_CARD,
		.wait_ms = WAIT_MS,
	};
	struct samples_task task;
	const char *gate = NULL;
	bool transaction = false;
	int first;

	log_init("bench-transmit", LOG_LEVEL_INFO);
	first = parse_options(argc, argv, &options.reader, &transaction, &gate);
	session_init(&session, &options);
	check("no reader", session_open(&session));
	check("SCardConnect", session_connect(&session));
	if (transaction)
		check("SCardBeginTransaction", SCardBeginTransaction(session.card));
	if (gate != NULL)
		pass_gate(gate);
	for (int i = first; i < argc; i++) {
		if (samples_parse(argv[i], &task) != 0)
			give_up("no task", argv[i]);
		run_task(&session, &task);
	}
	if (transaction)
		(void)SCardEndTransaction(session.card, SCARD_LEAVE_CARD);
	session_deinit(&session);
	return EXIT_SUCCESS;
}
