/*
 * The PIN guard: conversations as tables. In each row a guest sends a command, the card answers what the
 * guard asks, and then the command, unless the guard has refused it.
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

#include "host-bridge/pin_guard.h"

#define GUESTS 3

#define RIGHT "00 20 00 81 04 31323334"
#define WRONG RIGHT /* the guard can't tell them apart either */
#define ASK "00 20 00 81"
#define OTHER_PIN "00 20 00 82 04 31323334"
#define APPLICATION_1 "00 A4 04 00 02 A001"
#define APPLICATION_2 "00 A4 04 00 02 A002"

/*
 * command: an APDU; "open ATR", "move ATR" (in another reader, or insertion), "close", "restart" (of the
 * bridge, with what the file holds); "back" is the end of what is in flight.
 * asks: the card's answers to the guard's questions, all of which have to be put.
 * end: the answer to the command; "refused", "lost", "unsent", or "flying" until it is "back".
 */
struct step {
	unsigned int guest;
	const char *command;
	const char *asks;
	const char *end;
};

struct play {
	struct pin_guard guard;
	struct pin_handle handles[GUESTS];
	struct pin_command flying[GUESTS];
	uint32_t insertion;
};

static struct play play;

static size_t hex(const char *text, uint8_t *bytes)
{
	size_t size = 0;
	unsigned int byte;
	int used;

	while (sscanf(text, " %2x%n", &byte, &used) == 1) {
		bytes[size++] = (uint8_t)byte;
		text += used;
	}
	return size;
}

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
	struct payload_view view = { apdu, hex(pad ? &step->command[4] : step->command, apdu) };

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

static const char *do_step(const struct step *step)
{
	struct pin_handle *handle = &play.handles[step->guest];
	uint8_t atr[WIRE_ATR_MAX];

	if (strncmp(step->command, "open ", 5) == 0 || strncmp(step->command, "move ", 5) == 0) {
		if (step->command[0] == 'm')
			play.insertion++;
		pin_guard_open(&play.guard, handle, 7, play.insertion,
			(struct payload_view){ atr, hex(&step->command[5], atr) });
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

static void converse(const char *name, const unsigned int *keep, bool ask, const struct step *steps,
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
		const char *wrong = do_step(&steps[i]);

		if (wrong != NULL)
			fail_msg("%s, row %zu (guest %u, %s): %s", name, i + 1, steps[i].guest,
				steps[i].command, wrong);
	}
}

#define KEEP(a, b, c) ((const unsigned int[GUESTS]){ a, b, c })
#define CONVERSE(name, keep, ask, steps) \
	converse(name, keep, ask, steps, sizeof(steps) / sizeof(steps)[0])

/* ---- cards that can be asked ---- */

static void test_asked(void **state)
{
	static const struct step steps[] = {
		{ 0, "open 3B01", "", "" },
		/* The first question is put twice, to see whether it counts. */
		{ 0, WRONG, "63C3 63C3", "63C2" },
		{ 0, WRONG, "63C2", "63C1" },
		{ 0, WRONG, "63C1", "refused" },
		{ 0, WRONG, "63C1", "refused" },
		{ 0, RIGHT, "63C1", "refused" },
		/* Somebody on the host has entered the right PIN: after the card's reset it says so. */
		{ 0, WRONG, "63C3", "63C2" },
		/* Somebody there has used a try, and then it is blocked. */
		{ 0, WRONG, "63C1", "refused" },
		{ 0, WRONG, "6983", "refused" },
		/* Another reference is another PIN. */
		{ 0, OTHER_PIN, "63C3", "9000" },
		/* "Verified" doesn't say how many are left; memory knows. */
		{ 0, OTHER_PIN, "9000", "9000" },
		{ 0, RIGHT, "9000", "refused" },
		/* The guest's own questions pass, whatever is left. */
		{ 0, ASK, "", "6983" },
		{ 0, ASK, "", "63C1" },
	};

	(void)state;
	CONVERSE("a card that says how many", KEEP(1, 0, 0), true, steps);
}

static void test_keep_more(void **state)
{
	static const struct step steps[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "63CA 63CA", "63C9" },
		{ 0, WRONG, "63C9", "63C8" },
		{ 0, WRONG, "63C8", "refused" },
	};
	static const struct step unknown[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "6A88", "refused" },
	};

	(void)state;
	CONVERSE("eight of ten", KEEP(8, 0, 0), true, steps);
	CONVERSE("of a card that doesn't say", KEEP(3, 0, 0), true, unknown);
}

