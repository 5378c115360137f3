/*
 * Every command of CCID 1.1, 6.1, with every field that can be wrong, in every state of the slot.
 *
 * A row is a command, and what comes back in each state:
 *
 *     ok      it succeeds: bStatus 0x, bError 00
 *     FE ...  it fails at once, with this bError, bStatus 4x
 *     run     it is accepted, and the host is asked to do something
 *     wait    nothing: an Abort waits for its other half
 *
 * The states:
 *
 *     absent, inactive, active   as bmICCStatus has them
 *     power     IccPowerOn waits for the host
 *     switch    XfrBlock waits for the host to change the card's protocol
 *     card      XfrBlock waits for the card
 *     chain     half of a command has come
 *     abort     the request for an Abort has come, its message has not
 *
 * Whatever a row does, the answer has the type of the command's response, its bSeq and the card's
 * bmICCStatus; a command that ran before a failed one goes on; and GetSlotStatus works afterwards.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/ccid/message.h"
#include "gadget/ccid/slot.h"

#define SEQ 0x5A         /* of the command in question */
#define RUNNING_SEQ 0x11 /* of the one that ran before */

enum state { ABSENT, INACTIVE, ACTIVE, POWER, SWITCH, CARD, CHAIN, ABORT, STATES };

static const char *const state_names[STATES] = { "absent", "inactive", "active", "power", "switch",
	"card", "chain", "abort" };

/* bmICCStatus */
static const uint8_t icc_status[STATES] = { 2, 1, 0, 1, 0, 0, 0, 0 };

struct row {
	const char *what;
	const char *command; /* type, dwLength, bSlot, bytes 7 to 9, abData */
	const char *answers; /* in the order of the states */
};

