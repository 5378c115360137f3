/*
 * Every command in every state of the slot, as a table: the type of the response is that of table
 * 6.1-1, bmICCStatus is the state's, and the outcome is what chapter 6.1 has for that command.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/conformance/card.h"
#include "tests/conformance/suite.h"

enum row_outcome {
	SUCCEEDS,
	FAILS,
	EITHER, /* optional commands */
};

struct row {
	struct command command;
	uint8_t icc;
	enum row_outcome outcome;
	unsigned int error; /* if it fails */
};

static const uint8_t parameters_t0[] = { 0x11, 0x00, 0x00, 0x0A, 0x00 };
static const uint8_t parameters_t1[] = { 0x11, 0x10, 0x00, 0x4D, 0x00, 0x20, 0x00 };
static const uint8_t clock_and_rate[] = { 0xA0, 0x0F, 0x00, 0x00, 0x01, 0x2A, 0x00, 0x00 };

static bool row_came_out(struct tester *t, const struct row *row)
{
	unsigned int icc = row->icc;

	if (row->outcome == EITHER)
		return tester_check(t, (t->answer.status & ICC_MASK) == icc,
			"bStatus %02X, expected bmICCStatus %u", t->answer.status, icc);
	if (row->outcome == SUCCEEDS)
		return tester_expect(t, icc, 0);
	return tester_expect(t, FAILED | icc, row->error);
}

static bool row_in_state(struct tester *t)
{
	const struct row *row = t->argument;

	return tester_ask(t, &row->command) && row_came_out(t, row) &&
		tester_status_is(t, row->icc);
}

/*
 * Table 6.2-2, CMD_SLOT_BUSY: while a command runs, others are refused at once, and it goes on.
 * GetSlotStatus, 6.1.3, is answered at any time.
 */
static bool row_while_busy(struct tester *t)
{
	const struct row *row = t->argument;

	if (!card_start_work(t, 1200))
		return false;
	tester_leave_running(t);
	if (!tester_ask(t, &row->command) || !row_came_out(t, row) ||
		!tester_check(t, t->took < 500, "only after %u ms", t->took))
		return false;
	return tester_await_running(t) && tester_collect(t) && card_pattern_came(t, 4);
}

/* Not promised by the descriptor: bError 00, "command not supported". */
static bool unsupported(struct tester *t)
{
	const struct command secure = { .type = SECURE }, mechanical = { .type = MECHANICAL };

	if (t->descriptor.bPINSupport == 0 &&
		(!tester_ask(t, &secure) || !tester_expect(t, FAILED, NOT_SUPPORTED)))
		return false;
	return t->descriptor.dwMechanical != 0 ||
		(tester_ask(t, &mechanical) && tester_expect(t, FAILED, NOT_SUPPORTED));
}

#define ROW(SECTION, NAME, NEEDS, START, RUN, ...)                                                 \
	{                                                                                          \
		SECTION, NAME, NEEDS, START, RUN, &(const struct row){ __VA_ARGS__ }               \
	}
#define ABSENT(SECTION, NAME, OUTCOME, ERROR, ...)                                                 \
	ROW(SECTION, NAME ", no card", NEED_NO_CARD, START_ANY, row_in_state, { __VA_ARGS__ },     \
		ICC_ABSENT, OUTCOME, ERROR)
#define INACTIVE(SECTION, NAME, OUTCOME, ERROR, ...)                                               \
	ROW(SECTION, NAME ", card not powered", NEED_CARD, START_INACTIVE, row_in_state,           \
		{ __VA_ARGS__ }, ICC_INACTIVE, OUTCOME, ERROR)
#define ACTIVE(SECTION, NAME, OUTCOME, ERROR, ...)                                                 \
	ROW(SECTION, NAME ", card powered", NEED_CARD, START_ACTIVE, row_in_state,                 \
		{ __VA_ARGS__ }, ICC_ACTIVE, OUTCOME, ERROR)
#define BUSY(SECTION, NAME, OUTCOME, ERROR, ...)                                                   \
	ROW(SECTION, NAME ", slot busy", NEED_CARD | NEED_SCRIPTED, START_ACTIVE, row_while_busy,  \
		{ __VA_ARGS__ }, ICC_ACTIVE, OUTCOME, ERROR)

#define SELECT .type = XFR_BLOCK, .data = card_select, .size = CARD_SELECT_SIZE
#define SET_T0 .type = SET_PARAMETERS, .data = parameters_t0, .size = sizeof(parameters_t0)
#define SET_T1 .type = SET_PARAMETERS, .specific = { 1 }, .data = parameters_t1,                   \
	.size = sizeof(parameters_t1)
#define SET_RATE .type = SET_DATA_RATE_AND_CLOCK_FREQUENCY, .data = clock_and_rate,                \
	.size = sizeof(clock_and_rate)

