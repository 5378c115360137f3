/*
 * GetParameters, ResetParameters, SetParameters: CCID 1.1, 6.1.5 to 6.1.7, and 6.2.3.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <string.h>

#include "tests/conformance/card.h"
#include "tests/conformance/suite.h"

#define SIZE_T0 5 /* 6.2.3: abProtocolDataStructure of T=0 and of T=1 */
#define SIZE_T1 7

#define CARD_SETTABLE (NEED_CARD | NEED_SETTABLE)

struct structure {
	uint8_t protocol;
	uint8_t bytes[SIZE_T1];
	size_t size;
};

static const struct structure t0 = { 0, { 0x11, 0x00, 0x00, 0x0A, 0x00 }, SIZE_T0 };
static const struct structure t1 = { 1, { 0x11, 0x10, 0x00, 0x4D, 0x00, 0xFE, 0x00 }, SIZE_T1 };

/* Takes what the last answer says; 6.2.3: the size follows from the protocol. */
static bool take(struct tester *t, struct structure *structure)
{
	size_t size = t->answer.specific == 0 ? SIZE_T0 : SIZE_T1;

	if (!tester_expect(t, ICC_ACTIVE, 0) ||
		!tester_check(t, t->answer.specific <= 1, "bProtocolNum %u", t->answer.specific) ||
		!tester_check(t, t->answer.size == size, "%zu bytes for T=%u", t->answer.size,
			t->answer.specific))
		return false;
	structure->protocol = t->answer.specific;
	structure->size = size;
	memcpy(structure->bytes, t->answer.data, size);
	return true;
}

static bool get(struct tester *t, struct structure *structure)
{
	return tester_ask(t, &(struct command){ .type = GET_PARAMETERS }) && take(t, structure);
}

static bool reset(struct tester *t, struct structure *structure)
{
	return tester_ask(t, &(struct command){ .type = RESET_PARAMETERS }) && take(t, structure);
}

static bool set_is_asked(struct tester *t, uint8_t protocol, const uint8_t *bytes, size_t size)
{
	return tester_ask(t, &(struct command){ .type = SET_PARAMETERS, .specific = { protocol },
		.data = bytes, .size = size });
}

static bool is_same(struct tester *t, const struct structure *a, const struct structure *b)
{
	return tester_check(t, a->protocol == b->protocol, "T=%u, expected T=%u", a->protocol,
			b->protocol) &&
		tester_check(t, memcmp(a->bytes, b->bytes, a->size) == 0,
			"the structure of T=%u is another one", a->protocol);
}

/* 6.1.7: the answer has the parameters as they are then; so has GetParameters. */
static bool set(struct tester *t, const struct structure *wanted)
{
	struct structure echoed, got;

	return set_is_asked(t, wanted->protocol, wanted->bytes, wanted->size) && take(t, &echoed) &&
		is_same(t, &echoed, wanted) && get(t, &got) && is_same(t, &got, wanted);
}

/* 6.1.5: of a protocol that the card offers. */
static bool of_the_card(struct tester *t)
{
	struct structure s;

	return get(t, &s) &&
		tester_check(t, s.protocol == 0 ? t->protocols.t0 : t->protocols.t1,
			"T=%u, which the card does not offer", s.protocol);
}

/*
 * dwFeatures 02h: automatic configuration from the ATR. TA1, if there is one, is byte 2 of the ATR.
 */
static bool follow_the_atr(struct tester *t)
{
	uint8_t ta1 = t->atr.bytes[1] & 0x10 ? t->atr.bytes[2] : 0x11;
	struct structure s;

	return get(t, &s) &&
		tester_check(t, s.bytes[0] == ta1 || s.bytes[0] == 0x11,
			"bmFindexDindex %02X, TA1 is %02X", s.bytes[0], ta1) &&
		tester_check(t, s.protocol == 0 || (s.bytes[5] >= 0x10 && s.bytes[5] != 0xFF),
			"bIFSC %02X", s.bytes[5]) &&
		tester_check(t, s.protocol == 0 || (s.bytes[1] & 0xFC) == 0x10, "bmTCCKST1 %02X",
			s.bytes[1]);
}

static bool set_t0(struct tester *t)
{
	return set(t, &t0) && card_select_works(t) && of_the_card(t);
}

static bool set_t1(struct tester *t)
{
	return set(t, &t1) && card_select_works(t) && of_the_card(t);
}