static const struct row rows[] = {
	/*       absent   inactive active   power    switch   card     chain    abort */
	{ "IccPowerOn", "62 00000000 00 000000",
		"FE       run      run      run      run      run      run      FF" },
	{ "bPowerSelect 1", "62 00000000 00 010000",
		"FE       run      run      run      run      run      run      FF" },
	{ "bPowerSelect 3", "62 00000000 00 030000",
		"FE       run      run      run      run      run      run      FF" },
	{ "bPowerSelect 4", "62 00000000 00 040000",
		"07       07       07       E0       E0       E0       07       FF" },
	{ "abRFU", "62 00000000 00 000100",
		"08       08       08       08       08       08       08       08" },
	{ "abRFU, 2nd byte", "62 00000000 00 000080",
		"08       08       08       08       08       08       08       08" },
	{ "with data", "62 01000000 00 000000 00",
		"01       01       01       E0       E0       E0       01       FF" },

	{ "IccPowerOff", "63 00000000 00 000000",
		"ok       ok       ok       ok       ok       ok       ok       FF" },
	{ "abRFU", "63 00000000 00 010000",
		"07       07       07       07       07       07       07       07" },
	{ "abRFU, 3rd byte", "63 00000000 00 000001",
		"07       07       07       07       07       07       07       07" },
	{ "with data", "63 01000000 00 000000 00",
		"01       01       01       E0       E0       E0       01       FF" },

	{ "GetSlotStatus", "65 00000000 00 000000",
		"ok       ok       ok       ok       ok       ok       ok       FF" },
	{ "abRFU", "65 00000000 00 000100",
		"07       07       07       07       07       07       07       07" },
	{ "with data", "65 01000000 00 000000 00",
		"01       01       01       01       01       01       01       FF" },

	{ "XfrBlock", "6F 05000000 00 000000 00A4040000",
		"FE       FE       run      E0       E0       E0       run      FF" },
	{ "bBWI", "6F 05000000 00 FF0000 00A4040000",
		"FE       FE       run      E0       E0       E0       run      FF" },
	{ "no data", "6F 00000000 00 000000",
		"FE       FE       01       E0       E0       E0       01       FF" },
	{ "level 1", "6F 02000000 00 000100 00A4",
		"FE       FE       ok       E0       E0       E0       ok       FF" },
	{ "level 2", "6F 02000000 00 000200 00A4",
		"FE       FE       08       E0       E0       E0       run      FF" },
	{ "level 3", "6F 02000000 00 000300 00A4",
		"FE       FE       08       E0       E0       E0       ok       FF" },
	{ "level 4", "6F 02000000 00 000400 00A4",
		"FE       FE       08       E0       E0       E0       08       FF" },
	{ "level 10", "6F 00000000 00 001000",
		"FE       FE       08       E0       E0       E0       08       FF" },
	{ "level 0100", "6F 02000000 00 000001 00A4",
		"FE       FE       08       E0       E0       E0       08       FF" },

	{ "GetParameters", "6C 00000000 00 000000",
		"FE       FE       ok       E0       E0       E0       ok       FF" },
	{ "abRFU", "6C 00000000 00 010000",
		"07       07       07       07       07       07       07       07" },
	{ "with data", "6C 01000000 00 000000 00",
		"FE       FE       01       E0       E0       E0       01       FF" },

	{ "ResetParameters", "6D 00000000 00 000000",
		"FE       FE       ok       E0       E0       E0       ok       FF" },
	{ "abRFU", "6D 00000000 00 000001",
		"07       07       07       07       07       07       07       07" },
	{ "with data", "6D 01000000 00 000000 00",
		"FE       FE       01       E0       E0       E0       01       FF" },

	{ "SetParameters T=0", "61 05000000 00 000000 1100000A00",
		"FE       FE       ok       E0       E0       E0       ok       FF" },
	{ "bmFindexDindex: F is RFU", "61 05000000 00 000000 7100000A00",
		"FE       FE       0A       E0       E0       E0       0A       FF" },
	{ "bmFindexDindex: D is RFU", "61 05000000 00 000000 1A00000A00",
		"FE       FE       0A       E0       E0       E0       0A       FF" },
	{ "bmTCCKST0", "61 05000000 00 000000 1110000A00",
		"FE       FE       0B       E0       E0       E0       0B       FF" },
	{ "bWaitingIntegerT0", "61 05000000 00 000000 1100000000",
		"FE       FE       0D       E0       E0       E0       0D       FF" },
	{ "bClockStop", "61 05000000 00 000000 1100000A04",
		"FE       FE       0E       E0       E0       E0       0E       FF" },
	{ "too long", "61 07000000 00 000000 1100000A000000",
		"FE       FE       01       E0       E0       E0       01       FF" },
	{ "too short", "61 04000000 00 000000 1100000A",
		"FE       FE       01       E0       E0       E0       01       FF" },

	{ "SetParameters T=1", "61 07000000 00 010000 1110004D002000",
		"FE       FE       ok       E0       E0       E0       ok       FF" },
	{ "bmFindexDindex: F is RFU", "61 07000000 00 010000 E110004D002000",
		"FE       FE       0A       E0       E0       E0       0A       FF" },
	{ "bmTCCKST1", "61 07000000 00 010000 1100004D002000",
		"FE       FE       0B       E0       E0       E0       0B       FF" },
	{ "bmWaitingIntegersT1", "61 07000000 00 010000 111000AD002000",
		"FE       FE       0D       E0       E0       E0       0D       FF" },
	{ "bClockStop", "61 07000000 00 010000 1110004D802000",
		"FE       FE       0E       E0       E0       E0       0E       FF" },
	{ "bIFSC 0", "61 07000000 00 010000 1110004D000000",
		"FE       FE       0F       E0       E0       E0       0F       FF" },
	{ "bIFSC 255", "61 07000000 00 010000 1110004D00FF00",
		"FE       FE       0F       E0       E0       E0       0F       FF" },
	{ "bNadValue", "61 07000000 00 010000 1110004D002012",
		"FE       FE       10       E0       E0       E0       10       FF" },
	{ "too short", "61 05000000 00 010000 1110004D00",
		"FE       FE       01       E0       E0       E0       01       FF" },
	{ "no data", "61 00000000 00 010000",
		"FE       FE       01       E0       E0       E0       01       FF" },
	{ "bProtocolNum 2", "61 07000000 00 020000 1110004D002000",
		"FE       FE       07       E0       E0       E0       07       FF" },
	{ "bProtocolNum 80", "61 05000000 00 800000 1100000A00",
		"FE       FE       07       E0       E0       E0       07       FF" },
	{ "abRFU", "61 05000000 00 000100 1100000A00",
		"08       08       08       08       08       08       08       08" },

	{ "Secure: no PIN pad", "69 02000000 00 000000 0000",
		"00       00       00       E0       E0       E0       00       FF" },

	{ "Escape", "6B 01000000 00 000000 6A",
		"run      run      run      E0       E0       E0       run      FF" },
	{ "abRFU", "6B 01000000 00 010000 6A",
		"07       07       07       07       07       07       07       07" },

	{ "T0APDU", "6A 00000000 00 010000",
		"00       00       00       E0       E0       E0       00       FF" },
	{ "IccClock", "6E 00000000 00 010000",
		"00       00       00       E0       E0       E0       00       FF" },
	{ "Mechanical", "71 00000000 00 010000",
		"00       00       00       E0       E0       E0       00       FF" },
	{ "SetDataRateAndClockFrequency", "73 08000000 00 000000 A00F0000012A0000",
		"00       00       00       E0       E0       E0       00       FF" },
	{ "no type 00", "00 00000000 00 000000",
		"00       00       00       E0       E0       E0       00       FF" },
	{ "no type 64", "64 00000000 00 000000",
		"00       00       00       E0       E0       E0       00       FF" },
	{ "no type 80", "80 00000000 00 000000",
		"00       00       00       E0       E0       E0       00       FF" },

	{ "Abort, another bSeq", "72 00000000 00 000000",
		"wait     wait     wait     run      wait     wait     wait     wait" },
	{ "abRFU", "72 00000000 00 000001",
		"07       07       07       07       07       07       07       07" },
	{ "with data", "72 01000000 00 000000 00",
		"01       01       01       E0       E0       E0       01       01" },

	{ "dwLength 1, no data", "65 01000000 00 000000",
		"01       01       01       01       01       01       01       01" },
	{ "dwLength 0, data", "63 00000000 00 000000 00",
		"01       01       01       01       01       01       01       01" },
	{ "dwLength FFFFFFFF", "6F FFFFFFFF 00 000000 00",
		"01       01       01       01       01       01       01       01" },
	{ "dwLength 65,545", "62 09000100 00 000000",
		"01       01       01       01       01       01       01       01" },
	{ "of no type", "FF 01000000 00 000000",
		"01       01       01       01       01       01       01       01" },
};

