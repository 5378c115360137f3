/*
 * Plays a conversation with one half of a session. See player.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "player.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire_text.h"

struct player {
	const struct player_half *functions;
	void *half;
	const char *const *line; /* the next that hasn't happened */
	uint64_t now;
};

/* Splits "5 in TEXT": returns the time, sets verb and where the text begins. */
static uint64_t split(const char *line, char *verb, size_t size, const char **text)
{
	char *at;
	uint64_t time = strtoull(line, &at, 10);
	size_t length;

	if (at == line || *at != ' ')
		fail_msg("'%s' doesn't begin with a time", line);
	at++;
	length = strcspn(at, " ");
	assert_true(length < size);
	memcpy(verb, at, length);
	verb[length] = '\0';
	*text = at + length + (at[length] == ' ');
	return time;
}

static bool is_expectation(const char *verb)
{
	return strcmp(verb, "out") == 0 || strcmp(verb, "event") == 0;
}

/* All that the half puts out now must be what the conversation says next. */
static void take_outputs(struct player *player)
{
	char output[WIRE_TEXT_LINE];
	char verb[32];
	const char *text;

	while (player->functions->output(player->half, output, sizeof(output))) {
		if (*player->line == NULL)
			fail_msg("after the end, at %" PRIu64 ": %s", player->now, output);
		if (split(*player->line, verb, sizeof(verb), &text) != player->now ||
				!is_expectation(verb) ||
				!wire_text_fits(output, strstr(*player->line, verb)))
			fail_msg("expected '%s'\n     got '%" PRIu64 " %s'", *player->line, player->now,
				output);
		player->line++;
	}
}

/* Lets the time pass until then, stopping at each deadline. */
static void pass_time(struct player *player, uint64_t then)
{
	for (int ticks = 0;; ticks++) {
		uint64_t deadline = player->functions->deadline(player->half);

		if (deadline > then)
			break;
		if (ticks > 1000)
			fail_msg("the deadline stays at %" PRIu64, deadline);
		if (deadline > player->now)
			player->now = deadline;
		player->functions->tick(player->half, player->now);
		take_outputs(player);
	}
	player->now = then;
}

void player_play(const struct player_half *functions, void *half, const char *const *conversation)
{
	struct player player = { .functions = functions, .half = half, .line = conversation };
	char verb[32];
	const char *text;

	take_outputs(&player);
	while (*player.line != NULL) {
		const char *line = *player.line;
		uint64_t time = split(line, verb, sizeof(verb), &text);

		pass_time(&player, time);
		if (*player.line != line)
			continue; /* it was an expectation, and a tick has met it */
		if (is_expectation(verb))
			fail_msg("'%s' didn't happen", line);
		player.line++;
		if (strcmp(verb, "end") != 0)
			functions->input(half, time, verb, text);
		take_outputs(&player);
	}
}
