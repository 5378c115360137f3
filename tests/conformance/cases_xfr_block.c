/*
 * XfrBlock in one message: CCID 1.1, 6.1.4 and 6.2.1.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/commands.h"
#include "tests/conformance/card.h"
#include "tests/conformance/suite.h"

/* 6.1.4: the response is at least SW1 SW2, in one part if it fits into one. */
static bool one_apdu(struct tester *t)
{
	return tester_ask_part(t, LEVEL_WHOLE, card_select, CARD_SELECT_SIZE) &&
		tester_expect(t, ICC_ACTIVE, 0) &&
		tester_check(t, t->answer.size >= 2, "a response of %zu bytes", t->answer.size) &&
		tester_check(t, t->answer.specific == CHAIN_WHOLE, "bChainParameter %02X",
			t->answer.specific);
}

/* One answer per command, for as many commands as bSeq has values and more. */
static bool many_apdus(struct tester *t)
{
	for (int i = 0; i < 300; i++) {
		if (!card_select_works(t))
			return false;
	}
	return true;
}

/* 6.1.4: bBWI only concerns character and TPDU level. */
static bool block_waiting_time(struct tester *t)
{
	return tester_ask(t, &(struct command){ .type = XFR_BLOCK, .specific = { 9 },
			.data = card_select, .size = CARD_SELECT_SIZE }) &&
		tester_collect(t);
}

/* 6.1.4: there is no APDU without bytes. */
static bool empty(struct tester *t)
{
	return tester_ask_part(t, LEVEL_WHOLE, NULL, 0) && tester_expect_failed(t, ANY_ERROR) &&
		card_select_works(t);
}

/*
 * The status words and the data are the card's, whatever they are: nothing is fetched or repeated.
 */
static bool status_words(struct tester *t)
{
	static const unsigned int words[] = { 0x9000, 0x6100, 0x6110, 0x6C10, 0x6700, 0x6282,
		0x63C2, 0x6A82, 0x6F00, 0x6400, 0x6401, 0x0000, 0xFFFF, 0x6000 };
	uint32_t before, after;

	if (!card_count(t, &before))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const uint8_t apdu[] = { 0x80, 0x26, (uint8_t)(words[i] >> 8),
			(uint8_t)(words[i] & 0xFF), 0x01, 0xAA, 0x00 };

		if (!tester_transmit(t, apdu, sizeof(apdu)) || !tester_sw_is(t, words[i]) ||
			!tester_check(t, t->response_size == 3 && t->response[0] == 0xAA,
				"%zu bytes with SW %04X", t->response_size, words[i]))
			return false;
	}
	return card_count(t, &after) &&
		tester_check(t, after - before == sizeof(words) / sizeof(words[0]) + 1,
			"%u APDUs at the card for %zu", after - before,
			sizeof(words) / sizeof(words[0]) + 1);
}

/* More bytes than Le, fewer than Le: the reader does not cut and does not ask again. */
static bool length_expected(struct tester *t)
{
	static const uint8_t more[] = { 0x80, 0x10, 0x00, 0x80, 0x10 };
	static const uint8_t fewer[] = { 0x80, 0x10, 0x00, 0x08, 0x40 };
	static const uint8_t none[] = { 0x80, 0x10, 0x00, 0x20 };

	return tester_transmit(t, more, sizeof(more)) && card_pattern_came(t, 128) &&
		tester_transmit(t, fewer, sizeof(fewer)) && card_pattern_came(t, 8) &&
		tester_transmit(t, none, sizeof(none)) && card_pattern_came(t, 32);
}

/* Class byte FF is for readers' pseudo-APDUs; one that has none passes it on. */
static bool pseudo_apdu(struct tester *t)
{
	static const uint8_t uid[] = { 0xFF, 0xCA, 0x00, 0x00, 0x00 };

	return tester_transmit(t, uid, sizeof(uid)) && tester_sw_is(t, 0x9000) &&
		tester_check(t, t->response_size == 9, "%zu bytes", t->response_size);
}

/* What is no APDU is the card's to refuse. */
static bool malformed_apdu(struct tester *t)
{
	static const uint8_t apdu[] = { 0x80, 0x14, 0x00, 0x00, 0x08, 0x01 };

	return tester_transmit(t, apdu, sizeof(apdu)) && tester_sw_is(t, 0x6700);
}

