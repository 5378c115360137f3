/*
 * Plays the tables of guard_player.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/bridge/guard_player.h"
#include "tests/unit/bridge/hex.h"

struct play play;

static uint16_t word(const char *text)
{
	return (uint16_t)strtoul(text, NULL, 16);
}

static const char *finish(struct pin_handle *handle, const struct pin_command *command,
	const char *end)
{
	int tries;

	if (strcmp(end, "lost") == 0)
		pin_guard_lost(handle, command);
	else if (strcmp(end, "unsent") == 0)
		pin_guard_unsent(handle, command);
	else if (strcmp(end, "flying") != 0)
		(void)pin_guard_answered(handle, command, word(end), &tries);
	return end;
}

/* The guard's questions, up to its verdict. Returns NULL, or what is wrong. */
static const char *question(struct pin_handle *handle, const struct pin_command *command,
	const char **asks, enum pin_verdict *verdict)
{
	uint8_t apdu[PIN_QUESTION_SIZE];
	struct pin_command asked;

	while ((*verdict = pin_guard_judge(handle, command)) == PIN_ASK) {
		if (**asks == '\0')
			return "a question that isn't expected";
		pin_guard_question(command, apdu, &asked);
		if (!asked.query || asked.reference != command->reference ||
		    asked.channel != command->channel)
			return "a wrong question";
		pin_guard_asked(handle, command, word(*asks));
		*asks += strcspn(*asks, " ");
		*asks += strspn(*asks, " ");
	}
	return **asks == '\0' ? NULL : "a question is missing";
}

static const char *transmit(unsigned int guest, const struct step *step)
{
	struct pin_handle *handle = &play.handles[guest];
	bool pad = strncmp(step->command, "pad ", 4) == 0;
	struct pin_command command;
	enum pin_verdict verdict;
	const char *asks = step->asks, *wrong;
	uint8_t apdu[64];
	struct payload_view view = hex_bytes(pad ? &step->command[4] : step->command, apdu);

	if (pad)
		pin_command_read_secure(view, &command);
	else
		pin_command_read(view, &command);
	wrong = question(handle, &command, &asks, &verdict);
	if (wrong != NULL)
		return wrong;
	if (verdict == PIN_REFUSE) {
		pin_guard_refused(handle);
		return strcmp(step->end, "refused") == 0 ? NULL : "refused";
	}
	if (strcmp(step->end, "refused") == 0)
		return "not refused";
	pin_guard_sent(handle, &command);
	play.flying[guest] = command;
	(void)finish(handle, &command, step->end);
	if (command.kind == PIN_NONE)
		pin_guard_other(handle, view);
	return NULL;
}

static void restart(void)
{
	for (unsigned int i = 0; i < GUESTS; i++) {
		play.handles[i].card = NULL;
		play.handles[i].chained = false;
		pin_guard_close(&play.handles[i]);
	}
	pin_guard_recall(&play.guard);
}

const char *guard_step(const struct step *step)
{
	struct pin_handle *handle = &play.handles[step->guest];
	uint8_t atr[WIRE_ATR_MAX];

	if (strncmp(step->command, "open ", 5) == 0 || strncmp(step->command, "move ", 5) == 0) {
		if (step->command[0] == 'm')
			play.insertion++;
		pin_guard_open(&play.guard, handle, 7, play.insertion,
			hex_bytes(&step->command[5], atr));
		return NULL;
	}
	if (strcmp(step->command, "close") == 0)
		pin_guard_close(handle);
	else if (strcmp(step->command, "restart") == 0)
		restart();
	else if (strcmp(step->command, "back") == 0)
		(void)finish(handle, &play.flying[step->guest], step->end);
	else
		return transmit(step->guest, step);
	return NULL;
}

void guard_converse(const char *name, const unsigned int *keep, bool ask, const struct step *steps,
	size_t count)
{
	pin_guard_init(&play.guard);
	play.insertion = 1;
	for (unsigned int i = 0; i < GUESTS; i++) {
		play.handles[i] = PIN_HANDLE_CLOSED;
		play.handles[i].keep = keep[i];
		play.handles[i].ask = ask;
	}
	for (size_t i = 0; i < count; i++) {
		const char *wrong = guard_step(&steps[i]);

		if (wrong != NULL)
			fail_msg("%s, row %zu (guest %u, %s): %s", name, i + 1, steps[i].guest,
				steps[i].command, wrong);
	}
}
