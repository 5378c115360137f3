/*
 * Commands and responses in parts at extended APDU level: wLevelParameter (CCID 1.1, 6.1.4) and
 * bChainParameter (6.2.1).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/commands.h"
#include "tests/card/pattern.h"
#include "tests/conformance/card.h"
#include "tests/conformance/suite.h"

#define SCRIPTED (NEED_CARD | NEED_EXTENDED | NEED_SCRIPTED)
#define LOCAL (NEED_CARD | NEED_EXTENDED)

/*
 * 6.1.4: 1 begins, 3 continues, 2 ends; each but the last is answered by an empty block with 10h.
 */
static bool command_in_parts(struct tester *t)
{
	const size_t *part = t->argument;
	size_t size = card_apdu(card_buffer, COMMAND_SINK, 2000, 2000, 0);

	return tester_transmit_in_parts(t, card_buffer, size, *part) && card_pattern_came(t, 0);
}

/* Parts of all sizes, one byte and a full message of GnuPG's driver among them. */
static bool uneven_parts(struct tester *t)
{
	size_t sizes[] = { 1, 0, 2, 502, 54, 1, 300 };
	size_t size = card_apdu(card_buffer, COMMAND_SINK, 5000, 5000, 0), at = 0;

	t->message_max = TESTER_GNUPG_MAX;
	sizes[1] = tester_part_max(t);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (!tester_ask_part(t, i == 0 ? LEVEL_BEGINS : LEVEL_CONTINUES, card_buffer + at,
			    sizes[i]) ||
			!tester_expect(t, ICC_ACTIVE, 0) ||
			!tester_check(t, t->answer.specific == CHAIN_EMPTY && t->answer.size == 0,
				"bChainParameter %02X", t->answer.specific))
			return false;
		at += sizes[i];
	}
	while (size - at > tester_part_max(t)) {
		if (!tester_ask_part(t, LEVEL_CONTINUES, card_buffer + at, tester_part_max(t)))
			return false;
		at += tester_part_max(t);
	}
	return tester_ask_part(t, LEVEL_ENDS, card_buffer + at, size - at) && tester_collect(t) &&
		card_pattern_came(t, 0);
}

/* 6.1.4: up to 65544 bytes; the test's card takes 65535. */
static bool long_commands(struct tester *t)
{
	static const size_t sizes[] = { 2048, 2055, 2056, 4096, 4110, 16384, 32768, 65000,
		CARD_SINK_MAX };
	const size_t *message_max = t->argument;

	t->message_max = *message_max;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (!card_sink(t, sizes[i]))
			return false;
	}
	return true;
}

/* A driver that reads messages of any length has no response in parts that fits into one. */
static bool came_whole(struct tester *t)
{
	return tester_check(t, t->message_max > 0 || t->response_size > tester_part_max(t) ||
			t->answer.specific == CHAIN_WHOLE,
		"%zu bytes in parts, which one message could have had", t->response_size);
}

/* 6.2.1: bChainParameter 1, 3, 2, and level 10h to go on; up to 65538 bytes, the card has 65535. */
static bool long_responses(struct tester *t)
{
	static const size_t sizes[] = { 2045, 2053, 2054, 2055, 2056, 4094, 4108, 4109, 16384,
		32768, 65000, CARD_SOURCE_MAX };
	const size_t *message_max = t->argument;

	t->message_max = *message_max;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (!card_source(t, sizes[i]) || !came_whole(t))
			return false;
	}
	return true;
}

static bool both_long(struct tester *t)
{
	const size_t *message_max = t->argument;

	t->message_max = *message_max;
	return card_both(t, 60000, 60000) && came_whole(t);
}

/* OpenCT, OpenKeychain and libccid at short APDU level take a short response as one message. */
static bool short_response_is_whole(struct tester *t)
{
	for (size_t n = 0; n <= 256; n++) {
		size_t size = card_apdu(card_buffer, COMMAND_SOURCE, n, 0, n == 0 ? 256 : n);

		if (!tester_ask_part(t, LEVEL_WHOLE, card_buffer, size) ||
			!tester_check(t, t->answer.specific == CHAIN_WHOLE,
				"bChainParameter %02X for %zu bytes", t->answer.specific, n) ||
			!tester_collect(t) || !card_pattern_came(t, n))
			return false;
	}
	return true;
}

/* Table 6.2-2: a part that continues nothing fails with the offset of wLevelParameter. */
static bool part_of_nothing(struct tester *t)
{
	const unsigned int *level = t->argument;

	return tester_ask_part(t, *level, card_select,
		*level == LEVEL_MORE ? 0 : CARD_SELECT_SIZE) &&
		tester_expect(t, FAILED | ICC_ACTIVE, WRONG_LEVEL) && card_select_works(t);
}