/* A card of old: an empty VERIFY is a wrong PIN. The second question finds out, the last is never put. */
static void test_question_counts(void **state)
{
	static const struct step five[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, RIGHT, "63C4 63C3", "9000" },
		{ 0, WRONG, "", "63C4" },
		{ 0, WRONG, "", "63C3" },
		{ 0, ASK, "", "63C2" },
		{ 0, ASK, "", "63C1" },
		{ 0, ASK, "", "refused" },
		{ 0, WRONG, "", "refused" },
		{ 0, "close", "", "" },
		{ 0, "move 3B01", "", "" },
		{ 0, WRONG, "", "refused" },
	};
	static const struct step three[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, RIGHT, "63C2 63C1", "refused" },
		{ 0, ASK, "", "refused" },
	};
	static const struct step silent[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "6300", "6300" },
		{ 0, WRONG, "", "refused" },
		{ 0, OTHER_PIN, "6982", "6982" },
		{ 0, OTHER_PIN, "", "refused" },
		/* Each of them has used one for each question. */
		{ 0, WRONG, "", "refused" },
	};

	(void)state;
	CONVERSE("five tries", KEEP(1, 0, 0), true, five);
	CONVERSE("three tries", KEEP(1, 0, 0), true, three);
	CONVERSE("without a number", KEEP(1, 0, 0), true, silent);
}

/* As long as nobody knows, it is asked for the last tries once in each insertion. */
static void test_untried(void **state)
{
	static const struct step steps[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "63C1", "refused" },
		{ 0, WRONG, "", "refused" },
		{ 0, ASK, "", "refused" },
		{ 0, "close", "", "" },
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "refused" },
		{ 0, "close", "", "" },
		{ 0, "move 3B01", "", "" },
		{ 0, WRONG, "63C1", "refused" },
		{ 0, WRONG, "", "refused" },
		{ 0, "move 3B01", "", "" },
		{ 0, WRONG, "63C3 63C3", "63C2" },
		{ 0, WRONG, "63C2", "63C1" },
		{ 0, WRONG, "63C1", "refused" },
	};

	(void)state;
	CONVERSE("few tries from the beginning", KEEP(1, 0, 0), true, steps);
}

/* ---- cards that can't be asked ---- */

static void test_memory(void **state)
{
	static const struct step told[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "6A88", "63C2" },
		{ 0, RIGHT, "", "9000" },
		{ 0, WRONG, "", "63C2" },
		{ 0, WRONG, "", "63C1" },
		{ 0, WRONG, "", "refused" },
		{ 0, RIGHT, "", "refused" },
	};
	static const struct step silent[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "6982" },
		{ 0, RIGHT, "", "9000" },
		{ 0, WRONG, "", "6300" },
		{ 0, WRONG, "", "6F00" },
		{ 0, WRONG, "", "refused" },
		{ 0, ASK, "", "refused" },
	};
	static const struct step survives[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C2" },
		{ 0, "close", "", "" },
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C1" },
		{ 0, "close", "", "" },
		/* Pulled and put back, here or elsewhere, and another session, and another guest. */
		{ 0, "move 3B01", "", "" },
		{ 0, WRONG, "", "refused" },
		{ 1, "open 3B01", "", "" },
		{ 1, WRONG, "", "refused" },
		{ 0, "restart", "", "" },
		{ 1, "move 3B01", "", "" },
		{ 1, WRONG, "", "refused" },
		/* Another card. */
		{ 1, "move 3B02", "", "" },
		{ 1, WRONG, "", "63C2" },
	};
	static const struct step blocked[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "6983" },
		{ 0, WRONG, "", "refused" },
	};

	(void)state;
	CONVERSE("63Cx", KEEP(1, 0, 0), true, told);
	CONVERSE("no numbers", KEEP(1, 0, 0), false, silent);
	CONVERSE("memory", KEEP(1, 1, 0), false, survives);
	CONVERSE("blocked", KEEP(1, 0, 0), false, blocked);
}

/* What a card doesn't understand it doesn't count; but a wrong length or form it may. */
static void test_not_understood(void **state)
{
	static const struct step steps[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "6D00" },
		{ 0, WRONG, "", "6E00" },
		{ 0, WRONG, "", "6A86" },
		{ 0, WRONG, "", "6A88" },
		{ 0, WRONG, "", "6884" },
		{ 0, WRONG, "", "unsent" },
		{ 0, WRONG, "", "6700" },
		{ 0, WRONG, "", "6A80" },
		{ 0, WRONG, "", "refused" },
	};

	(void)state;
	CONVERSE("not understood", KEEP(1, 0, 0), false, steps);
}