/* CCID 1.1, table 6.1-1; SlotStatus for all others. */
static uint8_t response_type(unsigned int bMessageType)
{
	switch (bMessageType) {
	case 0x62: /* IccPowerOn */
	case 0x69: /* Secure */
	case 0x6F: /* XfrBlock */
		return 0x80;
	case 0x61: /* SetParameters */
	case 0x6C: /* GetParameters */
	case 0x6D: /* ResetParameters */
		return 0x82;
	case 0x6B: /* Escape */
		return 0x83;
	case 0x73: /* SetDataRateAndClockFrequency */
		return 0x84;
	default:
		return 0x81;
	}
}

/* ---- the slot, and what it says ---- */

struct world {
	struct slot *slot;
	uint64_t now;
	uint8_t message[CCID_HEADER_SIZE + 64]; /* the last one on bulk IN */
	size_t message_size;
	size_t messages, calls;
	uint32_t last_call;
};

static void take_outputs(struct world *world)
{
	struct slot_output output;

	while (slot_pop_output(world->slot, &output)) {
		switch (output.type) {
		case SLOT_OUTPUT_SEND:
			assert_in_range(output.message.size, CCID_HEADER_SIZE,
				sizeof(world->message));
			memcpy(world->message, output.message.bytes, output.message.size);
			world->message_size = output.message.size;
			world->messages++;
			slot_sent(world->slot);
			break;
		case SLOT_OUTPUT_NOTIFY:
			break;
		case SLOT_OUTPUT_CALL:
			world->calls++;
			world->last_call = output.call.number;
			break;
		case SLOT_OUTPUT_CANCEL_SEND:
			fail_msg("everything was read: nothing is to be taken back");
			break;
		}
	}
}

