/*
 * card: a smart card that does what a test tells it, in a reader of vpcd's.
 *
 * Options, signals and the loop. The cards are slots (slot.h), what they answer is in the applet.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "tests/card/cardlog.h"
#include "tests/card/control.h"
#include "tests/card/slot.h"

#define CARDS_MAX 16
#define EXIT_USAGE 2

static const char usage_text[] =
	"usage: card [OPTION...]\n"
	"A scripted smart card that connects to pcscd's vpcd driver.\n"
	"\n"
	"  --card PORT:ATR[:out]  a card for the reader at this TCP port, with an ATR by name or\n"
	"                         hex:3B...; 'out': not inserted at the start. May be given 16\n"
	"                         times; the cards have the indices 0, 1, ... (default 35963:t1)\n"
	"  --host ADDRESS         where vpcd listens (127.0.0.1)\n"
	"  --log FILE             append the events to FILE (standard output)\n"
	"  --control SOCKET       listen there for card-ctl\n"
	"  --pin TEXT             the PIN, 1..16 characters (123456)\n"
	"  --tries N              how many wrong PINs block it, 1..15 (3)\n"
	"  --list-atrs            print the ATRs and end\n"
	"  --help                 print this and end\n";

struct options {
	struct slot_config cards[CARDS_MAX];
	bool out[CARDS_MAX];
	size_t card_count;
	const char *host;
	const char *log;
	const char *control;
	const char *pin;
	unsigned int tries;
};

struct program {
	uv_loop_t loop;
	uv_signal_t sigterm;
	uv_signal_t sigint;
	struct cardlog log;
	struct control control;
	bool has_control;
	struct slot *slots;
	size_t slot_count;
	bool ending;
};

/* Prints the table of ATRs, each followed by what it is. */
static void print_atrs(void)
{
	const char *about, *name;
	struct atr atr;

	for (size_t i = 0; (name = atr_name(i, &about)) != NULL; i++) {
		(void)atr_by_name(name, &atr);
		(void)printf("%-12s ", name);
		for (size_t j = 0; j < atr.size; j++)
			(void)printf("%02X", atr.bytes[j]);
		(void)printf("  %s\n", about);
	}
}

static _Noreturn void usage_error(const char *what, const char *value)
{
	log_error("options", "%s: %s (see --help)", what, value);
	exit(EXIT_USAGE);
}

static unsigned long parse_number(const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < min || value > max)
		usage_error("not a number, or out of its range", text);
	return value;
}

/* PORT:ATR[:out]; an ATR may hold a colon of its own (hex:3B...). */
static void parse_card(struct options *options, char *text)
{
	struct slot_config *card;
	char *colon = strchr(text, ':'), *last = strrchr(text, ':');

	if (options->card_count == CARDS_MAX)
		usage_error("too many cards", text);
	if (colon == NULL)
		usage_error("a card is PORT:ATR", text);
	card = &options->cards[options->card_count];
	if (last != colon && strcmp(last, ":out") == 0) {
		*last = '\0';
		options->out[options->card_count] = true;
	}
	*colon = '\0';
	card->address.sin_port = htons((uint16_t)parse_number(text, 1, 65535));
	card->atr = colon + 1;
	options->card_count++;
}

static void parse_options(struct options *options, int argc, char **argv)
{
	static const struct option table[] = {
		{ "card", required_argument, NULL, 'c' },
		{ "host", required_argument, NULL, 'h' },
		{ "log", required_argument, NULL, 'l' },
		{ "control", required_argument, NULL, 's' },
		{ "pin", required_argument, NULL, 'p' },
		{ "tries", required_argument, NULL, 't' },
		{ "list-atrs", no_argument, NULL, 'a' },
		{ "help", no_argument, NULL, '?' + 1 },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'c':
			parse_card(options, optarg);
			break;
		case 'h':
			options->host = optarg;
			break;
		case 'l':
			options->log = optarg;
			break;
		case 's':
			options->control = optarg;
			break;
		case 'p':
			options->pin = optarg;
			break;
		case 't':
			options->tries = (unsigned int)parse_number(optarg, 1, 15);
			break;
		case 'a':
			print_atrs();
			exit(EXIT_SUCCESS);
		case '?' + 1:
			(void)fputs(usage_text, stdout);
			exit(EXIT_SUCCESS);
		default:
			exit(EXIT_USAGE);
		}
	}
	if (optind < argc)
		usage_error("not an option", argv[optind]);
}

