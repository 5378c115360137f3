/*
 * Abort: the request on the control pipe (CCID 1.1, 5.3.1) and the message on bulk OUT (6.1.13).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/commands.h"
#include "tests/conformance/card.h"
#include "tests/conformance/suite.h"

#define SCRIPTED (NEED_CARD | NEED_APDU | NEED_SCRIPTED)

/* How long the card works in these cases, ms; and how long its late answer is waited for. */
#define WORK 1200
#define LATE 1800

/* 5.3.1: bSlot is the low byte of wValue, bSeq the high one. */
static bool request(struct tester *t, uint8_t seq)
{
	int r = transport_control_out(&t->transport, REQUEST_TYPE_OUT, REQUEST_ABORT,
		(uint16_t)(seq << 8));

	return tester_check(t, r == 0, "the request ABORT: %s", libusb_error_name(r));
}

static bool send_message(struct tester *t)
{
	return tester_send(t, &(struct command){ .type = ABORT });
}

/* 6.1.13: answered by SlotStatus, and the slot is ready. */
static bool is_done(struct tester *t, uint8_t icc)
{
	return tester_await(t) && tester_expect(t, icc, 0);
}

static bool request_then_message(struct tester *t, uint8_t icc)
{
	return request(t, (uint8_t)(t->seq + 1)) && send_message(t) && is_done(t, icc);
}

/* The request may come second; what came of the running command until then is passed over. */
static bool message_then_request(struct tester *t, uint8_t icc)
{
	return send_message(t) && request(t, t->last.seq) && is_done(t, icc);
}

/* 5.3.1: both with the same bSeq end the command, whose answer comes never. */
static bool ends_a_command(struct tester *t)
{
	if (!card_start_work(t, WORK))
		return false;
	tester_leave_running(t);
	return request_then_message(t, ICC_ACTIVE) && tester_quiet(t, LATE) && card_select_works(t);
}

static bool ends_a_command_message_first(struct tester *t)
{
	if (!card_start_work(t, WORK))
		return false;
	tester_leave_running(t);
	return message_then_request(t, ICC_ACTIVE) && tester_quiet(t, LATE) && card_select_works(t);
}

/* The next command may come at once: the card still works, and the answer is that command's own. */
static bool next_command_at_once(struct tester *t)
{
	if (!card_start_work(t, WORK))
		return false;
	tester_leave_running(t);
	if (!request_then_message(t, ICC_ACTIVE))
		return false;
	t->running.type = 0;
	return card_source(t, 77) && card_source(t, 99);
}

/* After time extensions, too, read or not. */
static bool after_extensions(struct tester *t)
{
	if (!card_start_work(t, 2500))
		return false;
	tester_leave_running(t);
	transport_pause(1400);
	return request_then_message(t, ICC_ACTIVE) && tester_quiet(t, LATE) && card_select_works(t);
}

/* 5.3.1: until its message comes, the reader fails all other commands as aborted. */
static bool between_request_and_message(struct tester *t)
{
	uint8_t seq = (uint8_t)(t->seq + 2);

	return request(t, seq) &&
		tester_ask_part(t, LEVEL_WHOLE, card_select, CARD_SELECT_SIZE) &&
		tester_expect_failed(t, ABORTED) && send_message(t) &&
		tester_check(t, t->last.seq == seq, "bSeq") && is_done(t, ICC_ACTIVE) &&
		card_select_works(t);
}

/* With nothing to abort it is answered all the same. */
static bool nothing_to_abort(struct tester *t)
{
	for (int i = 0; i < 20; i++) {
		if (!request_then_message(t, ICC_ACTIVE) || !message_then_request(t, ICC_ACTIVE))
			return false;
	}
	return card_select_works(t);
}

static bool card_not_powered(struct tester *t)
{
	return request_then_message(t, ICC_INACTIVE) && message_then_request(t, ICC_INACTIVE) &&
		tester_power_on(t) && card_select_works(t);
}

static bool no_card(struct tester *t)
{
	return request_then_message(t, ICC_ABSENT) && message_then_request(t, ICC_ABSENT);
}