/* A wrong part ends the chain: what came before it is forgotten, and does not reach the card. */
static bool chain_broken(struct tester *t)
{
	return tester_ask_part(t, LEVEL_BEGINS, card_select, 5) &&
		tester_expect(t, ICC_ACTIVE, 0) &&
		tester_ask_part(t, LEVEL_MORE, NULL, 0) &&
		tester_expect(t, FAILED | ICC_ACTIVE, WRONG_LEVEL) &&
		tester_ask_part(t, LEVEL_ENDS, card_select + 5, CARD_SELECT_SIZE - 5) &&
		tester_expect(t, FAILED | ICC_ACTIVE, WRONG_LEVEL) && card_select_works(t);
}

/* A driver that gave up in mid-chain begins anew. */
static bool chain_begins_again(struct tester *t)
{
	size_t size = card_apdu(card_buffer, COMMAND_SINK, 200, 200, 0);

	return tester_ask_part(t, LEVEL_BEGINS, card_select, CARD_SELECT_SIZE) &&
		tester_expect(t, ICC_ACTIVE, 0) &&
		tester_transmit_in_parts(t, card_buffer, size, 100) && card_pattern_came(t, 0) &&
		tester_ask_part(t, LEVEL_BEGINS, card_select, CARD_SELECT_SIZE) &&
		tester_expect(t, ICC_ACTIVE, 0) && tester_transmit(t, card_buffer, size) &&
		card_pattern_came(t, 0);
}

/* IccPowerOn, IccPowerOff: nothing of a chain outlives them. */
static bool chain_ends_with_power(struct tester *t)
{
	return tester_ask_part(t, LEVEL_BEGINS, card_select, 5) &&
		tester_expect(t, ICC_ACTIVE, 0) &&
		tester_power_on(t) &&
		tester_ask_part(t, LEVEL_ENDS, card_select + 5, CARD_SELECT_SIZE - 5) &&
		tester_expect(t, FAILED | ICC_ACTIVE, WRONG_LEVEL) &&
		tester_ask_part(t, LEVEL_BEGINS, card_select, 5) &&
		tester_expect(t, ICC_ACTIVE, 0) &&
		tester_power_off(t) && tester_power_on(t) &&
		tester_ask_part(t, LEVEL_ENDS, card_select + 5, CARD_SELECT_SIZE - 5) &&
		tester_expect(t, FAILED | ICC_ACTIVE, WRONG_LEVEL) && card_select_works(t);
}

/* The first part of a response of 5000 bytes is here. */
static bool response_begins(struct tester *t)
{
	size_t size = card_apdu(card_buffer, COMMAND_SOURCE, 5000, 0, 5000);

	t->message_max = TESTER_GNUPG_MAX;
	return tester_ask_part(t, LEVEL_WHOLE, card_buffer, size) &&
		tester_expect(t, ICC_ACTIVE, 0) &&
		tester_check(t, t->answer.specific == CHAIN_BEGINS, "bChainParameter %02X",
			t->answer.specific);
}

/* A new command gives up what is left of a response. */
static bool response_given_up(struct tester *t)
{
	return response_begins(t) && card_source(t, 10) &&
		tester_ask_part(t, LEVEL_MORE, NULL, 0) &&
		tester_expect(t, FAILED | ICC_ACTIVE, WRONG_LEVEL) && response_begins(t) &&
		tester_power_on(t) && tester_ask_part(t, LEVEL_MORE, NULL, 0) &&
		tester_expect(t, FAILED | ICC_ACTIVE, WRONG_LEVEL);
}

/* After the last part there is no more. */
static bool response_over(struct tester *t)
{
	return card_source(t, 5000) && tester_ask_part(t, LEVEL_MORE, NULL, 0) &&
		tester_expect(t, FAILED | ICC_ACTIVE, WRONG_LEVEL) && card_source(t, 20);
}

/* Level 10h brings no data. */
static bool more_with_data(struct tester *t)
{
	return response_begins(t) &&
		tester_ask_part(t, LEVEL_MORE, card_select, CARD_SELECT_SIZE) &&
		tester_expect_failed(t, ANY_ERROR) && card_source(t, 20);
}

/* Sends parts of zeros until so many bytes are there; the last one's answer is t->answer. */
static bool send_zeros(struct tester *t, size_t size)
{
	static const uint8_t zeros[TESTER_BUFFER];
	size_t part, at;

	t->message_max = TESTER_GNUPG_MAX;
	part = tester_part_max(t);
	for (at = 0; size - at > part; at += part) {
		if (!tester_ask_part(t, at == 0 ? LEVEL_BEGINS : LEVEL_CONTINUES, zeros, part))
			return false;
		if ((t->answer.status & COMMAND_MASK) == FAILED)
			return true;
	}
	return tester_ask_part(t, LEVEL_ENDS, zeros, size - at);
}

/* 6.1.4: no APDU has more than 65544 bytes; a chain that does fails, and the reader goes on. */
static bool command_too_long(struct tester *t)
{
	return send_zeros(t, CCID_APDU_MAX + 1) && tester_expect_failed(t, ANY_ERROR) &&
		card_select_works(t) && send_zeros(t, 200000) &&
		tester_expect_failed(t, ANY_ERROR) &&
		card_select_works(t);
}