/* Fills in what all cards share. */
static void complete_cards(struct options *options)
{
	struct in_addr host;

	if (inet_pton(AF_INET, options->host, &host) != 1)
		usage_error("not an IPv4 address", options->host);
	if (options->card_count == 0) {
		options->cards[0].address.sin_port = htons(VPCD_DEFAULT_PORT);
		options->cards[0].atr = "t1";
		options->card_count = 1;
	}
	for (size_t i = 0; i < options->card_count; i++) {
		options->cards[i].address.sin_family = AF_INET;
		options->cards[i].address.sin_addr = host;
		options->cards[i].pin = options->pin;
		options->cards[i].tries = options->tries;
	}
}

/* Closes every handle, so that the loop runs out. */
static void program_end(void *context)
{
	struct program *program = context;

	if (program->ending)
		return;
	program->ending = true;
	for (size_t i = 0; i < program->slot_count; i++) {
		slot_close(&program->slots[i]);
		cardlog_event(&program->log, (unsigned int)i, "stop", "port=%u",
			      ntohs(program->slots[i].address.sin_port));
	}
	if (program->has_control)
		control_close(&program->control);
	uv_close((uv_handle_t *)&program->sigterm, NULL);
	uv_close((uv_handle_t *)&program->sigint, NULL);
	uv_stop(&program->loop);
}

static void program_signal(uv_signal_t *signal, int number)
{
	(void)number;
	program_end(signal->data);
}

static int program_watch_signal(struct program *program, uv_signal_t *signal, int number)
{
	int r = uv_signal_init(&program->loop, signal);

	signal->data = program;
	return r != 0 ? r : uv_signal_start(signal, program_signal, number);
}

static void program_start_cards(struct program *program, const struct options *options)
{
	int r;

	for (size_t i = 0; i < options->card_count; i++) {
		r = slot_init(&program->slots[i], &program->loop, &program->log, (unsigned int)i,
			      &options->cards[i]);
		if (r == SLOT_BAD_ATR)
			usage_error("no such ATR", options->cards[i].atr);
		if (r == SLOT_BAD_PIN)
			usage_error("bad PIN", "1..16 characters");
		if (r != 0)
			usage_error("can't make a card", uv_strerror(r));
		program->slot_count++;
		cardlog_event(&program->log, (unsigned int)i, "start", "port=%u",
			      ntohs(options->cards[i].address.sin_port));
	}
	for (size_t i = 0; i < options->card_count; i++) {
		if (!options->out[i])
			slot_insert(&program->slots[i]);
	}
}

/* Returns 0, or an error of libuv's after having said what failed. */
static int program_start(struct program *program, const struct options *options)
{
	int r = uv_loop_init(&program->loop);

	if (r == 0)
		r = program_watch_signal(program, &program->sigterm, SIGTERM);
	if (r == 0)
		r = program_watch_signal(program, &program->sigint, SIGINT);
	if (r != 0) {
		log_error("loop", "%s", uv_strerror(r));
		return r;
	}
	r = cardlog_init(&program->log, options->log);
	if (r != 0) {
		log_error("log", "%s: %s", options->log, uv_strerror(r));
		return r;
	}
	program_start_cards(program, options);
	if (options->control == NULL)
		return 0;
	r = control_init(&program->control, &program->loop, options->control, program->slots,
			 program->slot_count, program_end, program);
	if (r != 0)
		log_error("control", "%s: %s", options->control, uv_strerror(r));
	program->has_control = true;
	return r;
}

int main(int argc, char **argv)
{
	static struct program program;
	static struct slot slots[CARDS_MAX];
	struct options options = { .host = "127.0.0.1", .pin = "123456", .tries = 3 };

	log_init("card", LOG_LEVEL_INFO);
	(void)signal(SIGPIPE, SIG_IGN);
	parse_options(&options, argc, argv);
	complete_cards(&options);
	program.slots = slots;
	if (program_start(&program, &options) != 0)
		return EXIT_FAILURE;
	(void)uv_run(&program.loop, UV_RUN_DEFAULT);
	(void)uv_run(&program.loop, UV_RUN_NOWAIT); /* the close callbacks, the answer to "quit" */
	for (size_t i = 0; i < program.slot_count; i++)
		slot_deinit(&slots[i]);
	cardlog_deinit(&program.log);
	return EXIT_SUCCESS;
}