const struct suite_case command_cases[] = {
	ABSENT("6.1.1", "IccPowerOn", FAILS, ICC_MUTE, .type = ICC_POWER_ON),
	ABSENT("6.1.2", "IccPowerOff", SUCCEEDS, 0, .type = ICC_POWER_OFF),
	ABSENT("6.1.3", "GetSlotStatus", SUCCEEDS, 0, .type = GET_SLOT_STATUS),
	ABSENT("6.1.4", "XfrBlock", FAILS, ICC_MUTE, SELECT),
	ABSENT("6.1.5", "GetParameters", FAILS, ANY_ERROR, .type = GET_PARAMETERS),
	ABSENT("6.1.6", "ResetParameters", FAILS, ANY_ERROR, .type = RESET_PARAMETERS),
	ABSENT("6.1.7", "SetParameters", FAILS, ANY_ERROR, SET_T1),
	ABSENT("6.1.8", "Escape", EITHER, 0, .type = ESCAPE),
	ABSENT("6.1.9", "IccClock", EITHER, 0, .type = ICC_CLOCK),
	ABSENT("6.1.10", "T0APDU", EITHER, 0, .type = T0_APDU),
	ABSENT("6.1.11", "Secure without data", FAILS, ANY_ERROR, .type = SECURE),
	ABSENT("6.1.12", "Mechanical without function", FAILS, ANY_ERROR, .type = MECHANICAL),
	ABSENT("6.1.14", "SetDataRateAndClockFrequency", EITHER, 0, SET_RATE),
	ABSENT("6.1", "a command of unknown type", FAILS, ANY_ERROR, .type = 0x99),

	INACTIVE("6.1.2", "IccPowerOff", SUCCEEDS, 0, .type = ICC_POWER_OFF),
	INACTIVE("6.1.3", "GetSlotStatus", SUCCEEDS, 0, .type = GET_SLOT_STATUS),
	INACTIVE("6.1.4", "XfrBlock", FAILS, ANY_ERROR, SELECT),
	INACTIVE("6.1.5", "GetParameters", EITHER, 0, .type = GET_PARAMETERS),
	INACTIVE("6.1.6", "ResetParameters", EITHER, 0, .type = RESET_PARAMETERS),
	INACTIVE("6.1.7", "SetParameters", EITHER, 0, SET_T1),
	INACTIVE("6.1.8", "Escape", EITHER, 0, .type = ESCAPE),
	INACTIVE("6.1.9", "IccClock", EITHER, 0, .type = ICC_CLOCK),
	INACTIVE("6.1.10", "T0APDU", EITHER, 0, .type = T0_APDU),
	INACTIVE("6.1.11", "Secure without data", FAILS, ANY_ERROR, .type = SECURE),
	INACTIVE("6.1.12", "Mechanical without function", FAILS, ANY_ERROR, .type = MECHANICAL),
	INACTIVE("6.1.14", "SetDataRateAndClockFrequency", EITHER, 0, SET_RATE),
	INACTIVE("6.1", "a command of unknown type", FAILS, NOT_SUPPORTED, .type = 0x99),

	ACTIVE("6.1.3", "GetSlotStatus", SUCCEEDS, 0, .type = GET_SLOT_STATUS),
	ACTIVE("6.1.4", "XfrBlock", SUCCEEDS, 0, SELECT),
	ACTIVE("6.1.5", "GetParameters", SUCCEEDS, 0, .type = GET_PARAMETERS),
	ACTIVE("6.1.6", "ResetParameters", SUCCEEDS, 0, .type = RESET_PARAMETERS),
	ACTIVE("6.1.8", "Escape", EITHER, 0, .type = ESCAPE),
	ACTIVE("6.1.9", "IccClock", EITHER, 0, .type = ICC_CLOCK),
	ACTIVE("6.1.10", "T0APDU", EITHER, 0, .type = T0_APDU),
	ACTIVE("6.1.11", "Secure without data", FAILS, ANY_ERROR, .type = SECURE),
	ACTIVE("6.1.12", "Mechanical without function", FAILS, ANY_ERROR, .type = MECHANICAL),
	ACTIVE("6.1.14", "SetDataRateAndClockFrequency", EITHER, 0, SET_RATE),
	ACTIVE("6.1", "a command of type 00", FAILS, NOT_SUPPORTED, .type = 0x00),
	ACTIVE("6.1", "a command of type 80", FAILS, NOT_SUPPORTED, .type = 0x80),
	ACTIVE("6.1", "a command of type FF", FAILS, NOT_SUPPORTED, .type = 0xFF),
	{ "6.2.6", "what the descriptor doesn't promise fails with bError 00",
		NEED_CARD, START_ACTIVE, unsupported, NULL },

	BUSY("6.1.3", "GetSlotStatus", SUCCEEDS, 0, .type = GET_SLOT_STATUS),
	BUSY("6.1.4", "XfrBlock", FAILS, SLOT_BUSY, SELECT),
	BUSY("6.1.5", "GetParameters", FAILS, SLOT_BUSY, .type = GET_PARAMETERS),
	BUSY("6.1.6", "ResetParameters", FAILS, SLOT_BUSY, .type = RESET_PARAMETERS),
	BUSY("6.1.7", "SetParameters", FAILS, SLOT_BUSY, SET_T0),
	BUSY("6.1.8", "Escape", FAILS, ANY_ERROR, .type = ESCAPE),
	BUSY("6.1.9", "IccClock", FAILS, ANY_ERROR, .type = ICC_CLOCK),
	BUSY("6.1.10", "T0APDU", FAILS, ANY_ERROR, .type = T0_APDU),
	BUSY("6.1.11", "Secure without data", FAILS, ANY_ERROR, .type = SECURE),
	BUSY("6.1.12", "Mechanical without function", FAILS, ANY_ERROR, .type = MECHANICAL),
	BUSY("6.1.14", "SetDataRateAndClockFrequency", FAILS, ANY_ERROR, SET_RATE),
	BUSY("6.1", "a command of unknown type", FAILS, ANY_ERROR, .type = 0x99),
	{ .name = NULL },
};