/*
 * An APDU runs at most once: what is refused as malformed or out of order does not reach the card,
 * and what is answered reached it once.
 */
static bool at_most_once(struct tester *t)
{
	uint32_t before, after;

	return card_count(t, &before) &&
		tester_ask(t, &(struct command){ .type = XFR_BLOCK, .data = card_select,
			.size = CARD_SELECT_SIZE, .lie = true,
			.dwLength = CARD_SELECT_SIZE + 3 }) &&
		tester_expect_failed(t, WRONG_LENGTH) &&
		tester_ask_part(t, LEVEL_ENDS, card_select, CARD_SELECT_SIZE) &&
		tester_expect_failed(t, WRONG_LEVEL) &&
		tester_ask_part(t, 0x0007, card_select, CARD_SELECT_SIZE) &&
		tester_expect_failed(t, WRONG_LEVEL) &&
		tester_ask(t, &(struct command){ .type = XFR_BLOCK, .slot = 1, .data = card_select,
			.size = CARD_SELECT_SIZE }) &&
		tester_expect_failed(t, WRONG_SLOT) && card_select_works(t) &&
		card_count(t, &after) &&
		tester_check(t, after - before == 2, "%u APDUs at the card for 2", after - before);
}

/* The card is pulled: NOT a success without bytes, but absent and mute. */
static bool card_leaves_in_mid_command(struct tester *t)
{
	if (!card_send_leave(t, 700, 20) || !tester_await(t) || !tester_expect_failed(t, ANY_ERROR))
		return false;
	return tester_status_becomes(t, ICC_ABSENT, 2000) &&
		tester_ask_part(t, LEVEL_WHOLE, card_select, CARD_SELECT_SIZE) &&
		tester_expect(t, FAILED | ICC_ABSENT, ICC_MUTE) &&
		tester_status_becomes(t, ICC_INACTIVE, 8000) && tester_power_on(t) &&
		card_select_works(t);
}

/* A card that leaves and comes back in a moment is another card: it is not powered. */
static bool card_is_swapped(struct tester *t)
{
	return card_send_leave(t, 0, 8) && tester_await(t) && tester_expect_failed(t, ANY_ERROR) &&
		tester_status_becomes(t, ICC_ABSENT, 3000) &&
		tester_status_becomes(t, ICC_INACTIVE, 8000) &&
		tester_ask_part(t, LEVEL_WHOLE, card_select, CARD_SELECT_SIZE) &&
		tester_expect(t, FAILED | ICC_INACTIVE, ANY_ERROR) && tester_power_on(t) &&
		card_select_works(t);
}

/* An answer of n bytes that a driver does not read, since it gave up or is gone. */
struct unread {
	size_t n;
	unsigned int pause; /* ms between the next command and the first look at bulk IN */
};

static bool leave_unread(struct tester *t, size_t n)
{
	size_t size = card_apdu(card_buffer, COMMAND_SOURCE, n, 0, n);
	bool sent;

	/* An unread notification may keep the answer out of the controller's FIFO. */
	tester_drain_notifications(t);
	sent = tester_send_part(t, LEVEL_WHOLE, card_buffer, size);
	transport_pause(1000);
	return sent;
}

/*
 * libccid checks neither bSeq nor the type of an XfrBlock's answer: one that was not read must not
 * be there any more when the next command is answered.
 */
static bool unread_before_status(struct tester *t)
{
	const struct unread *unread = t->argument;

	for (int i = 0; i < 3; i++) {
		if (!leave_unread(t, unread->n) ||
			!tester_send(t, &(struct command){ .type = GET_SLOT_STATUS }))
			return false;
		transport_pause(unread->pause);
		if (!tester_await(t) || !tester_expect(t, ICC_ACTIVE, 0) || !card_source(t, 20))
			return false;
	}
	return true;
}

