/*
 * Steps that move data and verify each byte of it, in all forms that a length allows.
 *
 * A command of n bytes is sent as case 3 and as case 4, each in the short form if n <= 255 and in
 * the extended form; the card compares it with pattern(n), and in case 4 says how many bytes came
 * and what their hash is. A response of n bytes is asked for with Le = n in both forms, and with
 * the Le of zeros that means "as many as there are".
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/card/commands.h"
#include "tests/card/pattern.h"
#include "tests/pcsc/step.h"

/* vpcd's frames have 65535 bytes, so that the command of case 4E may carry this many. */
#define DATA_MAX (65535 - 4 - 3 - 2)

#define UNTIL_LOOKS 10 /* APDUs from one look at the file to the next */

enum direction {
	DIRECTION_COMMAND = 1,
	DIRECTION_RESPONSE = 2,
	DIRECTION_BOTH = 4,
	DIRECTION_ALL = 7,
};

static uint8_t sent[DATA_MAX + 1], wanted[DATA_MAX + 1];

/* What SINK answers in case 4: length and hash, both big-endian. */
static size_t sink_answer(size_t n, uint8_t *answer)
{
	const uint32_t hash = pattern_hash(sent, n);
	struct cursor_out out = cursor_out(answer, 8);

	out_be16(&out, (uint16_t)(n >> 16));
	out_be16(&out, (uint16_t)(n & 0xFFFF));
	out_be16(&out, (uint16_t)(hash >> 16));
	out_be16(&out, (uint16_t)(hash & 0xFFFF));
	return out.size;
}

static int round_command(struct step_run *run, size_t n)
{
	struct command command = { .cla = COMMAND_CLA_OWN, .ins = COMMAND_SINK, .p1p2 = (uint16_t)n,
				   .data = sent, .nc = n };
	uint8_t answer[8];
	size_t answer_size;
	int r = 0;

	pattern_fill(sent, n, (uint32_t)n);
	answer_size = sink_answer(n, answer);
	for (int extended = n > 255; r == 0 && extended <= 1; extended++) {
		command.extended = extended;
		command.ne = 0;
		r = step_expect(run, &command, NULL, 0, 0x9000);
		command.ne = extended ? 65536 : 256;
		if (r == 0)
			r = step_expect(run, &command, answer, answer_size, 0x9000);
	}
	return r;
}

static int round_response(struct step_run *run, size_t n)
{
	struct command command = { .cla = COMMAND_CLA_OWN, .ins = COMMAND_SOURCE,
				   .p1p2 = (uint16_t)n, .ne = (uint32_t)n };
	int r = 0;

	pattern_fill(wanted, n, (uint32_t)n);
	for (int extended = n > 256; r == 0 && extended <= 1; extended++) {
		command.extended = extended;
		command.ne = (uint32_t)n; /* for n == 0 this is case 1 */
		r = step_expect(run, &command, wanted, n, 0x9000);
		command.ne = extended ? 65536 : 256;
		if (r == 0)
			r = step_expect(run, &command, wanted, n, 0x9000);
	}
	return r;
}

static int round_both(struct step_run *run, size_t n)
{
	struct command command = { .cla = COMMAND_CLA_OWN, .ins = COMMAND_BOTH, .p1p2 = (uint16_t)n,
				   .data = sent, .nc = n };

	pattern_fill(sent, n, (uint32_t)n);
	pattern_fill(wanted, n, (uint32_t)n);
	command.extended = n > 255;
	command.ne = command.extended ? 65536 : 256;
	return step_expect(run, &command, wanted, n, 0x9000);
}

static int round_trip(struct step_run *run, size_t n, int directions)
{
	int r = 0;

	if (directions & DIRECTION_COMMAND)
		r = round_command(run, n);
	if (r == 0 && directions & DIRECTION_RESPONSE)
		r = round_response(run, n);
	if (r == 0 && directions & DIRECTION_BOTH)
		r = round_both(run, n);
	return r;
}

static int parse_direction(const char *word)
{
	if (strcmp(word, "command") == 0)
		return DIRECTION_COMMAND;
	if (strcmp(word, "response") == 0)
		return DIRECTION_RESPONSE;
	if (strcmp(word, "both") == 0)
		return DIRECTION_BOTH;
	return 0;
}

static int step_sweep(struct step_run *run, int count, char **arguments)
{
	int r, directions = count > 2 ? parse_direction(arguments[2]) : DIRECTION_ALL;
	unsigned long from, to;

	if (step_number(arguments[0], 0, DATA_MAX, &from) != 0 ||
	    step_number(arguments[1], from, DATA_MAX, &to) != 0 || directions == 0)
		return STEP_USAGE;
	for (size_t n = from; n <= to; n++) {
		r = round_trip(run, n, directions);
		if (r != 0)
			return r;
	}
	return step_timed_ok(run);
}

