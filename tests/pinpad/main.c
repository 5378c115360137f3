/*
 * ccid-pinpad: PIN entries and escapes at a CCID reader through libusb.
 *
 *     ccid-pinpad WORD [ARGUMENT] ...
 *
 *     power-on, power-off, status    the commands of these names
 *     secure HEX                     Secure with this abData, and its answer
 *     start-secure HEX, start-escape HEX   only sends them
 *     extension                      waits until the started one has got a time extension
 *     await                          the answer to the started one
 *     escape HEX                     Escape with this abData, and its answer
 *     apdu HEX                       XfrBlock with this abData, and its answer
 *     abort                          Abort, first the request, then the message
 *     quiet MS                       nothing comes for so long
 *     becomes ICC MS                 GetSlotStatus says this bmICCStatus within so many milliseconds
 *
 * Each word prints one line: what came, in hexadecimal, and the time extensions before it. The exit
 * status is 0 if all went by the rules (tester.h), 1 at the first that did not, 2 without a reader.
 * PINs are made up: everything may be printed.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/tester.h"

#define DATA_MAX 4096

static uint8_t data[DATA_MAX];

static size_t parse_hex(const char *hex)
{
	size_t size = 0;
	unsigned int byte;

	while (size < DATA_MAX && sscanf(hex, "%2x", &byte) == 1) {
		data[size++] = (uint8_t)byte;
		hex += 2;
	}
	return size;
}

/* The answer of the last command. */
static void print_answer(const struct tester *t)
{
	printf("type=%02X status=%02X error=%02X extensions=%zu first=%u longest=%u took=%u data=",
		t->answer.type, t->answer.status, t->answer.error, t->extensions.count,
		t->extensions.first, t->extensions.longest, t->took);
	for (size_t i = 0; i < t->answer.size; i++)
		printf("%02X", t->answer.data[i]);
}

static struct command command_of(uint8_t type, const char *hex)
{
	return (struct command){ .type = type, .data = data, .size = parse_hex(hex) };
}

static bool ask(struct tester *t, uint8_t type, const char *hex)
{
	struct command command = command_of(type, hex);
	bool good;

	good = tester_ask(t, &command);
	if (good)
		print_answer(t);
	return good;
}

static bool start(struct tester *t, uint8_t type, const char *hex)
{
	struct command command = command_of(type, hex);
	bool good = tester_send(t, &command);

	tester_leave_running(t);
	return good;
}

static bool await_extension(struct tester *t)
{
	bool good = tester_receive(t, TESTER_PATIENCE) &&
		tester_check(t, (t->answer.status & COMMAND_MASK) == TIME_EXTENSION &&
			t->answer.seq == t->running.seq, "bStatus %02X bSeq %02X",
			t->answer.status, t->answer.seq);

	if (good)
		printf("after %u ms", (unsigned int)(transport_now() - t->running.sent_at));
	return good;
}

static bool await(struct tester *t)
{
	bool good = tester_await_running(t);

	if (good)
		print_answer(t);
	return good;
}

/* CCID 1.1, 5.3.1 and 6.1.13. Time extensions of the aborted command may still come before it. */
static bool abort_running(struct tester *t)
{
	int r = transport_control_out(&t->transport, REQUEST_TYPE_OUT, REQUEST_ABORT,
		(uint16_t)((uint8_t)(t->seq + 1) << 8));
	bool good = tester_check(t, r == 0, "the request ABORT: %s", libusb_error_name(r)) &&
		tester_ask(t, &(struct command){ .type = ABORT });

	t->running.type = 0;
	if (good)
		print_answer(t);
	return good;
}

struct word {
	const char *name;
	int arguments;
	bool (*run)(struct tester *t, char **arguments);
};

static bool run_power_on(struct tester *t, char **arguments)
{
	(void)arguments;
	return ask(t, ICC_POWER_ON, "");
}

static bool run_power_off(struct tester *t, char **arguments)
{
	(void)arguments;
	t->running.type = 0;
	return ask(t, ICC_POWER_OFF, "");
}

static bool run_status(struct tester *t, char **arguments)
{
	(void)arguments;
	return ask(t, GET_SLOT_STATUS, "");
}

static bool run_secure(struct tester *t, char **arguments)
{
	return ask(t, SECURE, arguments[0]);
}

static bool run_escape(struct tester *t, char **arguments)
{
	return ask(t, ESCAPE, arguments[0]);
}

static bool run_apdu(struct tester *t, char **arguments)
{
	return ask(t, XFR_BLOCK, arguments[0]);
}

static bool run_start_secure(struct tester *t, char **arguments)
{
	return start(t, SECURE, arguments[0]);
}

static bool run_start_escape(struct tester *t, char **arguments)
{
	return start(t, ESCAPE, arguments[0]);
}

static bool run_extension(struct tester *t, char **arguments)
{
	(void)arguments;
	return await_extension(t);
}

static bool run_await(struct tester *t, char **arguments)
{
	(void)arguments;
	return await(t);
}

static bool run_abort(struct tester *t, char **arguments)
{
	(void)arguments;
	return abort_running(t);
}

static bool run_quiet(struct tester *t, char **arguments)
{
	return tester_quiet(t, (unsigned int)strtoul(arguments[0], NULL, 10));
}

static bool run_becomes(struct tester *t, char **arguments)
{
	return tester_status_becomes(t, (uint8_t)strtoul(arguments[0], NULL, 10),
		(unsigned int)strtoul(arguments[1], NULL, 10));
}

static const struct word words[] = {
	{ "power-on", 0, run_power_on },
	{ "power-off", 0, run_power_off },
	{ "status", 0, run_status },
	{ "secure", 1, run_secure },
	{ "escape", 1, run_escape },
	{ "apdu", 1, run_apdu },
	{ "start-secure", 1, run_start_secure },
	{ "start-escape", 1, run_start_escape },
	{ "extension", 0, run_extension },
	{ "await", 0, run_await },
	{ "abort", 0, run_abort },
	{ "quiet", 1, run_quiet },
	{ "becomes", 2, run_becomes },
};

static const struct word *find_word(const char *name, int arguments)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].name, name) == 0 && words[i].arguments <= arguments)
			return &words[i];
	}
	(void)fprintf(stderr, "ccid-pinpad: '%s' is no word, or lacks an argument\n", name);
	return NULL;
}

/* Returns the exit status. */
static int run_words(struct tester *t, int count, char **list)
{
	for (int i = 0; i < count;) {
		const struct word *word = find_word(list[i], count - i - 1);
		bool good;

		if (word == NULL)
			return 2;
		printf("%s: ", word->name);
		good = word->run(t, &list[i + 1]);
		printf("%s\n", good ? "" : t->reason);
		(void)fflush(stdout);
		if (!good)
			return 1;
		i += 1 + word->arguments;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct tester *t = calloc(1, sizeof(*t));
	const char *why = "";
	int status = 2;

	if (t == NULL)
		return status;
	if (transport_open(&t->transport, (struct transport_choice){ .idVendor = 0 }, &why) == 0) {
		tester_read_descriptor(t);
		status = run_words(t, argc - 1, argv + 1);
	} else {
		(void)fprintf(stderr, "ccid-pinpad: %s\n", why);
	}
	transport_close(&t->transport);
	free(t);
	return status;
}
