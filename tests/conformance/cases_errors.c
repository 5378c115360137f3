/*
 * Wrong fields and garbage: CCID 1.1, 6.2.6, and that nothing kills the reader.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/cursor.h"
#include "tests/conformance/card.h"
#include "tests/conformance/suite.h"

/* ---- dwLength ---- */

/* Commands without data. */
static const uint8_t bare_types[] = { ICC_POWER_ON, ICC_POWER_OFF, GET_SLOT_STATUS, GET_PARAMETERS,
	RESET_PARAMETERS };

/* Table 6.2-2: data where none may be fails with the offset of dwLength. */
static bool data_with_bare_commands(struct tester *t)
{
	static const uint8_t data[4];

	for (size_t i = 0; i < sizeof(bare_types); i++) {
		if (!tester_ask(t, &(struct command){ .type = bare_types[i], .data = data,
			    .size = sizeof(data) }) ||
			!tester_expect_failed(t, WRONG_LENGTH))
			return false;
	}
	return tester_status_is(t, ICC_ACTIVE) && card_select_works(t);
}

struct lie {
	uint32_t dwLength;
	size_t size;
};

/* dwLength is not what came: fails with its offset, at once, and the next command is a new one. */
static bool length_is_a_lie(struct tester *t)
{
	static const uint8_t types[] = { ICC_POWER_ON, ICC_POWER_OFF, GET_SLOT_STATUS, XFR_BLOCK,
		GET_PARAMETERS, SET_PARAMETERS, ESCAPE, SECURE, T0_APDU };
	static const uint8_t data[300];
	const struct lie *lie = t->argument;

	for (size_t i = 0; i < sizeof(types); i++) {
		if (!tester_ask(t, &(struct command){ .type = types[i], .data = data,
			    .size = lie->size, .lie = true, .dwLength = lie->dwLength }) ||
			!tester_expect_failed(t, ANY_ERROR) ||
			!tester_check(t, t->answer.error <= WRONG_LENGTH, "%02X: bError %02X",
				types[i], t->answer.error) ||
			!tester_check(t, t->took <= 500, "only after %u ms", t->took))
			return false;
	}
	return tester_status_is(t, ICC_ACTIVE) && card_select_works(t);
}

/* ---- bSlot ---- */

/*
 * Table 6.2-2: a slot that the reader doesn't have fails with the offset of bSlot; bSlot comes
 * back.
 */
static bool wrong_slot(struct tester *t)
{
	static const uint8_t types[] = { ICC_POWER_ON, ICC_POWER_OFF, GET_SLOT_STATUS,
		GET_PARAMETERS, RESET_PARAMETERS, ICC_CLOCK };
	const uint8_t slots[] = { (uint8_t)(t->descriptor.bMaxSlotIndex + 1), 0x80, 0xFF };

	for (size_t i = 0; i < sizeof(types) * sizeof(slots); i++) {
		if (!tester_ask(t, &(struct command){ .type = types[i / sizeof(slots)],
			    .slot = slots[i % sizeof(slots)] }) ||
			!tester_expect_failed(t, WRONG_SLOT))
			return false;
	}
	return tester_status(t);
}

/* The card of slot 0 does not learn of it. */
static bool wrong_slot_with_card(struct tester *t)
{
	return wrong_slot(t) && tester_status_is(t, ICC_ACTIVE) &&
		tester_ask(t, &(struct command){ .type = XFR_BLOCK, .slot = 0xFF,
			.data = card_select, .size = CARD_SELECT_SIZE }) &&
		tester_expect_failed(t, WRONG_SLOT) && card_select_works(t);
}

/* ---- types ---- */

/* 6.1: each of the types that don't exist is answered by SlotStatus, failed, bError 00. */
static bool unknown_types(struct tester *t)
{
	for (unsigned int i = 0; i <= 0xFF; i++) {
		if (i >= SET_PARAMETERS && i <= SET_DATA_RATE_AND_CLOCK_FREQUENCY)
			continue;
		if (!tester_ask(t, &(struct command){ .type = (uint8_t)i }) ||
			!tester_expect_failed(t, NOT_SUPPORTED))
			return false;
	}
	return tester_status(t);
}

/* ---- what is no message ---- */

/* Shorter than a header: nothing can be answered; the next command is. */
static bool truncated_header(struct tester *t)
{
	static const uint8_t bytes[9] = { GET_SLOT_STATUS };

	for (size_t size = 1; size < CCID_HEADER; size++) {
		if (!tester_write(t, bytes, size))
			return false;
		tester_drain(t);
		if (!tester_status(t))
			return false;
	}
	return true;
}