static void test_lost(void **state)
{
	static const struct step memory[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "lost" },
		{ 0, WRONG, "", "lost" },
		{ 0, WRONG, "", "refused" },
	};
	static const struct step asked[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "63C3 63C3", "lost" },
		{ 0, WRONG, "63C3", "lost" },
		{ 0, WRONG, "63C2", "lost" },
		{ 0, WRONG, "63C1", "refused" },
	};
	static const struct step killed[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "flying" },
		{ 0, "restart", "", "" },
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "flying" },
		{ 0, "restart", "", "" },
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "refused" },
	};

	(void)state;
	CONVERSE("lost answers", KEEP(1, 0, 0), false, memory);
	CONVERSE("lost answers of a card that is asked", KEEP(1, 0, 0), true, asked);
	CONVERSE("the bridge is killed in flight", KEEP(1, 0, 0), false, killed);
}

/* ---- several guests ---- */

static void test_several(void **state)
{
	static const struct step shared[] = {
		{ 0, "open 3B01", "", "" },
		{ 1, "open 3B01", "", "" },
		{ 2, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C2" },
		{ 1, WRONG, "", "refused" },
		{ 0, WRONG, "", "63C1" },
		{ 0, WRONG, "", "refused" },
		/* No guard, and no question, but it is counted. */
		{ 2, RIGHT, "", "9000" },
		{ 0, WRONG, "", "63C2" },
		{ 2, WRONG, "", "63C1" },
		{ 0, WRONG, "", "refused" },
		{ 2, WRONG, "", "63C0" },
	};
	static const struct step flying[] = {
		{ 0, "open 3B01", "", "" },
		{ 1, "open 3B01", "", "" },
		{ 0, WRONG, "", "flying" },
		{ 1, WRONG, "", "flying" },
		{ 0, WRONG, "", "refused" },
		/* The answers cross: the higher one was first at the card. */
		{ 1, "back", "", "63C1" },
		{ 0, "back", "", "63C2" },
		{ 0, WRONG, "", "refused" },
	};
	static const struct step right[] = {
		{ 0, "open 3B01", "", "" },
		{ 1, "open 3B01", "", "" },
		{ 0, WRONG, "", "flying" },
		{ 1, RIGHT, "", "flying" },
		{ 0, "back", "", "63C1" },
		{ 1, "back", "", "9000" },
		{ 0, WRONG, "", "refused" },
	};
	static const struct step asked[] = {
		{ 0, "open 3B01", "", "" },
		{ 1, "open 3B01", "", "" },
		{ 0, WRONG, "63C2 63C2", "flying" },
		{ 1, WRONG, "63C2", "refused" },
		{ 1, WRONG, "63C1", "refused" },
		{ 0, "back", "", "63C1" },
		{ 1, WRONG, "63C1", "refused" },
	};

	(void)state;
	CONVERSE("what others use", KEEP(1, 2, 0), false, shared);
	CONVERSE("in flight", KEEP(1, 1, 0), false, flying);
	CONVERSE("the right one in flight", KEEP(1, 1, 0), false, right);
	CONVERSE("asked while one is in flight", KEEP(1, 1, 0), true, asked);
}

/* ---- commands ---- */

static void test_relatives(void **state)
{
	static const struct step change[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "00 24 00 81 04 31323334", "63C3 63C3", "63C2" },
		{ 0, "00 26 00 81 02 3132", "63C2", "63C1" },
		{ 0, "00 28 00 81 02 3132", "63C1", "refused" },
		{ 0, "00 21 00 81 02 3132", "63C1", "refused" },
		{ 0, "00 25 00 81 02 3132", "63C1", "refused" },
		{ 0, "00 20 00 81 08", "63C1", "refused" },
		{ 0, "00 20 00 81 000000", "63C1", "refused" },
		{ 0, "00 20 00", "", "refused" },
		{ 0, "00 C2 00 00 02 0020", "", "refused" },
		/* Another channel is another application, perhaps. */
		{ 0, "01 20 00 81 02 3132", "63C1", "refused" },
		{ 0, "42 20 00 81 02 3132", "63C1", "refused" },
		/* Nothing else is refused. */
		{ 0, "00 A4 04 00 02 A001", "", "9000" },
		{ 0, "00 2A 9E 9A 02 0102", "", "6982" },
		{ 0, "00 20", "", "refused" },
		{ 0, "00 B0 00 81 00", "", "9000" },
	};
	static const struct step code[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C1" },
		{ 0, WRONG, "", "refused" },
		/* Of a resetting code nobody can be asked; it has a counter of its own. */
		{ 0, "00 2C 00 81 04 31323334", "", "63C2" },
		{ 0, "00 2C 00 81 04 31323334", "", "9000" },
		/* It has given back the PIN's tries. */
		{ 0, WRONG, "", "63C2" },
		{ 0, "00 2C 00 81 04 31323334", "", "63C2" },
		{ 0, "00 2D 00 81 04 31323334", "", "63C1" },
		{ 0, "00 2C 00 81 04 31323334", "", "refused" },
		{ 0, "00 2C 02 81 04 31323334", "", "refused" },
	};
	static const struct step unproven[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C1" },
		{ 1, "open 3B01", "", "" },
		/* None of these holds a PIN that 9000 proves. */
		{ 1, "00 24 01 81 04 31323334", "", "9000" },
		{ 1, "00 20 FF 81 04 31323334", "", "9000" },
		{ 1, "00 28 01 81", "", "9000" },
		{ 1, "80 20 00 81 04 31323334", "", "9000" },
		{ 1, "00 20 00 81 000000", "", "9000" },
		{ 1, ASK, "", "9000" },
		{ 0, WRONG, "", "refused" },
		{ 1, RIGHT, "", "9000" },
		{ 0, WRONG, "", "63C1" },
	};

	(void)state;
	CONVERSE("relatives of VERIFY", KEEP(1, 0, 0), true, change);
	CONVERSE("resetting code", KEEP(1, 0, 0), false, code);
	CONVERSE("9000 that proves nothing", KEEP(1, 0, 0), false, unproven);
}