/* The same with another XfrBlock behind it, of a driver that begins with bSeq 0 again. */
static bool unread_before_xfr_block(struct tester *t)
{
	const struct unread *unread = t->argument;
	size_t size;

	t->seq = 0xFF;
	if (!leave_unread(t, unread->n))
		return false;
	t->seq = 0xFF;
	size = card_apdu(card_buffer, COMMAND_SOURCE, 33, 0, 33);
	if (!tester_send_part(t, LEVEL_WHOLE, card_buffer, size))
		return false;
	transport_pause(unread->pause);
	return tester_await(t) && tester_collect(t) && card_pattern_came(t, 33) &&
		tester_quiet(t, 200);
}

/* 64 bytes and less may be in a controller's FIFO, from where a device can't take them back. */
static const struct unread few = { 8, 0 }, few_later = { 8, 100 }, many = { 600, 0 },
			   many_later = { 600, 100 }, more = { 5000, 0 },
			   more_later = { 5000, 100 };

const struct suite_case xfr_block_cases[] = {
	{ "6.1.4", "XfrBlock: a command and its response", NEED_CARD | NEED_APDU, START_ACTIVE,
		one_apdu, NULL },
	{ "6.1.4", "XfrBlock: three hundred of them", NEED_CARD | NEED_APDU, START_ACTIVE,
		many_apdus, NULL },
	{ "6.1.4", "XfrBlock: bBWI is ignored at APDU level", NEED_CARD | NEED_APDU, START_ACTIVE,
		block_waiting_time, NULL },
	{ "6.1.4", "XfrBlock: without data it fails", NEED_CARD | NEED_APDU, START_ACTIVE, empty,
		NULL },
	{ "6.1.4", "XfrBlock: every status word is passed on, each APDU once",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, status_words, NULL },
	{ "6.1.4", "XfrBlock: neither cut to Le nor asked again", NEED_CARD | NEED_SCRIPTED,
		START_ACTIVE, length_expected, NULL },
	{ "6.1.4", "XfrBlock: class FF is passed on", NEED_CARD | NEED_SCRIPTED, START_ACTIVE,
		pseudo_apdu, NULL },
	{ "6.1.4", "XfrBlock: a malformed APDU is passed on", NEED_CARD | NEED_SCRIPTED,
		START_ACTIVE, malformed_apdu, NULL },
	{ "6.1.4", "XfrBlock: what was refused has not reached the card",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, at_most_once, NULL },
	{ "6.2.6", "XfrBlock: a card that is pulled is absent and mute", NEED_CARD | NEED_SCRIPTED,
		START_ACTIVE, card_leaves_in_mid_command, NULL },
	{ "drivers", "a card that was swapped is absent first, then not powered",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, card_is_swapped, NULL },
	{ "drivers", "an unread answer of 20 bytes is not GetSlotStatus's, read later",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, unread_before_status, &few_later },
	{ "drivers", "an unread answer of 20 bytes is not the next XfrBlock's, read later",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, unread_before_xfr_block, &few_later },
	{ "drivers", "an unread answer of 20 bytes is not GetSlotStatus's, read at once",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, unread_before_status, &few },
	{ "drivers", "an unread answer of 20 bytes is not the next XfrBlock's, read at once",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, unread_before_xfr_block, &few },
	{ "drivers", "an unread answer of 612 bytes is not GetSlotStatus's, read later",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, unread_before_status, &many_later },
	{ "drivers", "an unread answer of 612 bytes is not the next XfrBlock's, read later",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, unread_before_xfr_block, &many_later },
	{ "drivers", "an unread answer of 612 bytes is not GetSlotStatus's, read at once",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, unread_before_status, &many },
	{ "drivers", "an unread answer of 612 bytes is not the next XfrBlock's, read at once",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, unread_before_xfr_block, &many },
	{ "drivers", "an unread answer of 5,012 bytes is not GetSlotStatus's, read later",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, unread_before_status, &more_later },
	{ "drivers", "an unread answer of 5,012 bytes is not the next XfrBlock's, read later",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, unread_before_xfr_block, &more_later },
	{ "drivers", "an unread answer of 5,012 bytes is not GetSlotStatus's, read at once",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, unread_before_status, &more },
	{ "drivers", "an unread answer of 5,012 bytes is not the next XfrBlock's, read at once",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, unread_before_xfr_block, &more },
	{ .name = NULL },
};