/* USB 2.0, 5.8.3: an empty packet ends a transfer; alone it is nothing. */
static bool empty_packets(struct tester *t)
{
	for (int i = 0; i < 20; i++) {
		if (!tester_write(t, NULL, 0) || !tester_status(t) || !tester_write(t, NULL, 0) ||
			!tester_write(t, NULL, 0) || !tester_status(t))
			return false;
	}
	return tester_write(t, NULL, 0) && tester_quiet(t, 200);
}

/* A driver that was killed in mid-message: a short packet ends it, wherever it is. */
static bool cut_message(struct tester *t)
{
	static const size_t cuts[] = { 10, 11, 100, 511, 513, 600, 1023, 1025, 1500 };
	static const uint8_t data[2000];

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		(void)tester_encode(t, &(struct command){ .type = XFR_BLOCK, .data = data,
			.size = sizeof(data) });
		if (!tester_write(t, t->out, cuts[i]) || !tester_await(t) ||
			!tester_expect_failed(t, ANY_ERROR) || !card_select_works(t))
			return false;
	}
	return true;
}

/* 100,000 bytes in one go, which no message has. */
static bool oversized_message(struct tester *t)
{
	static uint8_t bytes[100000] = { XFR_BLOCK, 0x96, 0x86, 0x01, 0x00 };

	bytes[6] = ++t->seq;
	t->last = (struct pending){ .type = XFR_BLOCK, .seq = t->seq };
	return tester_write(t, bytes, sizeof(bytes)) && tester_await(t) &&
		tester_expect_failed(t, ANY_ERROR) && tester_status(t) && card_select_works(t);
}

/* ---- garbage ---- */

#define GARBAGE_ROUNDS 400
#define GARBAGE_MAX 1500

/*
 * No card but the test's own gets random APDUs, and no reader random escape commands. Power and
 * Abort have cases of their own: their answers may be late, or wait for the control pipe.
 */
static uint8_t garbage_type(struct tester *t)
{
	uint8_t type;

	do {
		type = (uint8_t)tester_random(t);
	} while (type == ICC_POWER_ON || type == ABORT ||
		(!t->scripted && (type == XFR_BLOCK || type == SECURE || type == ESCAPE ||
			type == T0_APDU || type == MECHANICAL || type == ICC_CLOCK ||
			type == SET_DATA_RATE_AND_CLOCK_FREQUENCY)));
	return type;
}

/* Fills t->out with a header that is partly right and random bytes. */
static void garbage_fill(struct tester *t, uint8_t seq, size_t size)
{
	static const uint8_t likely[] = { SET_PARAMETERS, ICC_POWER_OFF, GET_SLOT_STATUS,
		GET_PARAMETERS, RESET_PARAMETERS };
	struct cursor_out out = cursor_out(t->out, sizeof(t->out));
	uint32_t choice = tester_random(t);

	out_u8(&out, choice % 3 == 0 ? garbage_type(t) : likely[choice % sizeof(likely)]);
	out_le32(&out, choice & 0x100 ? (uint32_t)(size - CCID_HEADER) : tester_random(t));
	out_u8(&out, choice & 0x600 ? 0 : (uint8_t)tester_random(t));
	out_u8(&out, seq);
	while (out.size < size)
		out_u8(&out, (uint8_t)tester_random(t));
}

/*
 * One packet of garbage, not full, is a message: it gets at most one answer, of its own bSeq; then
 * GetSlotStatus is answered.
 */
static bool garbage_packet(struct tester *t)
{
	size_t size = 1 + tester_random(t) % (t->transport.packet_size - 1);
	uint8_t garbage_seq = ++t->seq;
	int others = 0;

	garbage_fill(t, garbage_seq, size);
	if (!tester_write(t, t->out, size) || !tester_send(t, &(struct command){
		    .type = GET_SLOT_STATUS }))
		return false;
	while (tester_receive(t, 2000)) {
		if (t->answer.seq == t->last.seq)
			return tester_check(t, t->answer.type == SLOT_STATUS &&
					(t->answer.status & COMMAND_MASK) == 0,
				"GetSlotStatus after garbage: type %02X bStatus %02X",
				t->answer.type, t->answer.status);
		if (!tester_check(t, t->answer.seq == garbage_seq && others++ == 0,
			    "type %02X bSeq %02X after garbage with %02X", t->answer.type,
			    t->answer.seq, garbage_seq))
			return false;
	}
	return false;
}