/* Sends a command; bSeq goes in between bSlot and the rest. */
static void send(struct world *world, const char *hex, uint8_t seq)
{
	uint8_t bytes[64];
	size_t digits = 0;
	unsigned int value = 0;

	for (; *hex != '\0'; hex++) {
		char digit[2] = { *hex, '\0' };

		if (*hex == ' ')
			continue;
		value = value << 4 | (unsigned int)strtoul(digit, NULL, 16);
		if (++digits % 2 == 0)
			bytes[digits / 2 - 1] = (uint8_t)value;
		if (digits == 12) {
			bytes[6] = seq;
			digits = 14;
		}
	}
	world->messages = 0;
	world->calls = 0;
	slot_message(world->slot, world->now, (struct payload_view){ bytes, digits / 2 });
	take_outputs(world);
}

static void reply(struct world *world, const char *data, size_t size, uint8_t protocol)
{
	world->messages = 0;
	slot_result(world->slot, world->now, &(struct slot_result){
		.number = world->last_call,
		.protocol = protocol,
		.data = { (const uint8_t *)data, size },
	});
	take_outputs(world);
}

static void bring_to_active(struct world *world)
{
	send(world, "62 00000000 00 000000", RUNNING_SEQ);
	reply(world, "\x3B\x80\x80\x01\x01", 5, WIRE_PROTOCOL_T1);
	assert_int_equal(slot_icc_status(world->slot), CCID_ICC_ACTIVE);
}

static void bring_to(struct world *world, enum state state)
{
	uint8_t answer[SLOT_CONTROL_MAX];

	slot_enabled(world->slot, world->now, 512);
	if (state != ABSENT)
		slot_set_card(world->slot, world->now, (struct slot_card){ true, 1 });
	take_outputs(world);
	if (state == POWER)
		send(world, "62 00000000 00 000000", RUNNING_SEQ);
	if (state == ACTIVE || state > POWER)
		bring_to_active(world);
	if (state == SWITCH)
		send(world, "61 05000000 00 000000 1100000A00", RUNNING_SEQ);
	if (state == SWITCH || state == CARD)
		send(world, "6F 05000000 00 000000 00A4040000", RUNNING_SEQ);
	if (state == CHAIN)
		send(world, "6F 05000000 00 000100 00A4040000", RUNNING_SEQ);
	if (state == ABORT)
		assert_int_equal(0,
			slot_control(world->slot, world->now, 0x21, 0x01, 0x7700, answer));
	take_outputs(world);
}

/* ---- what is expected ---- */

/* The answer as the table has it. */
static void describe(const struct world *world, char *text, size_t size)
{
	if (world->messages == 0)
		(void)snprintf(text, size, "%s", world->calls > 0 ? "run" : "wait");
	else if ((world->message[7] & 0xC0) == CCID_COMMAND_FAILED)
		(void)snprintf(text, size, "%02X", world->message[8]);
	else
		(void)snprintf(text, size, "%s", world->message[7] < 3 ? "ok" : "?");
}

/* What is true of the answer, whatever it says. */
static void assert_answer(const struct world *world, uint8_t type, uint8_t seq)
{
	const uint8_t *message = world->message;
	bool failed = (message[7] & 0xC0) == CCID_COMMAND_FAILED;

	assert_int_equal(world->messages, 1);
	assert_int_equal(message[0], response_type(type));
	assert_int_equal(message[5], 0);
	assert_int_equal(message[6], seq);
	assert_int_equal(message[7] & 0x3C, 0);
	assert_int_equal(message[7] & 3, slot_icc_status(world->slot));
	if (failed) {
		assert_int_equal(world->message_size, CCID_HEADER_SIZE);
		assert_int_equal(message[9], 0);
	} else {
		assert_int_equal(message[8], 0);
	}
}