/* A card may not look at the class, and it may take the same instruction for something else. */
static void test_proprietary(void **state)
{
	static const struct step lower[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "80 20 00 81 04 31323334", "", "63C2" },
		{ 0, "A0 20 00 81 04 31323334", "", "lost" },
		{ 0, WRONG, "63C1", "refused" },
		{ 0, "FF 20 00 81 04 31323334", "", "refused" },
		{ 0, "80 20 00 81", "", "refused" },
	};
	static const struct step own[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "A0 20 00 01 04 31323334", "", "9804" },
		{ 0, "A0 20 00 01 04 31323334", "", "9000" },
		{ 0, "A0 20 00 01 04 31323334", "", "9804" },
		{ 0, "A0 20 00 01 04 31323334", "", "9804" },
		{ 0, "A0 20 00 01 04 31323334", "", "refused" },
		{ 0, "00 20 00 01 04 31323334", "", "refused" },
	};

	(void)state;
	CONVERSE("the class is ignored", KEEP(1, 0, 0), true, lower);
	CONVERSE("a SIM", KEEP(1, 0, 0), false, own);
}

static void test_chains(void **state)
{
	static const struct step chain[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "10 20 00 81 02 3132", "63C3 63C3", "9000" },
		{ 0, "10 20 00 81 02 3132", "", "9000" },
		{ 0, "00 20 00 81 02 3132", "", "63C2" },
		{ 0, "10 20 00 81 02 3132", "63C2", "9000" },
		/* Others see the try as used, while it is not ended. */
		{ 1, "open 3B01", "", "" },
		{ 1, WRONG, "63C2", "refused" },
		{ 0, "00 20 00 81 02 3132", "", "63C1" },
		{ 0, "10 20 00 81 02 3132", "63C1", "refused" },
		{ 0, "00 20 00 81 02 3132", "63C1", "refused" },
	};
	static const struct step broken[] = {
		{ 0, "open 3B01", "", "" },
		/* 9000 to a part proves nothing; a chain that isn't ended has used its try. */
		{ 0, "10 20 00 81 02 3132", "", "9000" },
		{ 0, "00 B0 00 00 00", "", "6982" },
		{ 0, "10 20 00 81 02 3132", "", "9000" },
		{ 0, "00 20 00 82 02 3132", "", "63C2" },
		{ 0, "10 20 00 81 02 3132", "", "refused" },
		{ 0, "00 20 00 81 02 3132", "", "refused" },
	};
	static const struct step ignored[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "10 20 00 81 02 3132", "", "63C2" },
		{ 0, "10 20 00 81 02 3132", "", "63C1" },
		{ 0, "10 20 00 81 02 3132", "", "refused" },
	};
	static const struct step envelope[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "00 C2 00 00 09 0020008104 31323334", "", "9000" },
		{ 0, "00 C2 00 00 09 0020008104 31323334", "", "9000" },
		{ 0, "00 C2 00 00 09 0020008104 31323334", "", "refused" },
	};

	(void)state;
	CONVERSE("a chain", KEEP(1, 1, 0), true, chain);
	CONVERSE("a broken chain", KEEP(1, 0, 0), false, broken);
	CONVERSE("the chain's bit is ignored", KEEP(1, 0, 0), false, ignored);
	CONVERSE("envelopes", KEEP(1, 0, 0), true, envelope);
}