static bool garbage(struct tester *t)
{
	for (int i = 0; i < GARBAGE_ROUNDS; i++) {
		if (!garbage_packet(t))
			return false;
	}
	return true;
}

/*
 * Several packets at once: where the next message begins is for the reader to guess, so that the
 * first command after it may be lost; the second may not. All that comes is well-formed.
 */
static bool garbage_packets(struct tester *t)
{
	for (int i = 0; i < GARBAGE_ROUNDS / 10; i++) {
		size_t size = t->transport.packet_size + 1 + tester_random(t) % GARBAGE_MAX;

		garbage_fill(t, ++t->seq, size);
		if (!tester_write(t, t->out, size))
			return false;
		tester_drain(t);
		if (tester_status(t))
			continue;
		t->reason[0] = '\0';
		tester_drain(t);
		if (!tester_status(t))
			return false;
	}
	return true;
}

static bool garbage_with_card(struct tester *t)
{
	return garbage(t) && garbage_packets(t) && tester_power_off(t) && tester_power_on(t) &&
		card_select_works(t);
}

static const struct lie too_short = { 20, 5 }, far_too_short = { 0xFFFFFFFF, 7 },
			negative = { 0x80000000, 0 }, beyond = { CCID_APDU_MAX + 1, 50 },
			too_long = { 3, 299 }, none_claimed = { 0, 8 }, one_less = { 1, 0 };

const struct suite_case error_cases[] = {
	{ "6.2.6", "data with commands that have none fails: bError 01", NEED_CARD, START_ACTIVE,
		data_with_bare_commands, NULL },
	{ "6.2.6", "dwLength 20 with 5 bytes fails", NEED_CARD, START_ACTIVE, length_is_a_lie,
		&too_short },
	{ "6.2.6", "dwLength 1 without data fails", NEED_CARD, START_ACTIVE, length_is_a_lie,
		&one_less },
	{ "6.2.6", "dwLength FFFFFFFF with 7 bytes fails", NEED_CARD, START_ACTIVE, length_is_a_lie,
		&far_too_short },
	{ "6.2.6", "dwLength 80000000 without data fails", NEED_CARD, START_ACTIVE, length_is_a_lie,
		&negative },
	{ "6.2.6", "dwLength 65,545 with 50 bytes fails", NEED_CARD, START_ACTIVE, length_is_a_lie,
		&beyond },
	{ "6.2.6", "dwLength 3 with 299 bytes fails", NEED_CARD, START_ACTIVE, length_is_a_lie,
		&too_long },
	{ "6.2.6", "dwLength 0 with 8 bytes fails", NEED_CARD, START_ACTIVE, length_is_a_lie,
		&none_claimed },
	{ "6.2.6", "a slot that isn't there fails: bError 05, bSlot comes back", 0, START_ANY,
		wrong_slot, NULL },
	{ "6.2.6", "commands for another slot don't touch the card", NEED_CARD, START_ACTIVE,
		wrong_slot_with_card, NULL },
	{ "6.1", "every unknown type: SlotStatus, failed, bError 00", 0, START_ANY, unknown_types,
		NULL },
	{ "6.1", "1 to 9 bytes are no message", 0, START_ANY, truncated_header, NULL },
	{ "USB 5.8.3", "empty packets are no message", 0, START_ANY, empty_packets, NULL },
	{ "USB 5.8.3", "a message cut by a short packet fails, the next one is new", NEED_CARD,
		START_ACTIVE, cut_message, NULL },
	{ "6.1", "a message of 100,000 bytes fails, the next one is new", NEED_CARD, START_ACTIVE,
		oversized_message, NULL },
	{ "6.1", "four hundred random messages, no card", NEED_NO_CARD, START_ANY, garbage, NULL },
	{ "6.1", "random messages of several packets, no card", NEED_NO_CARD, START_ANY,
		garbage_packets, NULL },
	{ "6.1", "four hundred random messages, card not powered", NEED_CARD, START_INACTIVE,
		garbage_with_card, NULL },
	{ "6.1", "four hundred random messages, card powered", NEED_CARD | NEED_SCRIPTED,
		START_ACTIVE, garbage_with_card, NULL },
	{ .name = NULL },
};