/* A time extension may stand before any part's answer. */
static bool slow_chain(struct tester *t)
{
	size_t size = card_apdu(card_buffer, COMMAND_WORK, 1500, 3000, 3000);

	return tester_transmit(t, card_buffer, size) && card_pattern_came(t, 3000);
}

static const size_t short_messages = TESTER_GNUPG_MAX, long_messages = 0;
static const size_t part_of_100 = 100, part_of_502 = 502, part_of_1014 = 1014, part_of_1 = 1;
static const unsigned int level_ends = LEVEL_ENDS, level_continues = LEVEL_CONTINUES,
			  level_more = LEVEL_MORE, level_4 = 4, level_11 = 0x11,
			  level_100 = 0x0100, level_all = 0xFFFF;

const struct suite_case chaining_cases[] = {
	{ "6.1.4", "a command in parts of 100 bytes", SCRIPTED, START_ACTIVE, command_in_parts,
		&part_of_100 },
	{ "6.1.4", "a command in parts of 502 bytes: whole packets at high speed", SCRIPTED,
		START_ACTIVE, command_in_parts, &part_of_502 },
	{ "6.1.4", "a command in parts of 1,014 bytes: two packets each", SCRIPTED, START_ACTIVE,
		command_in_parts, &part_of_1014 },
	{ "6.1.4", "a command in parts of 1 byte", SCRIPTED, START_ACTIVE, command_in_parts,
		&part_of_1 },
	{ "6.1.4", "a command in uneven parts", SCRIPTED, START_ACTIVE, uneven_parts, NULL },
	{ "6.1.4", "commands up to 65,535 bytes in full parts", SCRIPTED, START_ACTIVE,
		long_commands, &short_messages },
	{ "6.1.4", "commands up to 65,535 bytes in messages of that length", SCRIPTED, START_ACTIVE,
		long_commands, &long_messages },
	{ "6.2.1", "responses up to 65,535 bytes in full parts", SCRIPTED, START_ACTIVE,
		long_responses, &short_messages },
	{ "6.2.1", "responses up to 65,535 bytes in messages of that length", SCRIPTED, START_ACTIVE,
		long_responses, &long_messages },
	{ "6.2.1", "60,000 bytes both ways in full parts", SCRIPTED, START_ACTIVE, both_long,
		&short_messages },
	{ "6.2.1", "60,000 bytes both ways in messages of that length", SCRIPTED, START_ACTIVE,
		both_long, &long_messages },
	{ "6.2.1", "a time extension in a chain", SCRIPTED, START_ACTIVE, slow_chain, NULL },
	{ "drivers", "a short response is never split: 0 to 256 bytes", NEED_CARD | NEED_SCRIPTED,
		START_ACTIVE, short_response_is_whole, NULL },
	{ "6.1.4", "wLevelParameter 2 without a beginning fails", LOCAL, START_ACTIVE,
		part_of_nothing, &level_ends },
	{ "6.1.4", "wLevelParameter 3 without a beginning fails", LOCAL, START_ACTIVE,
		part_of_nothing, &level_continues },
	{ "6.1.4", "wLevelParameter 10 without a response fails", LOCAL, START_ACTIVE,
		part_of_nothing, &level_more },
	{ "6.1.4", "wLevelParameter 4 fails", LOCAL, START_ACTIVE, part_of_nothing, &level_4 },
	{ "6.1.4", "wLevelParameter 11 fails", LOCAL, START_ACTIVE, part_of_nothing, &level_11 },
	{ "6.1.4", "wLevelParameter 0100 fails", LOCAL, START_ACTIVE, part_of_nothing, &level_100 },
	{ "6.1.4", "wLevelParameter FFFF fails", LOCAL, START_ACTIVE, part_of_nothing, &level_all },
	{ "6.1.4", "a wrong part ends the chain", LOCAL, START_ACTIVE, chain_broken, NULL },
	{ "6.1.4", "a chain that begins again", SCRIPTED, START_ACTIVE, chain_begins_again, NULL },
	{ "6.1.4", "a chain ends with IccPowerOn and IccPowerOff", LOCAL, START_ACTIVE,
		chain_ends_with_power, NULL },
	{ "6.1.4", "a command longer than 65,544 bytes fails", SCRIPTED, START_ACTIVE,
		command_too_long, NULL },
	{ "6.2.1", "a new command gives up the rest of a response", SCRIPTED, START_ACTIVE,
		response_given_up, NULL },
	{ "6.2.1", "after the last part there is no more", SCRIPTED, START_ACTIVE, response_over,
		NULL },
	{ "6.1.4", "wLevelParameter 10 with data fails", SCRIPTED, START_ACTIVE, more_with_data,
		NULL },
	{ .name = NULL },
};
