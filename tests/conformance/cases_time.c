/*
 * Commands that take long: time extensions, CCID 1.1, 6.2.6 (bmCommandStatus 2).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/conformance/card.h"
#include "tests/conformance/suite.h"

/* libccid waits as little as 1.1 s for a T=1 card. */
#define LONGEST_SILENCE 1000

#define SCRIPTED (NEED_CARD | NEED_APDU | NEED_SCRIPTED)

/*
 * tester_await() has seen to it that each had the command's bSeq and type and no data; bStatus has
 * to be 80h and not 81h or 82h, because the card is active.
 */
static bool extensions(struct tester *t)
{
	const unsigned int *ms = t->argument;

	return card_start_work(t, *ms) && card_worked(t) &&
		tester_check(t, t->took >= *ms, "an answer after %u ms", t->took) &&
		tester_check(t, t->extensions.count > 0, "no time extension in %u ms", *ms) &&
		tester_check(t, t->extensions.first <= LONGEST_SILENCE, "the first one after %u ms",
			t->extensions.first) &&
		tester_check(t, t->extensions.longest <= LONGEST_SILENCE, "%u ms of silence",
			t->extensions.longest);
}

/*
 * Table 6.2-3: bmICCStatus goes with it. bError is the multiplier of the waiting time: GnuPG's
 * driver takes FFh for a request to touch the card, libccid multiplies its timeout.
 */
static bool extension_is_exact(struct tester *t)
{
	if (!card_start_work(t, 1500) || !tester_receive(t, 1200) ||
		!tester_expect(t, TIME_EXTENSION | ICC_ACTIVE, ANY_ERROR) ||
		!tester_check(t, t->answer.seq == t->last.seq && t->answer.type == DATA_BLOCK,
			"type %02X bSeq %02X", t->answer.type, t->answer.seq) ||
		!tester_check(t, t->answer.error >= 1 && t->answer.error <= 50, "bError %02X",
			t->answer.error) ||
		!tester_check(t, t->answer.size == 0, "%zu bytes", t->answer.size))
		return false;
	return card_worked(t);
}

/* A command that is answered soon has none. */
static bool none_when_fast(struct tester *t)
{
	for (int i = 0; i < 20; i++) {
		if (!card_start_work(t, 10) || !card_worked(t) ||
			!tester_check(t, t->extensions.count == 0, "a time extension after %u ms",
				t->extensions.first))
			return false;
	}
	return true;
}

/* After the answer nothing comes any more, wherever it stood between two extensions. */
static bool none_afterwards(struct tester *t)
{
	for (unsigned int ms = 450; ms <= 1300; ms += 50) {
		if (!card_start_work(t, ms) || !card_worked(t) || !tester_quiet(t, 60))
			return false;
	}
	return tester_quiet(t, 1500);
}

/*
 * A driver that does not read for a while gets at most one extension of the past, and the answer.
 */
static bool unread(struct tester *t)
{
	if (!card_start_work(t, 3500))
		return false;
	transport_pause(3000);
	return card_worked(t) &&
		tester_check(t, t->extensions.count <= 3, "%zu extensions had piled up",
			t->extensions.count);
}

/* 6.1.3: the status is answered while a command runs, again and again, and the command goes on. */
static bool status_meanwhile(struct tester *t)
{
	if (!card_start_work(t, 2500))
		return false;
	tester_leave_running(t);
	for (int i = 0; i < 15; i++) {
		if (!tester_status_is(t, ICC_ACTIVE) ||
			!tester_check(t, t->took <= 300, "status after %u ms", t->took))
			return false;
		transport_pause(100);
	}
	return tester_await_running(t) && tester_collect(t) && card_pattern_came(t, 4);
}

static const unsigned int ms_3000 = 3000, ms_12000 = 12000;

const struct suite_case time_cases[] = {
	{ "6.2.6", "time extensions: each within 1 s, then one answer", SCRIPTED, START_ACTIVE,
		extensions, &ms_3000 },
	{ "6.2.6", "time extensions for 12 s", SCRIPTED, START_ACTIVE, extensions, &ms_12000 },
	{ "6.2.6", "a time extension: bStatus 80, bError 1 to 50, no data", SCRIPTED, START_ACTIVE,
		extension_is_exact, NULL },
	{ "6.2.6", "no time extension for a fast command", SCRIPTED, START_ACTIVE, none_when_fast,
		NULL },
	{ "6.2.6", "nothing after the answer, from 450 to 1,300 ms", SCRIPTED, START_ACTIVE,
		none_afterwards, NULL },
	{ "drivers", "time extensions that nobody reads don't pile up", SCRIPTED, START_ACTIVE,
		unread, NULL },
	{ "6.1.3", "GetSlotStatus at once while a command runs, fifteen times", SCRIPTED,
		START_ACTIVE, status_meanwhile, NULL },
	{ .name = NULL },
};