/* Within secure messaging nothing is asked, and 9000 lowers nothing and raises nothing. */
static void test_secured(void **state)
{
	static const struct step steps[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, "0C 20 00 81 02 3132", "", "9000" },
		{ 0, "0C 20 00 81 02 3132", "", "63C2" },
		{ 0, "0C 20 00 81 02 3132", "", "9000" },
		{ 0, "0C 20 00 81 02 3132", "", "63C1" },
		{ 0, "0C 20 00 81 02 3132", "", "refused" },
		{ 0, "60 20 00 81 02 3132", "", "refused" },
		/* Without a status that says so, the right PIN is not believed. */
		{ 0, "0C 20 00 82 02 3132", "", "0000" },
		{ 0, "0C 20 00 82 02 3132", "", "0000" },
		{ 0, "0C 20 00 82 02 3132", "", "refused" },
	};

	(void)state;
	CONVERSE("secure messaging", KEEP(1, 0, 0), true, steps);
}

#define PAD(apdu) "pad 00 1E 82 48 03 0804 02 01 0904 05 000000 " apdu

static void test_pin_pad(void **state)
{
	static const struct step asked[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, PAD("00200081 08 FFFFFFFFFFFFFFFF"), "63C3 63C3", "63C2" },
		{ 0, PAD("00200081"), "63C2", "6401" },
		{ 0, PAD("00200081"), "63C2", "63C1" },
		{ 0, PAD("00200081"), "63C1", "refused" },
	};
	static const struct step memory[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, PAD("00200081"), "", "6400" },
		{ 0, PAD("00200081"), "", "6401" },
		{ 0, PAD("00200081"), "", "6403" },
		{ 0, PAD("00DA0081"), "", "lost" },
		{ 0, PAD("00200081"), "", "63C1" },
		{ 0, WRONG, "", "refused" },
		{ 0, PAD("00DA0081"), "", "refused" },
		{ 0, "pad 04", "", "refused" },
		/* From the card itself, the same words say nothing. */
		{ 0, OTHER_PIN, "", "6400" },
		{ 0, OTHER_PIN, "", "6401" },
		{ 0, OTHER_PIN, "", "refused" },
	};

	(void)state;
	CONVERSE("a PIN pad", KEEP(1, 0, 0), true, asked);
	CONVERSE("a PIN pad, from memory", KEEP(1, 0, 0), false, memory);
}

/* ---- applications and cards ---- */

static void test_applications(void **state)
{
	static const struct step asked[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, WRONG, "63C3 63C3", "63C2" },
		{ 0, WRONG, "63C2", "63C1" },
		{ 0, APPLICATION_2, "", "9000" },
		{ 0, RIGHT, "63C9", "9000" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, WRONG, "63C1", "refused" },
	};
	static const struct step memory[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, WRONG, "", "63C2" },
		{ 0, APPLICATION_2, "", "9000" },
		/* The other application's PIN is known to be right, and to have nine tries. */
		{ 0, RIGHT, "", "9000" },
		{ 0, WRONG, "", "63C8" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, WRONG, "", "63C1" },
		{ 0, WRONG, "", "refused" },
		{ 0, APPLICATION_2, "", "9000" },
		{ 0, RIGHT, "", "refused" },
	};
	/* Tries that were used in one may be given back there, and no more than these. */
	static const struct step silent[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, WRONG, "", "6982" },
		{ 0, APPLICATION_2, "", "9000" },
		{ 0, WRONG, "", "6982" },
		{ 1, "open 3B01", "", "" },
		{ 1, APPLICATION_2, "", "9000" },
		{ 1, RIGHT, "", "9000" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, WRONG, "", "6982" },
		{ 0, WRONG, "", "refused" },
	};
	static const struct step channels[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, APPLICATION_1, "", "9000" },
		{ 0, "01 A4 04 00 02 A002", "", "9000" },
		{ 0, WRONG, "", "63C2" },
		{ 0, "01 20 00 81 04 31323334", "", "9000" },
		{ 0, WRONG, "", "63C1" },
		{ 0, WRONG, "", "refused" },
	};

	(void)state;
	CONVERSE("two applications", KEEP(1, 0, 0), true, asked);
	CONVERSE("two, from memory", KEEP(1, 0, 0), false, memory);
	CONVERSE("two that don't say", KEEP(1, 0, 0), false, silent);
	CONVERSE("two channels", KEEP(1, 0, 0), false, channels);
}