/* The command that ran before is as if nothing had come between. */
static void assert_running_ends(struct world *world, enum state state, uint32_t call)
{
	world->last_call = call;
	if (state == POWER) {
		reply(world, "\x3B\x80\x80\x01\x01", 5, WIRE_PROTOCOL_T1);
		assert_answer(world, PC_TO_RDR_ICC_POWER_ON, RUNNING_SEQ);
		assert_int_equal(world->message_size, CCID_HEADER_SIZE + 5);
		return;
	}
	if (state == SWITCH)
		reply(world, "\x3B\x80\x80\x01\x01", 5, WIRE_PROTOCOL_T0);
	reply(world, "\x90\x00", 2, WIRE_PROTOCOL_T1);
	assert_answer(world, PC_TO_RDR_XFR_BLOCK, RUNNING_SEQ);
	assert_int_equal(world->message_size, CCID_HEADER_SIZE + 2);
}

static void assert_status_works(struct world *world, bool aborting)
{
	send(world, "65 00000000 00 000000", SEQ + 1);
	assert_answer(world, PC_TO_RDR_GET_SLOT_STATUS, SEQ + 1);
	assert_int_equal(world->message[8], aborting ? CCID_ERROR_ABORTED : 0);
}

static void assert_cell(const struct row *row, enum state state, const char *expected)
{
	struct world world = { .now = 1000 };
	uint8_t type = (uint8_t)strtoul(row->command, NULL, 16);
	uint32_t running;
	char got[8];

	assert_int_equal(slot_new(&world.slot), 0);
	bring_to(&world, state);
	running = world.last_call;
	send(&world, row->command, SEQ);
	describe(&world, got, sizeof(got));
	if (strcmp(got, expected) != 0)
		fail_msg("%s (%.2s), %s: %s, not %s", row->what, row->command, state_names[state],
			got, expected);
	if (world.messages > 0)
		assert_answer(&world, type, SEQ);
	if (got[2] == '\0' && strcmp(got, "ok") != 0) {
		assert_int_equal(world.message[7] & 3, icc_status[state]);
		assert_int_equal(world.calls, 0);
		if (state == POWER || state == SWITCH || state == CARD)
			assert_running_ends(&world, state, running);
	}
	assert_status_works(&world, state == ABORT);
	world.slot = slot_free(world.slot);
}

/* ---- tests ---- */

static void test_every_field_in_every_state(void **state)
{
	char cells[STATES][5];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(sscanf(rows[i].answers, "%4s %4s %4s %4s %4s %4s %4s %4s",
			cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6],
			cells[7]), STATES);
		for (enum state s = 0; s < STATES; s++)
			assert_cell(&rows[i], s, cells[s]);
	}
}

/* CCID 1.1, 6.2.6: bSlot comes before all else, and is given back. */
static void test_no_other_slot_in_any_state(void **state)
{
	(void)state;
	for (unsigned int type = 0; type < 256; type++) {
		for (enum state s = 0; s < STATES; s++) {
			struct world world = { .now = 1000 };
			char command[32];

			(void)snprintf(command, sizeof(command), "%02X 00000000 01 FFFFFF", type);
			assert_int_equal(slot_new(&world.slot), 0);
			bring_to(&world, s);
			send(&world, command, SEQ);
			assert_int_equal(world.messages, 1);
			assert_int_equal(world.calls, 0);
			assert_int_equal(world.message[0], response_type(type));
			assert_int_equal(world.message[5], 1);
			assert_int_equal(world.message[6], SEQ);
			assert_int_equal(world.message[7], 0x42);
			assert_int_equal(world.message[8], CCID_ERROR_OFFSET_SLOT);
			world.slot = slot_free(world.slot);
		}
	}
}

/* CCID 1.1, 6.1.13: the right bSeq is the other half of the Abort. */
static void test_abort_has_its_other_half(void **state)
{
	struct world world = { .now = 1000 };

	(void)state;
	assert_int_equal(slot_new(&world.slot), 0);
	bring_to(&world, ABORT);
	send(&world, "72 00000000 00 000000", 0x77);
	assert_answer(&world, PC_TO_RDR_ABORT, 0x77);
	assert_int_equal(world.message[8], 0);
	assert_status_works(&world, false);
	world.slot = slot_free(world.slot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_in_every_state),
		cmocka_unit_test(test_no_other_slot_in_any_state),
		cmocka_unit_test(test_abort_has_its_other_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
