/*
 * IccPowerOn, IccPowerOff and GetSlotStatus: CCID 1.1, 6.1.1 to 6.1.3.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <string.h>

#include "tests/conformance/card.h"
#include "tests/conformance/suite.h"

/*
 * What GnuPG's driver waits for GetSlotStatus; libccid waits 100 ms when it opens a reader, twice.
 */
#define AT_ONCE 200

/* 6.1.1, 6.2.1: a card that is powered on is active, and its ATR comes as the data, whole. */
static bool power_on(struct tester *t)
{
	struct atr_info info;

	return tester_power_on(t) && tester_status_is(t, ICC_ACTIVE) &&
		tester_check(t, t->scripted || atr_check(&t->atr, &info) == 0, "a malformed ATR");
}

/* 6.1.1: an active card is reset, and answers again with its ATR. */
static bool power_on_twice(struct tester *t)
{
	struct atr first;

	if (!tester_power_on(t))
		return false;
	first = t->atr;
	return tester_power_on(t) && tester_status_is(t, ICC_ACTIVE) &&
		tester_check(t, t->atr.size == first.size &&
			memcmp(t->atr.bytes, first.bytes, first.size) == 0, "another ATR") &&
		card_select_works(t);
}

/* The reset reaches the card, and not only the reader's idea of it. */
static bool resets_reach_the_card(struct tester *t)
{
	uint32_t before, warm, cold;

	return card_count_resets(t, &before) && tester_power_on(t) && card_count_resets(t, &warm) &&
		tester_check(t, warm > before, "IccPowerOn of an active card did not reset it") &&
		tester_power_off(t) && tester_power_on(t) && card_count_resets(t, &cold) &&
		tester_check(t, cold > warm, "IccPowerOff and IccPowerOn did not reset it");
}

/* No PIN state outlives IccPowerOff: the card forgets what it was to send with GET RESPONSE. */
static bool power_off_reaches_the_card(struct tester *t)
{
	static const uint8_t store[] = { 0x80, 0x18, 0x00, 0x10, 0x00 };
	static const uint8_t get_response[] = { 0x00, 0xC0, 0x00, 0x00, 0x10 };

	return tester_transmit(t, store, sizeof(store)) && tester_sw_is(t, 0x6110) &&
		tester_power_off(t) && tester_power_on(t) &&
		tester_transmit(t, get_response, sizeof(get_response)) && tester_sw_is(t, 0x6985);
}

/* 6.1.1: 0 is automatic, 1 to 3 are voltages; drivers use 0, 1 and 2 with any reader. */
static bool power_select(struct tester *t)
{
	for (uint8_t i = 0; i <= 3; i++) {
		const struct command command = { .type = ICC_POWER_ON, .specific = { i } };
		bool supported = i == 0 || (t->descriptor.bVoltageSupport & (1U << (i - 1))) != 0;

		if (!supported)
			continue;
		if (!tester_ask(t, &command) || !tester_expect(t, ICC_ACTIVE, 0) ||
			!tester_check(t, t->answer.size >= 2, "no ATR for bPowerSelect %u", i))
			return false;
	}
	return true;
}

/* 6.1.1, table 6.2-2: a bPowerSelect that does not exist fails with its offset. */
static bool power_select_unknown(struct tester *t)
{
	const struct command four = { .type = ICC_POWER_ON, .specific = { 4 } };
	const struct command all = { .type = ICC_POWER_ON, .specific = { 0xFF } };

	return tester_ask(t, &four) && tester_expect_failed(t, WRONG_PARAMETER) &&
		tester_ask(t, &all) && tester_expect_failed(t, WRONG_PARAMETER) &&
		tester_power_on(t);
}

/* 6.1.2: the card is inactive then. libccid 1.5 sends it twice. */
static bool power_off_twice(struct tester *t)
{
	return tester_power_off(t) && tester_expect(t, ICC_INACTIVE, 0) && tester_power_off(t) &&
		tester_expect(t, ICC_INACTIVE, 0) && tester_status_is(t, ICC_INACTIVE);
}

/* libccid closes a reader in mid-command with IccPowerOff; the command's answer never comes. */
static bool power_off_while_busy(struct tester *t)
{
	if (!card_start_work(t, 1500))
		return false;
	tester_leave_running(t);
	return tester_power_off(t) && tester_check(t, t->took < 500, "only after %u ms", t->took) &&
		tester_quiet(t, 2000) && tester_power_on(t) && card_select_works(t);
}