/* A chain that was aborted does not go on. */
static bool ends_a_chain(struct tester *t)
{
	return tester_ask_part(t, LEVEL_BEGINS, card_select, 5) &&
		tester_expect(t, ICC_ACTIVE, 0) &&
		request_then_message(t, ICC_ACTIVE) &&
		tester_ask_part(t, LEVEL_ENDS, card_select + 5, CARD_SELECT_SIZE - 5) &&
		tester_expect(t, FAILED | ICC_ACTIVE, WRONG_LEVEL) && card_select_works(t);
}

static bool ends_a_response(struct tester *t)
{
	size_t size = card_apdu(card_buffer, COMMAND_SOURCE, 5000, 0, 5000);

	t->message_max = TESTER_GNUPG_MAX;
	return tester_ask_part(t, LEVEL_WHOLE, card_buffer, size) &&
		tester_check(t, t->answer.specific == CHAIN_BEGINS, "bChainParameter %02X",
			t->answer.specific) &&
		request_then_message(t, ICC_ACTIVE) && tester_ask_part(t, LEVEL_MORE, NULL, 0) &&
		tester_expect(t, FAILED | ICC_ACTIVE, WRONG_LEVEL) && card_select_works(t);
}

/* An answer that waits to be read is gone, too. */
static bool unread_answer(struct tester *t)
{
	size_t size = card_apdu(card_buffer, COMMAND_SOURCE, 600, 0, 600);

	if (!tester_send_part(t, LEVEL_WHOLE, card_buffer, size))
		return false;
	transport_pause(300);
	return request_then_message(t, ICC_ACTIVE) && card_source(t, 20);
}

/* A request and a message with different bSeq are no pair; a pair after them is. */
static bool different_sequences(struct tester *t)
{
	uint8_t wrong = (uint8_t)(t->seq + 100);

	if (!request(t, wrong) || !send_message(t))
		return false;
	tester_drain(t);
	return request_then_message(t, ICC_ACTIVE) && card_select_works(t);
}

/* A driver that sent only one half and was killed: the next one's power-on works in the end. */
static bool only_the_message(struct tester *t)
{
	if (!send_message(t))
		return false;
	tester_drain(t);
	return tester_power_on(t) && card_select_works(t);
}

const struct suite_case abort_cases[] = {
	{ "6.1.13", "Abort ends a command: request, then message", SCRIPTED, START_ACTIVE,
		ends_a_command, NULL },
	{ "6.1.13", "Abort ends a command: message, then request", SCRIPTED, START_ACTIVE,
		ends_a_command_message_first, NULL },
	{ "6.1.13", "Abort after time extensions that nobody read", SCRIPTED, START_ACTIVE,
		after_extensions, NULL },
	{ "6.1.13", "Abort, and the next command at once", SCRIPTED, START_ACTIVE,
		next_command_at_once, NULL },
	{ "5.3.1", "between request and message other commands fail as aborted", NEED_CARD,
		START_ACTIVE, between_request_and_message, NULL },
	{ "6.1.13", "Abort with nothing to abort, twenty times in either order", NEED_CARD,
		START_ACTIVE, nothing_to_abort, NULL },
	{ "6.1.13", "Abort, card not powered", NEED_CARD, START_INACTIVE, card_not_powered, NULL },
	{ "6.1.13", "Abort, no card", NEED_NO_CARD, START_ANY, no_card, NULL },
	{ "6.1.13", "Abort ends a command that is half sent", NEED_CARD | NEED_EXTENDED,
		START_ACTIVE, ends_a_chain, NULL },
	{ "6.1.13", "Abort ends a response that is half read", SCRIPTED | NEED_EXTENDED,
		START_ACTIVE, ends_a_response, NULL },
	{ "6.1.13", "Abort takes back an answer that was not read", SCRIPTED, START_ACTIVE,
		unread_answer, NULL },
	{ "6.1.13", "Abort: request and message with different bSeq, then a pair", NEED_CARD,
		START_ACTIVE, different_sequences, NULL },
	{ "6.1.13", "Abort: only the message, then IccPowerOn", NEED_CARD, START_ACTIVE,
		only_the_message, NULL },
	{ .name = NULL },
};