static int step_sizes(struct step_run *run, int count, char **arguments)
{
	int r, directions = parse_direction(arguments[0]);
	unsigned long n;

	for (int i = directions != 0; i < count; i++) {
		if (step_number(arguments[i], 0, DATA_MAX, &n) != 0)
			return STEP_USAGE;
		r = round_trip(run, n, directions != 0 ? directions : DIRECTION_ALL);
		if (r != 0)
			return r;
	}
	return step_timed_ok(run);
}

/* Echoes of changing content: an answer that belongs to an earlier command is found at once. */
static int step_loop(struct step_run *run, int count, char **arguments)
{
	struct command command = { .cla = COMMAND_CLA_OWN, .ins = COMMAND_ECHO, .data = sent };
	unsigned long rounds, size = 32;
	int r;

	if (step_number(arguments[0], 1, 100000000, &rounds) != 0 ||
	    (count > 1 && step_number(arguments[1], 0, DATA_MAX, &size) != 0))
		return STEP_USAGE;
	command.nc = size;
	command.extended = size > 255;
	command.ne = command.extended ? 65536 : 256;
	for (unsigned long i = 0; i < rounds; i++) {
		command.p1p2 = (uint16_t)(i & 0xFFFF);
		pattern_fill(sent, size, (uint32_t)i);
		r = step_expect(run, &command, sent, size, 0x9000);
		if (r != 0)
			return r;
	}
	return step_timed_ok(run);
}

/* As loop, until somebody makes the file; looked for now and then, since that may take a while. */
static int step_until(struct step_run *run, int count, char **arguments)
{
	struct command command = { .cla = COMMAND_CLA_OWN, .ins = COMMAND_ECHO, .data = sent,
				   .nc = 32, .ne = 256 };
	int r = 0;

	(void)count;
	for (unsigned int i = 0; r == 0; i++) {
		if (i % UNTIL_LOOKS == 0 && access(arguments[0], F_OK) == 0)
			return step_timed_ok(run);
		command.p1p2 = (uint16_t)(i & 0xFFFF);
		pattern_fill(sent, command.nc, i);
		r = step_expect(run, &command, sent, command.nc, 0x9000);
	}
	return r;
}

/*
 * Status words, classes and lengths that something on the way might want to act upon: each must
 * come back as the card gave it, and the card must see one command each.
 */
static int step_untouched(struct step_run *run, int count, char **arguments)
{
	static const uint8_t uid[] = COMMAND_UID, data[] = { 1, 2, 3 };
	static const uint16_t words[] = { 0x6110, 0x6100, 0x6C08, 0x6C00, 0x6282, 0x63C3, 0x6700,
					  0x6D00, 0x6E00, 0x6F00, 0x9100, 0x0000, 0xFFFF };
	static const struct command classes[] = {
		{ .cla = 0x10, .ins = COMMAND_ECHO, .data = data, .nc = 3 }, /* command chaining */
		{ .cla = 0x0C, .ins = COMMAND_ECHO, .data = data, .nc = 3 }, /* secure messaging */
		{ .cla = 0x01, .ins = COMMAND_SELECT, .p1p2 = 0x0400 },      /* logical channel 1 */
		{ .cla = 0xFF, .ins = 0xC2, .p1p2 = 0x0100, .data = data, .nc = 3 },
	};
	struct command command = { .cla = COMMAND_CLA_OWN, .ins = COMMAND_SW };
	int r = 0;

	(void)count, (void)arguments;
	for (size_t i = 0; r == 0 && i < sizeof(words) / sizeof(words[0]); i++) {
		command.p1p2 = words[i];
		command.data = data;
		command.nc = command.ne = 0;
		r = step_expect(run, &command, NULL, 0, words[i]);
		command.nc = sizeof(data);
		command.ne = 256;
		if (r == 0)
			r = step_expect(run, &command, data, sizeof(data), words[i]);
	}
	for (size_t i = 0; r == 0 && i < sizeof(classes) / sizeof(classes[0]); i++)
		r = step_expect(run, &classes[i], NULL, 0,
				classes[i].cla == 0xFF ? 0x6D00 : 0x6E00);
	command = (struct command){ .cla = 0xFF, .ins = COMMAND_GET_DATA, .ne = 256 };
	if (r == 0)
		r = step_expect(run, &command, uid, sizeof(uid), 0x9000);
	command = (struct command){ .cla = 0x80, .ins = COMMAND_SOURCE, .p1p2 = 10, .ne = 4 };
	pattern_fill(wanted, 10, 10);
	if (r == 0) /* more bytes than Le */
		r = step_expect(run, &command, wanted, 10, 0x9000);
	return r != 0 ? r : step_timed_ok(run);
}

const struct step steps_data[] = {
	{ "sweep", "FROM TO [command|response|both]", 2, 3, step_sweep },
	{ "sizes", "[command|response|both] N...", 1, 64, step_sizes },
	{ "loop", "ROUNDS [SIZE]", 1, 2, step_loop },
	{ "until", "FILE", 1, 1, step_until },
	{ "untouched", "", 0, 0, step_untouched },
	{ NULL, NULL, 0, 0, NULL },
};