/* A driver that was killed in mid-command starts with this; busy is an answer, too. */
static bool power_on_while_busy(struct tester *t)
{
	const struct command on = { .type = ICC_POWER_ON };

	if (!card_start_work(t, 1500))
		return false;
	tester_leave_running(t);
	if (!tester_ask(t, &on))
		return false;
	if ((t->answer.status & COMMAND_MASK) == FAILED && t->answer.error == SLOT_BUSY)
		return tester_await_running(t) && tester_collect(t);
	return tester_expect(t, ICC_ACTIVE, 0) &&
		tester_check(t, t->answer.size >= 2, "no ATR") && tester_quiet(t, 1000) &&
		card_select_works(t);
}

/* Commands that no driver waits long for, and that need nobody but the reader. */
static bool at_once(struct tester *t)
{
	static const uint8_t types[] = { GET_SLOT_STATUS, GET_PARAMETERS, RESET_PARAMETERS,
		GET_SLOT_STATUS, ICC_POWER_OFF };
	unsigned int longest = 0;

	for (int round = 0; round < 10; round++) {
		if (!tester_power_on(t))
			return false;
		for (size_t i = 0; i < sizeof(types); i++) {
			if (!tester_ask(t, &(struct command){ .type = types[i] }))
				return false;
			if (t->took > longest)
				longest = t->took;
		}
	}
	return tester_check(t, longest <= AT_ONCE, "one took %u ms", longest);
}

/* libccid takes a time extension of IccPowerOn for an empty ATR; tester_await() has none pass. */
static bool power_on_in_time(struct tester *t)
{
	return tester_power_on(t) &&
		tester_check(t, t->took < TESTER_PATIENCE, "IccPowerOn took %u ms", t->took) &&
		tester_check(t, t->extensions.count == 0, "a time extension for IccPowerOn");
}

/* Power on and off, again and again, as an idle pcscd does. */
static bool power_cycles(struct tester *t)
{
	for (int i = 0; i < 20; i++) {
		if (!tester_power_on(t) || !card_select_works(t) || !tester_power_off(t) ||
			!tester_status_is(t, ICC_INACTIVE))
			return false;
	}
	return true;
}

/* 6.1: bSeq is the host's: any value, in any order, and the same one twice. */
static bool sequence_numbers(struct tester *t)
{
	for (unsigned int i = 0; i < 600; i++) {
		t->seq = (uint8_t)(i * 7 / 2);
		if (!tester_status(t))
			return false;
	}
	return true;
}

const struct suite_case power_cases[] = {
	{ "6.1.1", "IccPowerOn gives an ATR and an active card", NEED_CARD, START_INACTIVE,
		power_on, NULL },
	{ "6.1.1", "IccPowerOn of an active card is a reset", NEED_CARD, START_INACTIVE,
		power_on_twice, NULL },
	{ "6.1.1", "resets reach the card", NEED_CARD | NEED_SCRIPTED, START_ACTIVE,
		resets_reach_the_card, NULL },
	{ "6.1.1", "bPowerSelect 0 to 3", NEED_CARD, START_INACTIVE, power_select, NULL },
	{ "6.1.1", "bPowerSelect beyond 3 fails", NEED_CARD, START_INACTIVE, power_select_unknown,
		NULL },
	{ "6.1.1", "IccPowerOn while a command runs", NEED_CARD | NEED_SCRIPTED, START_ACTIVE,
		power_on_while_busy, NULL },
	{ "6.1.2", "IccPowerOff twice", NEED_CARD, START_ACTIVE, power_off_twice, NULL },
	{ "6.1.2", "IccPowerOff reaches the card", NEED_CARD | NEED_SCRIPTED, START_ACTIVE,
		power_off_reaches_the_card, NULL },
	{ "drivers", "IccPowerOff ends a command that runs, whose answer never comes",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, power_off_while_busy, NULL },
	{ "drivers", "status, parameters and IccPowerOff within 200 ms", NEED_CARD, START_INACTIVE,
		at_once, NULL },
	{ "drivers", "IccPowerOn within 5 s, without time extension", NEED_CARD, START_INACTIVE,
		power_on_in_time, NULL },
	{ "drivers", "power on and off, twenty times", NEED_CARD, START_INACTIVE, power_cycles,
		NULL },
	{ "6.1", "bSeq of any value comes back", 0, START_ANY, sequence_numbers, NULL },
	{ .name = NULL },
};