static void test_cards(void **state)
{
	static const struct step atrs[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C1" },
		{ 0, "close", "", "" },
		/* The warm ATR of the same card, in the same insertion. */
		{ 0, "open 3B0201", "", "" },
		{ 0, WRONG, "", "refused" },
		{ 0, "close", "", "" },
		{ 0, "move 3B0201", "", "" },
		{ 0, WRONG, "", "refused" },
	};
	static const struct step closed[] = {
		{ 0, WRONG, "", "refused" },
		{ 0, "00 A4 04 00", "", "6A82" },
		{ 2, WRONG, "", "63C2" },
	};

	(void)state;
	CONVERSE("two ATRs", KEEP(1, 0, 0), false, atrs);
	CONVERSE("a card of which nothing can be remembered", KEEP(1, 0, 0), true, closed);
}

/* Who is open is not forgotten, and of the others those that were opened longest ago. */
static void test_forgetting(void **state)
{
	struct pin_handle handle = PIN_HANDLE_CLOSED, other = PIN_HANDLE_CLOSED;
	static const struct step first[] = {
		{ 0, "open 3B01", "", "" },
		{ 0, WRONG, "", "63C1" },
	};
	static const struct step again[] = {
		{ 0, WRONG, "", "refused" },
	};
	uint8_t atr[3] = { 0x3B, 0xFF, 0 };

	(void)state;
	CONVERSE("remembered", KEEP(1, 0, 0), false, first);
	for (unsigned int i = 0; i < 3 * PIN_GUARD_CARDS; i++) {
		atr[2] = (uint8_t)i;
		pin_guard_open(&play.guard, &handle, 9, i, (struct payload_view){ atr, sizeof atr });
		assert_non_null(handle.card);
	}
	pin_guard_close(&handle);
	assert_null(do_step(&again[0]));
	/* The two that were opened last are there; the place of one of the others was taken. */
	pin_guard_open(&play.guard, &handle, 9, 0, (struct payload_view){ atr, sizeof atr });
	atr[2]--;
	pin_guard_open(&play.guard, &other, 9, 1, (struct payload_view){ atr, sizeof atr });
	assert_true(handle.card != other.card);
	assert_true(handle.card->opened > 3 * PIN_GUARD_CARDS);
}

/* A file may hold anything. */
static void test_recall(void **state)
{
	uint8_t *bytes = (uint8_t *)&play.guard;
	struct pin_command command;
	uint8_t apdu[16];
	const struct payload_view view = { apdu, hex(WRONG, apdu) };
	struct pin_handle handle = PIN_HANDLE_CLOSED;

	(void)state;
	handle.keep = 1;
	pin_command_read(view, &command);
	for (unsigned int round = 0; round < 20; round++) {
		srand(round);
		for (size_t i = 0; i < sizeof play.guard; i++)
			bytes[i] = (uint8_t)(rand() >> 7);
		pin_guard_recall(&play.guard);
		pin_guard_open(&play.guard, &handle, 1, 1, view);
		assert_int_not_equal(pin_guard_judge(&handle, &command), PIN_ASK);
		pin_guard_close(&handle);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_keep_more),
		cmocka_unit_test(test_question_counts),
		cmocka_unit_test(test_untried),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_not_understood),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_relatives),
		cmocka_unit_test(test_proprietary),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_secured),
		cmocka_unit_test(test_pin_pad),
		cmocka_unit_test(test_applications),
		cmocka_unit_test(test_cards),
		cmocka_unit_test(test_forgetting),
		cmocka_unit_test(test_recall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