/* A card with both: from one to the other and back, and each time it works. */
static bool change_protocol(struct tester *t)
{
	for (int i = 0; i < 3; i++) {
		if (!set_t0(t) || !set_t1(t))
			return false;
	}
	return true;
}

/* 6.1.6: back to the values that followed from the reset. */
static bool reset_after_set(struct tester *t)
{
	const struct structure *wanted;
	struct structure before, after, got;

	if (!get(t, &before))
		return false;
	wanted = before.protocol == 0 ? &t0 : &t1;
	return set(t, wanted) && reset(t, &after) && is_same(t, &after, &before) && get(t, &got) &&
		is_same(t, &got, &before) && card_select_works(t);
}

/* So does a reset of the card. */
static bool power_on_after_set(struct tester *t)
{
	struct structure before, after;

	return get(t, &before) && set(t, before.protocol == 0 ? &t0 : &t1) && tester_power_on(t) &&
		get(t, &after) && is_same(t, &after, &before);
}

/* 6.1.7, table 6.2-2: a protocol that does not exist fails with the offset of bProtocolNum. */
static bool unknown_protocol(struct tester *t)
{
	static const uint8_t protocols[] = { 2, 3, 14, 0x80, 0x81, 0xFF };

	for (size_t i = 0; i < sizeof(protocols); i++) {
		if (!set_is_asked(t, protocols[i], t1.bytes, t1.size) ||
			!tester_expect(t, FAILED | ICC_ACTIVE, WRONG_PARAMETER))
			return false;
	}
	return card_select_works(t);
}

/* One that the card does not offer, too: never a success. */
static bool protocol_not_offered(struct tester *t)
{
	const struct structure *s = t->protocols.t0 ? &t1 : &t0;

	return set_is_asked(t, s->protocol, s->bytes, s->size) &&
		tester_expect(t, FAILED | ICC_ACTIVE, WRONG_PARAMETER) && of_the_card(t) &&
		card_select_works(t);
}

/* 6.1.7: 5 bytes for T=0, 7 for T=1. */
static bool wrong_size(struct tester *t)
{
	const struct structure *s = t->protocols.t0 ? &t0 : &t1;
	static const uint8_t bytes[64];
	static const size_t sizes[] = { 0, 1, 4, 6, 8, 64 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (!set_is_asked(t, s->protocol, bytes, sizes[i]) ||
			!tester_expect(t, FAILED | ICC_ACTIVE, WRONG_LENGTH))
			return false;
	}
	return of_the_card(t) && card_select_works(t);
}

const struct suite_case parameters_cases[] = {
	{ "6.1.5", "GetParameters: a protocol of the card, a structure of its size", NEED_CARD,
		START_ACTIVE, of_the_card, NULL },
	{ "6.1.5", "GetParameters: values that follow from the ATR", NEED_CARD, START_ACTIVE,
		follow_the_atr, NULL },
	{ "6.1.7", "SetParameters T=0 is echoed, and the card works", CARD_SETTABLE | NEED_T0,
		START_ACTIVE, set_t0, NULL },
	{ "6.1.7", "SetParameters T=1 is echoed, and the card works", CARD_SETTABLE | NEED_T1,
		START_ACTIVE, set_t1, NULL },
	{ "6.1.7", "SetParameters from one protocol to the other and back",
		CARD_SETTABLE | NEED_T0 | NEED_T1, START_ACTIVE, change_protocol, NULL },
	{ "6.1.7", "SetParameters: a protocol that does not exist fails", CARD_SETTABLE,
		START_ACTIVE, unknown_protocol, NULL },
	{ "6.1.7", "SetParameters: T=1 for a card without it fails", CARD_SETTABLE | NEED_NO_T1,
		START_ACTIVE, protocol_not_offered, NULL },
	{ "6.1.7", "SetParameters: T=0 for a card without it fails", CARD_SETTABLE | NEED_NO_T0,
		START_ACTIVE, protocol_not_offered, NULL },
	{ "6.1.7", "SetParameters: a structure of the wrong size fails", CARD_SETTABLE,
		START_ACTIVE, wrong_size, NULL },
	{ "6.1.6", "ResetParameters: back to what followed from the ATR", CARD_SETTABLE,
		START_ACTIVE, reset_after_set, NULL },
	{ "6.1.1", "IccPowerOn: parameters as after the first one", CARD_SETTABLE, START_ACTIVE,
		power_on_after_set, NULL },
	{ .name = NULL },
};
